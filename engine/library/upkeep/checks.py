"""What can be wrong in a library's file, found without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.library import codec
from engine.library.database import Database
from engine.library.maps import map_of

ProblemKind = Literal["file", "orphans", "vectors", "moments", "states", "maps", "centres", "index"]
_BLOCK_ROWS = 2048
_MAX_FILE_PROBLEMS = 20

# What was heard in a track, in any space and with any outcome.
HEARD = "SELECT track_id FROM embedding UNION SELECT track_id FROM no_vocals"
# Tracks whose state is not what their embeddings say it is.
WRONG_STATE = f"""
    (state = 'indexed' AND id NOT IN ({HEARD}))
    OR (state = 'new' AND id IN ({HEARD}))
    OR (state = 'failed') != (error IS NOT NULL)
"""
# Tracks of which is not known whose sound it was that was heard.
UNKNOWN_SOUND = f"(audio_hash IS NULL OR duration_s IS NULL) AND id IN ({HEARD})"
# "Nobody sings in it", said of something that was heard singing, or where it makes no sense.
WRONG_SILENCE = """
    space_id IN (SELECT id FROM space WHERE view != 'vocals')
    OR EXISTS (SELECT 1 FROM embedding WHERE embedding.track_id = no_vocals.track_id
               AND embedding.space_id = no_vocals.space_id)
"""


@dataclass(frozen=True)
class Problem:
    """Something that is not as it must be.

    Attributes:
        count: rows, or things, that it concerns.
        sentence: what it is and what it means, for a person.
    """

    kind: ProblemKind
    count: int
    sentence: str


@dataclass(frozen=True)
class ForeignKey:
    """A column of a table that names rows of another."""

    table: str
    column: str
    parent: str


def file_problems(database: Database) -> Iterator[Problem]:
    """What SQLite itself finds. Reads the whole file. Raises LibraryCorruptError at its worst."""
    rows = database.rows(f"PRAGMA integrity_check({_MAX_FILE_PROBLEMS})")
    found = [str(row[0]).splitlines()[-1] for row in rows if row[0] != "ok"]
    if found:
        more = "" if len(found) < _MAX_FILE_PROBLEMS else ", and more"
        yield Problem(
            "file", len(found), f"The file is damaged ({found[0]}{more}). Repair saves the rest."
        )


def row_problems(database: Database) -> Iterator[Problem]:
    """Contradictions between rows, and contents that are not what they should be."""
    if num := sum(_count(database, orphans_of(key)) for key in foreign_keys(database)):
        yield Problem("orphans", num, f"{num} rows belong to something that is not there any more.")
    vectors, moments = damaged_embeddings(database)
    if num := len(vectors):
        yield Problem(
            "vectors", num, f"{num} vectors are damaged. Their songs have to be heard again."
        )
    if num := len(moments):
        yield Problem(
            "moments", num, f"The moments of {num} songs are damaged. They have to be heard again."
        )
    num = _count(database, f"track WHERE {WRONG_STATE} OR ({UNKNOWN_SOUND})")
    num += _count(database, f"no_vocals WHERE {WRONG_SILENCE}")
    if num:
        yield Problem("states", num, f"{num} songs are not as far as the library says they are.")
    if num := len(damaged_maps(database)):
        yield Problem("maps", num, f"{num} maps are damaged. They can be made again.")
    if num := len(damaged_centres(database)):
        yield Problem(
            "centres",
            num,
            f"What the songs of {num} models have in common is damaged, so that answers may be "
            "wrong. Repair measures it anew.",
        )


def foreign_keys(database: Database) -> list[ForeignKey]:
    """Of all tables, whatever the schema; every one of ours names the parent's ``id``."""
    tables = database.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    return [
        ForeignKey(table, row[3], row[2])
        for (table,) in tables
        for row in database.rows(f"PRAGMA foreign_key_list({table})")
    ]


def orphans_of(key: ForeignKey) -> str:
    """The rows of a table whose parent is gone, as what follows FROM."""
    return f"{key.table} WHERE {key.column} NOT IN (SELECT id FROM {key.parent})"


def damaged_embeddings(database: Database) -> tuple[list[int], list[int]]:
    """(ids of embeddings with damaged vectors, of others with damaged or without moments)."""
    vectors, moments = list[int](), list[int]()
    after_id = 0
    while rows := database.rows(
        "SELECT embedding.id, dim, vector, num_moments, length_s, starts, codes FROM embedding"
        " JOIN space ON space.id = space_id LEFT JOIN moments ON embedding_id = embedding.id"
        " WHERE embedding.id > ? ORDER BY embedding.id LIMIT ?",
        (after_id, _BLOCK_ROWS),
    ):
        for embedding_id, dim, vector, *about_moments in rows:
            if not codec.is_sound_vector(vector, dim):
                vectors.append(embedding_id)
            elif not codec.are_sound_moments(about_moments):
                moments.append(embedding_id)
        after_id = rows[-1][0]
    return vectors, moments


def damaged_maps(database: Database) -> list[int]:
    """The spaces whose maps make no sense."""
    spaces = [row[0] for row in database.rows("SELECT space_id FROM map")]
    return [space_id for space_id in spaces if not _is_sound_map(database, space_id)]


def damaged_centres(database: Database) -> list[int]:
    """The spaces whose centre is none, or says to be of embeddings that there cannot have been.

    One that was made of fewer than there are now, or of some that are gone, is sound.
    """
    rows = database.rows(
        "SELECT space_id, vector, dim, num_embeddings,"
        " (SELECT count(*) FROM embedding WHERE embedding.space_id = centre.space_id"
        "  AND id <= max_embedding_id),"
        " max_embedding_id <= (SELECT ifnull(max(seq), 0) FROM sqlite_sequence"
        "  WHERE name = 'embedding')"
        " FROM centre JOIN space ON space.id = space_id ORDER BY space_id"
    )
    return [
        space_id
        for space_id, vector, dim, num, num_left, is_past in rows
        if codec.unpack_centre(vector, dim) is None
        or not (isinstance(num, int) and num_left <= num and is_past)
    ]


def _is_sound_map(database: Database, space_id: int) -> bool:
    record = map_of(database, space_id)
    return record is not None and len(np.unique(record.track_ids)) == len(record.track_ids)


def _count(database: Database, source: str) -> int:
    row = database.row(f"SELECT count(*) FROM {source}")
    return 0 if row is None else int(row[0])
