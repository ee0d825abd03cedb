"""Saving what can be read of a library that SQLite finds damaged: row by row into a new file.

Damage takes single pages. Rows are asked for by ranges of their keys; a range that cannot be read
is halved until what is lost has been told from what is not. The new file has the schema of the old
one, whose constraints keep out what damage has made of rows.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import LibraryCorruptError, LibraryError, LibraryLockedError
from engine.library.migrations import MIGRATIONS, migrate, version_of

_BLOCK_ROWS = 512
_MIN_ROW_BYTES = 16  # bounds how many rows a file can hold, where it does not tell
_LEFT_BEHIND = frozenset(("migration", "lease", "hnsw_index", "hnsw_chunk", "sqlite_sequence"))
_TYPES: dict[str, tuple[type, ...]] = {
    "INTEGER": (int,),
    "REAL": (float, int),
    "TEXT": (str,),
    "BLOB": (bytes,),
}


@dataclass(frozen=True)
class Salvage:
    """What became of a damaged library.

    Attributes:
        kept: rows by table.
        damaged_path: where the damaged file is now.
    """

    kept: dict[str, int]
    damaged_path: Path


@dataclass(frozen=True)
class _Table:
    name: str
    columns: tuple[str, ...]
    types: tuple[tuple[type, ...], ...]
    key: str  # the first column of the primary key: an integer in all of our tables
    ids_of: str  # the table whose ids these are: its own, or another's

    def is_sound(self, row: tuple[Any, ...]) -> bool:
        """Whether values have the types that they were written with (or are NULL)."""
        return all(
            value is None or isinstance(value, types)
            for value, types in zip(row, self.types, strict=True)
        )


def salvage(path: Path) -> Salvage:
    """Replace a damaged library by what can be read of it; the damaged file is kept beside it.

    The library is replaced at once, at the very end: a process that is killed leaves the damaged
    file where it was. Search indexes are left behind; they can be built again.

    Raises LibraryCorruptError where nothing can be read, LibraryLockedError where the library is
    open elsewhere, LibraryError where the new file cannot be written.
    """
    draft = path.with_name(f".{path.name}.salvage.tmp")
    try:
        draft.unlink(missing_ok=True)
        with _alone(path) as old:
            kept = _copy(old, draft, path)
        return Salvage(kept, _exchange(path, draft))
    except (sqlite3.Error, OSError) as error:
        raise LibraryError(
            f"The library {path} cannot be repaired: {error}. Make room on its drive, and check "
            "that you may write to its folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def unused_path(path: Path, ending: str) -> Path:
    """``path`` with an ending that no file has yet: ``library.db.damaged``, ``.damaged2``, ..."""
    number, candidate = 1, path.with_name(f"{path.name}.{ending}")
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}.{ending}{number}")
    return candidate


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[sqlite3.Connection]:
    """The damaged file, kept from others: they would go on writing into it once it is replaced."""
    with contextlib.closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as db:
        db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        db.execute("PRAGMA writable_schema = ON")  # else SQLite reads nothing of a file cut short
        try:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise LibraryLockedError(
                    f"The library {path} is in use by another program. Close it, then try again."
                ) from error
        yield db


def _copy(old: sqlite3.Connection, draft: Path, path: Path) -> dict[str, int]:
    """Everything readable into a new file of the same schema; returns the rows by table."""
    version = _version(old, path)
    with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as new:
        new.execute("PRAGMA foreign_keys = ON")
        migrate(new, MIGRATIONS[:version])
        used_ids = _used_ids(old)
        num_possible = path.stat().st_size // _MIN_ROW_BYTES
        new.execute("BEGIN")
        kept = {
            table.name: _copy_table(old, new, table, used_ids.get(table.ids_of, num_possible))
            for table in _tables(new)
        }
        for name, seq in used_ids.items():  # those of lost rows must not be given again
            new.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (seq, name))
        new.execute("COMMIT")
    return kept


def _version(old: sqlite3.Connection, path: Path) -> int:
    version = 0
    with contextlib.suppress(sqlite3.DatabaseError):
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        version = version_of(old)
    if not 0 < version <= len(MIGRATIONS):
        raise LibraryCorruptError(
            f"Nothing in {path} can be read as a library of Singalike. Name another file, restore "
            "a backup of it, or move it away and index your folders again."
        )
    return version


def _used_ids(old: sqlite3.Connection) -> dict[str, int]:
    """The highest id that was ever given, by table, as far as it can be read and believed."""
    with contextlib.suppress(sqlite3.DatabaseError):
        rows = old.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
        return {name: seq for name, seq in rows if isinstance(seq, int) and 0 <= seq < 2**40}
    return {}


def _tables(new: sqlite3.Connection) -> list[_Table]:
    """Parents before children, as the schema was written."""
    names = new.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    found = []
    for (name,) in names.fetchall():
        if name not in _LEFT_BEHIND:
            about = new.execute(f"PRAGMA table_info({name})").fetchall()
            types = tuple(_TYPES.get(row[2], (object,)) for row in about)
            key = next(row[1] for row in about if row[5] == 1)
            parents = new.execute(f"PRAGMA foreign_key_list({name})").fetchall()
            ids_of = next((row[2] for row in parents if row[3] == key), name)
            found.append(_Table(name, tuple(row[1] for row in about), types, key, ids_of))
    return found


def _copy_table(
    old: sqlite3.Connection, new: sqlite3.Connection, table: _Table, last_id: int
) -> int:
    marks = ", ".join("?" for _ in table.columns)
    num_kept = 0
    for row in _rows(old, table, last_id):
        if table.is_sound(row):
            with contextlib.suppress(sqlite3.IntegrityError):  # damage made it contradict others
                new.execute(f"INSERT INTO {table.name} VALUES ({marks})", row)
                num_kept += 1
    return num_kept


def _rows(old: sqlite3.Connection, table: _Table, last_id: int) -> Iterator[tuple[Any, ...]]:
    with contextlib.suppress(sqlite3.DatabaseError):
        (last,) = old.execute(f"SELECT max({table.key}) FROM {table.name}").fetchone()
        if isinstance(last, int):  # else there is no row, or damage there
            last_id = min(last_id, last)
    for first in range(0, last_id + 1, _BLOCK_ROWS):
        yield from _readable(old, table, first, min(last_id, first + _BLOCK_ROWS - 1))


def _readable(
    old: sqlite3.Connection, table: _Table, first: int, last: int
) -> list[tuple[Any, ...]]:
    sql = (
        f"SELECT {', '.join(table.columns)} FROM {table.name} NOT INDEXED"
        f" WHERE {table.key} BETWEEN ? AND ?"
    )
    try:
        return old.execute(sql, (first, last)).fetchall()
    except sqlite3.DatabaseError:
        if first == last:
            return []
        middle = (first + last) // 2
        return [
            *_readable(old, table, first, middle),
            *_readable(old, table, middle + 1, last),
        ]


def _exchange(path: Path, draft: Path) -> Path:
    """Put the new file in the place of the damaged one; returns where that one is now."""
    damaged = unused_path(path, "damaged")
    try:
        os.link(path, damaged)
    except OSError:  # a file system without links
        shutil.copy2(path, damaged)
    wal = path.with_name(f"{path.name}-wal")  # SQLite would read it into the new file
    if wal.exists() and wal.stat().st_size:
        wal.rename(damaged.with_name(f"{damaged.name}-wal"))
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    draft.replace(path)
    return damaged
