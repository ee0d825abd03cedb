"""The schema, as the list of steps that lead to it.

Append only: a step that was released is never edited, and none uses today's code, so that a library
of any age goes through exactly what it would have gone through then. sqlite-utils runs the steps
and keeps the record of them; the number of steps is also in the header of the file, where versions
of Singalike that know fewer of them find it and leave the file alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.library.tables import tables, transaction

if TYPE_CHECKING:
    import sqlite_utils

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

# The table has a constraint that SQLite cannot widen, so it is made anew, ids and all.
_V5 = """
CREATE TABLE new_space (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    view TEXT NOT NULL CHECK (view IN ('vocals', 'overall')),
    separator TEXT NOT NULL,
    dim INTEGER NOT NULL,
    listening INTEGER NOT NULL,
    UNIQUE (model_sha256, model, view, separator, listening)
);
INSERT INTO new_space SELECT id, model, model_sha256, view, separator, dim, 1 FROM space;
DELETE FROM sqlite_sequence WHERE name = 'new_space';
INSERT INTO sqlite_sequence SELECT 'new_space', seq FROM sqlite_sequence WHERE name = 'space';
DROP TABLE space;
ALTER TABLE new_space RENAME TO space;
ALTER TABLE embedding ADD COLUMN from_mixture INTEGER NOT NULL DEFAULT 0;
"""

_V6 = """
CREATE TABLE portrait (
    track_id INTEGER PRIMARY KEY REFERENCES track(id) ON DELETE CASCADE,
    lowest_note REAL NOT NULL,
    usual_note REAL NOT NULL,
    highest_note REAL NOT NULL,
    vibrato_hz REAL,
    vibrato_cents REAL,
    vibrato_share REAL NOT NULL,
    clearness_db REAL,
    roughness_db REAL,
    brightness_hz REAL,
    sung_share REAL NOT NULL
);
"""

# A kept song outlives its track, so its track_id refers to nothing once that is forgotten.
_V7 = """
CREATE TABLE kept_song (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    track_id INTEGER,
    path BLOB NOT NULL,
    audio_hash TEXT,
    artist TEXT NOT NULL,
    title TEXT NOT NULL
);
CREATE INDEX kept_song_by_track ON kept_song (track_id);
CREATE TABLE playlist (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE playlist_entry (
    playlist_id INTEGER NOT NULL REFERENCES playlist(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    song_id INTEGER NOT NULL REFERENCES kept_song(id),
    PRIMARY KEY (playlist_id, position)
) WITHOUT ROWID;
CREATE TABLE favourite (
    song_id INTEGER PRIMARY KEY REFERENCES kept_song(id),
    added_s REAL NOT NULL
);
CREATE TABLE mark (
    song_id INTEGER NOT NULL REFERENCES kept_song(id),
    other_id INTEGER NOT NULL REFERENCES kept_song(id),
    is_same INTEGER NOT NULL,
    made_s REAL NOT NULL,
    PRIMARY KEY (song_id, other_id)
) WITHOUT ROWID;
CREATE TABLE saved_search (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    question TEXT NOT NULL
);
"""

_V9 = """
CREATE TABLE tag (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL
);
CREATE TABLE heard_tag (
    track_id INTEGER NOT NULL REFERENCES track(id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tag(id) ON DELETE CASCADE,
    strength INTEGER NOT NULL,
    chance INTEGER NOT NULL,
    PRIMARY KEY (track_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX heard_tag_by_tag ON heard_tag (tag_id);
"""


def tracks_and_embeddings(db: sqlite_utils.Database) -> None:
    db.executescript(_V1)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def maps(db: sqlite_utils.Database) -> None:
    db.executescript(_V2)


def centres(db: sqlite_utils.Database) -> None:
    db.executescript(_V3)


def record_by_sqlite_utils(db: sqlite_utils.Database) -> None:
    """Until then, the record of the steps was the table ``migration``."""
    db.table("migration").drop()


def ways_of_hearing(db: sqlite_utils.Database) -> None:
    """A space also knows the version of listening; a voice may come from the whole song."""
    db.executescript(_V5)


def voice_portraits(db: sqlite_utils.Database) -> None:
    db.executescript(_V6)


def what_a_person_keeps(db: sqlite_utils.Database) -> None:
    """Favourites, playlists, marks of same and other voices, saved searches."""
    db.executescript(_V7)


def times_of_change(db: sqlite_utils.Database) -> None:
    """What no program can set, where a system has it; NULL until a scan has seen the file."""
    db.execute("ALTER TABLE track ADD COLUMN ctime_ns INTEGER")


def heard_tags(db: sqlite_utils.Database) -> None:
    """Words for what is heard in a song; strength and chance in percent."""
    db.executescript(_V9)


def time_of_adding(db: sqlite_utils.Database) -> None:
    """When a track was added; NULL for those from before."""
    db.execute("ALTER TABLE track ADD COLUMN added_s REAL")


Step = Callable[["sqlite_utils.Database"], None]
STEPS: tuple[Step, ...] = (
    tracks_and_embeddings,
    maps,
    centres,
    record_by_sqlite_utils,
    ways_of_hearing,
    voice_portraits,
    what_a_person_keeps,
    times_of_change,
    heard_tags,
    time_of_adding,
)


def version_of(connection: sqlite3.Connection) -> int:
    """0 for an empty file; -1 for a database that is not a library of ours."""
    # Looked at first: tables and identity come at once, and somebody may write them just now.
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    return 0 if is_empty else -1


def upgrade(
    connection: sqlite3.Connection,
    steps: tuple[Step, ...] = STEPS,
    back_up: Callable[[int], None] = lambda version: None,
) -> None:
    """Bring a library to the schema after these steps. The connection is in no transaction.

    All of it is one transaction: if a step fails, or the process is killed, the library is as it
    was. Two processes may come here at once: the second one finds the work done. ``back_up`` is
    called with the version of a library that is about to be changed.
    """
    from sqlite_utils import Migrations

    # within a transaction it cannot be changed, and a table that is made anew is dropped first
    connection.execute("PRAGMA foreign_keys = OFF")
    db, migrations = tables(connection), Migrations("singalike")
    for step in steps:
        migrations()(step)
    try:
        with transaction(connection):
            version = version_of(connection)
            if version >= len(steps):
                return
            if version > 0:
                back_up(version)
            migrations.ensure_migrations_table(db)
            names = [step.__name__ for step in steps[:version]]
            done = [{"migration_set": migrations.name, "name": name} for name in names]
            db.table(migrations.migrations_table).insert_all(done, ignore=True)
            migrations.apply(db)
            connection.execute(f"PRAGMA user_version = {len(steps)}")
    finally:
        connection.execute("PRAGMA foreign_keys = ON")
