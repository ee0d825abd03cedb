"""Saving what can be read of a library that SQLite finds damaged: row by row into a new file.

Damage takes single pages, so rows are asked for one key after the other. The new file has the
schema of the old one, whose constraints keep out what damage has made of rows.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LibraryCorruptError, LibraryError, LibraryLockedError
from engine.library.migrations import STEPS, upgrade, version_of
from engine.library.tables import tables

if TYPE_CHECKING:
    from sqlite_utils.db import Table

# As the schema orders them, parents first. All other tables hold what is made anew from these.
_HEARD = (
    "folder",
    "track",
    "space",
    "embedding",
    "moments",
    "no_vocals",
    "portrait",
    "tag",
    "heard_tag",
)
_KEPT = ("kept_song", "playlist", "playlist_entry", "favourite", "mark", "saved_search")
_TYPES: dict[str, tuple[type, ...]] = {
    "INTEGER": (int,),
    "REAL": (float, int),
    "TEXT": (str,),
    "BLOB": (bytes,),
}
_MIN_ROW_BYTES = 16  # bounds how many rows a file can hold, where it does not tell
_MAX_ID = 2**40  # no library has given so many


def salvage(path: Path) -> tuple[Path, dict[str, int]]:
    """Replace a damaged library by what can be read of it; the damaged file is kept beside it.

    The library is replaced at once, at the very end: a process that is killed leaves the damaged
    file where it was. Returns where the damaged file is now, and the rows that were saved, by
    table.

    Raises LibraryCorruptError where nothing can be read, LibraryLockedError where the library is
    open elsewhere, LibraryError where the new file cannot be written.
    """
    draft = path.with_name(f".{path.name}.salvage.tmp")
    try:
        draft.unlink(missing_ok=True)
        with _alone(path) as old:
            num_rows = _copy(old, draft, path)
        return _exchange(path, draft), num_rows
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
    numbers = itertools.chain([""], itertools.count(2))
    candidates = (path.with_name(f"{path.name}.{ending}{number}") for number in numbers)
    return next(candidate for candidate in candidates if not candidate.exists())


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
        upgrade(new, STEPS[:version])
        db, num_possible = tables(new), path.stat().st_size // _MIN_ROW_BYTES
        new.execute("BEGIN")
        there = set(db.table_names())
        num_rows = {
            name: _copy_table(old, db.table(name), num_possible)
            for name in (*_HEARD, *_KEPT)
            if name in there
        }
        new.execute("COMMIT")
    return num_rows


def _version(old: sqlite3.Connection, path: Path) -> int:
    version = 0
    with contextlib.suppress(sqlite3.DatabaseError):
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        version = version_of(old)
    if not 0 < version <= len(STEPS):
        raise LibraryCorruptError(
            f"Nothing in {path} can be read as a library of Singalike. Name another file, restore "
            "a backup of it, or move it away and index your folders again."
        )
    return version


def _copy_table(old: sqlite3.Connection, table: Table, num_possible: int) -> int:
    """Rows whose values have the types that they were written with; returns how many."""
    names = [column.name for column in table.columns]
    types = [(*_TYPES[column.type], type(None)) for column in table.columns]
    insert = f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(names))})"
    key = table.pks[0]  # an integer in all of our tables
    select = f"SELECT {', '.join(names)} FROM {table.name} NOT INDEXED WHERE {key} = ?"
    num_kept = 0
    for row_id in range(1, _last_id(old, table.name, key, num_possible) + 1):
        rows: list[tuple[object, ...]] = []
        with contextlib.suppress(sqlite3.DatabaseError):
            rows = old.execute(select, (row_id,)).fetchall()
        for row in rows:
            if all(map(isinstance, row, types)):
                with contextlib.suppress(sqlite3.IntegrityError):  # it contradicts others
                    table.db.execute(insert, row)
                    num_kept += 1
    return num_kept


def _last_id(old: sqlite3.Connection, table: str, key: str, num_possible: int) -> int:
    """The highest key that a table can hold, as far as that can be read and believed."""
    told = []
    for sql in (f"SELECT max({key}) FROM {table}", "SELECT max(seq) FROM sqlite_sequence"):
        with contextlib.suppress(sqlite3.DatabaseError):
            told.append(old.execute(sql).fetchone()[0])
    return min((i for i in told if isinstance(i, int) and 0 <= i < _MAX_ID), default=num_possible)


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
