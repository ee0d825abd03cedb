"""What can be wrong in a library's file, found without changing it.

Maps, centres and search indexes are no part of it: they are verified whenever they are read, and
made anew where they are damaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from engine.errors import LibraryCorruptError
from engine.library import codec
from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.library.indexes import index_of
from engine.library.store import Library
from engine.library.tables import tables
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress

ProblemKind = Literal["file", "orphans", "vectors", "states"]
_BLOCK_ROWS = 2048
_MAX_FILE_PROBLEMS = 20
_SENTENCES: dict[ProblemKind, str] = {
    "file": "The file is damaged ({detail}). Repair saves the rest.",
    "orphans": "Rows that belong to something that is not there any more: {num}.",
    "vectors": "Damaged vectors: {num}. Their songs have to be heard again.",
    "states": "Songs that are not as far as the library says they are: {num}.",
}

# What was heard in a track, in any space and with any outcome.
HEARD = "SELECT track_id FROM embedding UNION SELECT track_id FROM no_vocals"
# Tracks whose state is not what their embeddings say it is.
WRONG_STATE = f"""
    (state = 'indexed' AND id NOT IN ({HEARD}))
    OR (state = 'new' AND id IN ({HEARD}))
    OR (state = 'failed') != (error IS NOT NULL)
"""
_UNKNOWN_SOUND = "track_id IN (SELECT id FROM track WHERE audio_hash IS NULL OR duration_s IS NULL)"
# "Nobody sings in it", said of something that was heard singing, or where it makes no sense.
_WRONG_SILENCE = """
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
class HealthReport:
    """What a check of a library found. Nothing is changed by it.

    Attributes:
        num_indexes: of ``num_spaces`` that could have one; without it, searches are slower.
    """

    num_tracks: int = 0
    num_embeddings: int = 0
    num_spaces: int = 0
    num_indexes: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def is_fine(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class Damage:
    """Rows of a table that a repair deletes: whatever they said is heard or made again."""

    kind: ProblemKind
    table: str
    condition: str
    values: tuple[Any, ...] = ()


def verify(
    path: Path,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> HealthReport:
    """Check a library: its file, what its rows say, its vectors.

    Mends nothing; one of an older schema is brought up to date first. Damage is a problem in the
    report, not an error. Raises LibraryError where there is no library, or none that may be read
    now; CancelledError.
    """
    cancel = cancel or CancelToken()
    try:
        with Library.open(path, create=False) as library:
            progress(Progress("verify", message="file"))
            problems = _file_problems(library.database)
            cancel.check()
            if not problems:  # what is read from a damaged file says nothing
                progress(Progress("verify", message="vectors"))
                problems = _row_problems(library.database, cancel)
            counts = library.counts().embeddings
            return HealthReport(
                library.counts().tracks,
                sum(counts.values()),
                len(counts),
                sum(index_of(library.database, space_id) is not None for space_id in counts),
                problems,
            )
    except LibraryCorruptError as error:
        return HealthReport(problems=(Problem("file", 1, str(error)),))


def damages(database: Database) -> Iterator[Damage]:
    """All that a repair deletes, found as it is iterated over: what is deleted meanwhile is gone.

    Parents come before their children, which SQLite deletes with them.
    """
    with database.read() as connection:
        keys = [key for table in tables(connection).tables for key in table.foreign_keys]
    for key in keys:
        parents = f"SELECT {key.other_column} FROM {key.other_table}"
        yield Damage("orphans", key.table, f"{key.column} NOT IN ({parents})")
    damaged = ids_value(_damaged_embeddings(database))
    yield Damage("vectors", "embedding", f"id {IN_IDS}", (damaged,))
    yield Damage("states", "embedding", _UNKNOWN_SOUND)
    yield Damage("states", "no_vocals", _UNKNOWN_SOUND)
    yield Damage("states", "no_vocals", _WRONG_SILENCE)


def _file_problems(database: Database) -> tuple[Problem, ...]:
    """What SQLite itself finds. Reads the whole file. Raises LibraryCorruptError at its worst."""
    rows = database.rows(f"PRAGMA integrity_check({_MAX_FILE_PROBLEMS})")
    found = [str(row[0]).splitlines()[-1] for row in rows if row[0] != "ok"]
    if not found:
        return ()
    more = "" if len(found) < _MAX_FILE_PROBLEMS else ", and more"
    return (Problem("file", len(found), _SENTENCES["file"].format(detail=found[0] + more)),)


def _row_problems(database: Database, cancel: CancelToken) -> tuple[Problem, ...]:
    counts = Counter[ProblemKind]()
    wrong_states = Damage("states", "track", WRONG_STATE)
    for damage in chain(damages(database), [wrong_states]):
        cancel.check()
        sql = f"SELECT count(*) FROM {damage.table} WHERE {damage.condition}"
        ((num,),) = database.rows(sql, damage.values)
        counts[damage.kind] += num
    return tuple(
        Problem(kind, num, _SENTENCES[kind].format(num=num)) for kind, num in counts.items() if num
    )


def _damaged_embeddings(database: Database) -> Iterator[int]:
    """Those whose vectors or moments are not what was written, or that have no moments."""
    after_id = 0
    while rows := database.rows(
        "SELECT embedding.id, dim, vector, num_moments, length_s, starts, codes FROM embedding"
        " JOIN space ON space.id = space_id LEFT JOIN moments ON embedding_id = embedding.id"
        " WHERE embedding.id > ? ORDER BY embedding.id LIMIT ?",
        (after_id, _BLOCK_ROWS),
    ):
        for embedding_id, dim, vector, *moments in rows:
            if not codec.is_sound(vector, dim, moments):
                yield embedding_id
        after_id = rows[-1][0]
