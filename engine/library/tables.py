"""sqlite-utils over a connection of ours, for all that no song waits for.

Schema, inserts and upserts, what tables there are and how they refer to each other. What is done
for each song, or while somebody types, is plain SQL: its statements stand in ``store``, ``files``,
``queries`` and ``indexes``, and need no time to find out what a table looks like.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite_utils


def tables(connection: sqlite3.Connection) -> sqlite_utils.Database:
    """Its writes belong to the transaction that the connection is in."""
    from sqlite_utils import Database  # here: 0.1 s, and who only reads or listens needs none of it

    return Database(connection, recursive_triggers=False, execute_plugins=False)


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> int:
    """One row, by the names of its columns; returns its id."""
    return int(tables(connection).table(table).insert(row).last_rowid or 0)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of a block is kept, or nothing. Nobody else writes meanwhile, so it cannot fail late."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise
