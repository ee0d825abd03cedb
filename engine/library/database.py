"""The SQLite file under a library: connections, transactions, and errors put into sentences."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.errors import (
    LibraryCorruptError,
    LibraryError,
    LibraryLockedError,
    LibraryNewerError,
)
from engine.library.migrations import MIGRATIONS, Migration, migrate, version_of

BUSY_TIMEOUT_S = 15.0
_SQLITE_HEADER = b"SQLite format 3\0"


class Database:
    """A library file, open. Any thread may use it; each gets a connection of its own.

    Args:
        path: the file; made (with its folder) where it does not exist and ``create`` is set.
        migrations: the schema's steps; an argument so that tests can age a library.

    Raises LibraryError or one of its kinds: every public method does.
    """

    def __init__(
        self, path: Path, *, create: bool = True, migrations: tuple[Migration, ...] = MIGRATIONS
    ) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, sqlite3.Connection] = {}
        self._is_closed = False
        self._check_file(create)
        try:
            with self._errors():
                self._prepare(migrations)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections of all threads. Nothing can be read or written afterwards."""
        with self._lock:
            self._is_closed = True
            connections = list(self._connections.values())
            self._connections.clear()
        for connection in connections:
            connection.close()

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """All rows of one SELECT."""
        with self._errors():
            return self._connection().execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> Any | None:
        with self._errors():
            return self._connection().execute(sql, values).fetchone()

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing. Reads inside see its own changes."""
        with self._errors():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite itself rolls back when the disk is full
                    connection.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        thread = threading.current_thread()
        with self._lock:
            if self._is_closed:
                raise LibraryError(f"The library {self.path} is closed. Open it again.")
            if thread not in self._connections:
                self._connections[thread] = self._connect()
                for ended in [t for t in self._connections if not t.is_alive() and t is not thread]:
                    self._connections.pop(ended).close()
            return self._connections[thread]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -32000")
        return connection

    def _check_file(self, create: bool) -> None:
        try:
            if self.path.is_dir():
                raise LibraryError(f"{self.path} is a folder. Name a file for the library.")
            if not self.path.exists():
                if not create:
                    raise LibraryError(
                        f"There is no library at {self.path}. Index a folder of music first."
                    )
                self.path.parent.mkdir(parents=True, exist_ok=True)
                return
            with self.path.open("rb") as file:
                header = file.read(len(_SQLITE_HEADER))
        except OSError as error:
            raise LibraryError(
                f"The library {self.path} cannot be opened: {error.strerror}. "
                "Check that you may read and write it."
            ) from error
        if header and header != _SQLITE_HEADER:
            raise LibraryCorruptError(
                f"{self.path} is not a library of Singalike. Name another file."
            )

    def _prepare(self, migrations: tuple[Migration, ...]) -> None:
        connection = self._connection()
        version = version_of(connection)
        if version < 0:
            raise LibraryCorruptError(
                f"{self.path} is a database of another program. Name another file for the library."
            )
        if version > len(migrations):
            raise LibraryNewerError(
                f"The library {self.path} was written by a newer version of Singalike "
                f"(schema {version}; this one knows {len(migrations)}). Update Singalike."
            )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # no shared memory on this file system
            connection.execute("PRAGMA journal_mode = DELETE")
        if version < len(migrations):
            if version > 0:
                self._back_up(connection, version)
            migrate(connection, migrations)

    def _back_up(self, connection: sqlite3.Connection, version: int) -> None:
        """A copy as it was before a migration; one per version, the latest attempt wins."""
        target = self.path.with_name(f"{self.path.name}.v{version}.backup")
        with contextlib.closing(sqlite3.connect(target)) as copy:
            connection.backup(copy)

    def _corrupt(self) -> LibraryCorruptError:
        return LibraryCorruptError(
            f"The library {self.path} is damaged. Restore a backup of it, or move it away and "
            "index your folders again."
        )

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._in_words(error) from error

    def _in_words(self, error: sqlite3.Error) -> LibraryError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self._corrupt()
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return LibraryLockedError(
                f"The library {self.path} is in use by another program. Close it, then try again."
            )
        if code == sqlite3.SQLITE_FULL:
            return LibraryError(
                f"The disk with the library {self.path} is full. Make room, then start again; "
                "what was finished is kept."
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return LibraryError(
                f"The library {self.path} cannot be written. Check that you may write to the file "
                "and to its folder."
            )
        return LibraryError(f"The library {self.path} cannot be used: {error}.")
