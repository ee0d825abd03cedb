"""The schema, as the list of steps that lead to it.

Append only: a step that was released is never edited, and none uses today's code, so that a library
of any age goes through exactly what it would have gone through then.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

APPLICATION_ID = 0x53474C4B  # "SGLK", in the header of every library file

_V1 = """
CREATE TABLE migration (
    version INTEGER PRIMARY KEY,
    applied_s REAL NOT NULL
);
CREATE TABLE folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    is_available INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE track (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder_id INTEGER NOT NULL REFERENCES folder(id) ON DELETE CASCADE,
    rel_path BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    audio_hash TEXT,
    duration_s REAL,
    state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'indexed', 'failed')),
    is_missing INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    title TEXT NOT NULL,
    artist TEXT NOT NULL,
    album TEXT NOT NULL,
    album_artist TEXT NOT NULL,
    genre TEXT NOT NULL,
    year INTEGER,
    track_number INTEGER,
    title_key TEXT NOT NULL,
    artist_key TEXT NOT NULL,
    album_key TEXT NOT NULL,
    search_text TEXT NOT NULL,
    UNIQUE (folder_id, rel_path)
);
CREATE INDEX track_by_artist ON track (
    artist_key, album_key, track_number, title_key, search_text, is_missing, state, folder_id
);
CREATE INDEX track_by_hash ON track (audio_hash);
CREATE TABLE space (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    view TEXT NOT NULL CHECK (view IN ('vocals', 'overall')),
    separator TEXT NOT NULL,
    dim INTEGER NOT NULL,
    UNIQUE (model_sha256, model, view, separator)
);
CREATE TABLE embedding (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    track_id INTEGER NOT NULL REFERENCES track(id) ON DELETE CASCADE,
    space_id INTEGER NOT NULL REFERENCES space(id) ON DELETE CASCADE,
    vector BLOB NOT NULL,
    UNIQUE (track_id, space_id)
);
CREATE INDEX embedding_by_space ON embedding (space_id, id);
CREATE TABLE moments (
    embedding_id INTEGER PRIMARY KEY REFERENCES embedding(id) ON DELETE CASCADE,
    num_moments INTEGER NOT NULL,
    length_s REAL NOT NULL,
    starts BLOB NOT NULL,
    codes BLOB NOT NULL
);
CREATE TABLE no_vocals (
    track_id INTEGER NOT NULL REFERENCES track(id) ON DELETE CASCADE,
    space_id INTEGER NOT NULL REFERENCES space(id) ON DELETE CASCADE,
    PRIMARY KEY (track_id, space_id)
) WITHOUT ROWID;
CREATE TABLE hnsw_index (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    space_id INTEGER NOT NULL REFERENCES space(id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('building', 'ready')),
    dim INTEGER NOT NULL,
    metric TEXT NOT NULL,
    m INTEGER NOT NULL,
    ef_construction INTEGER NOT NULL,
    num_elements INTEGER NOT NULL,
    max_embedding_id INTEGER NOT NULL,
    num_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL
);
CREATE INDEX hnsw_index_by_space ON hnsw_index (space_id);
CREATE TABLE hnsw_chunk (
    index_id INTEGER NOT NULL REFERENCES hnsw_index(id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (index_id, seq)
);
CREATE TABLE lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    token TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_start TEXT NOT NULL,
    heartbeat_s REAL NOT NULL
);
"""

_V2 = """
CREATE TABLE map (
    space_id INTEGER PRIMARY KEY REFERENCES space(id) ON DELETE CASCADE,
    made_s REAL NOT NULL,
    num_laid_out INTEGER NOT NULL,
    track_ids BLOB NOT NULL,
    positions BLOB NOT NULL
);
"""

_V3 = """
CREATE TABLE centre (
    space_id INTEGER PRIMARY KEY REFERENCES space(id) ON DELETE CASCADE,
    num_embeddings INTEGER NOT NULL,
    max_embedding_id INTEGER NOT NULL,
    vector BLOB NOT NULL
);
"""


def run_sql(connection: sqlite3.Connection, script: str) -> None:
    """Statements one by one: ``executescript`` would commit the transaction they belong to."""
    for statement in script.split(";"):
        if statement.strip():
            connection.execute(statement)


def _v1_tables(connection: sqlite3.Connection) -> None:
    run_sql(connection, _V1)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _v2_maps(connection: sqlite3.Connection) -> None:
    run_sql(connection, _V2)


def _v3_centres(connection: sqlite3.Connection) -> None:
    run_sql(connection, _V3)


Migration = Callable[[sqlite3.Connection], None]
MIGRATIONS: tuple[Migration, ...] = (_v1_tables, _v2_maps, _v3_centres)


def version_of(connection: sqlite3.Connection) -> int:
    """0 for an empty file; -1 for a database that is not a library of ours."""
    # Looked at first: tables and identity come at once, and somebody may write them just now.
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    return 0 if is_empty else -1


def migrate(connection: sqlite3.Connection, steps: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Bring a library to the newest schema. The connection holds no transaction.

    Each step and its record are one transaction: a step that fails, or is killed, leaves nothing.
    Two processes may come here at once: the second one finds the work done.
    """
    while version_of(connection) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(connection)
            if version < len(steps):
                steps[version](connection)
                connection.execute(
                    "INSERT INTO migration VALUES (?, ?)", (version + 1, time.time())
                )
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
