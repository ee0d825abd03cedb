"""The SQLite file under a library: connections, transactions, and errors put into sentences."""

from __future__ import annotations

import contextlib
import glob
import os
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from engine.errors import (
    LibraryCorruptError,
    LibraryError,
    LibraryLockedError,
    LibraryNewerError,
)
from engine.library.migrations import MIGRATIONS, Migration, migrate, version_of
from engine.library.network_drives import is_on_network
from engine.library.processes import is_running

BUSY_TIMEOUT_S = 15.0
T = TypeVar("T")
_SQLITE_HEADER = b"SQLite format 3\0"


@dataclass(frozen=True)
class _Session:
    """One thread's connection, and a lock that it holds while it uses it.

    ``known``: what ``Database.remembered`` keeps, and under None the state that it belongs to.
    """

    connection: sqlite3.Connection
    known: dict[Hashable, Any] = field(default_factory=dict)
    in_use: threading.RLock = field(default_factory=threading.RLock)


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
        self._sessions: dict[threading.Thread, _Session] = {}
        self._is_closed = False
        self._check_file(create)
        try:
            with self._connection() as connection:
                self._prepare(connection, migrations)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections of all threads; what they are at ends in a LibraryError.

        A transaction that was not finished leaves nothing.
        """
        with self._lock:
            self._is_closed = True
            sessions = list(self._sessions.values())
            self._sessions.clear()
        for session in sessions:
            if not session.in_use.acquire(blocking=False):
                session.connection.interrupt()
                session.in_use.acquire()  # a connection that is closed under a query is a crash
            with contextlib.suppress(sqlite3.Error):
                session.connection.execute("SELECT 1")  # else closing would be interrupted, too
            session.connection.close()
            session.in_use.release()

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """All rows of one SELECT."""
        with self._connection() as connection:
            return connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> Any | None:
        with self._connection() as connection:
            return connection.execute(sql, values).fetchone()

    def blob(self, table: str, column: str, row_id: int, num_bytes: int) -> Iterator[bytes]:
        """One value, so many bytes at a time; nothing where the row, or a blob in it, is not there.

        Names of tables and columns are always our own.
        """
        with self._connection() as connection:
            try:
                blob = connection.blobopen(table, column, row_id, readonly=True)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                    raise
                return
            with blob:
                while piece := blob.read(num_bytes):
                    yield piece

    def remembered(self, key: Hashable, read: Callable[[], T]) -> T:
        """What ``read`` gives; in each thread read anew only when the library has changed."""
        with self._connection() as connection:
            known = self._session().known
            # Both numbers belong to the connection: they tell of others' changes and of its own.
            state = connection.execute(
                "SELECT data_version, total_changes() FROM pragma_data_version"
            ).fetchone()
            if known.get(None) != state:
                known.clear()
                known[None] = state
            if key not in known:
                known[key] = read()
            return cast(T, known[key])

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing. Reads inside see its own changes."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite itself rolls back when the disk is full
                    connection.execute("ROLLBACK")
                raise

    def back_up(self, target: Path) -> None:
        """A copy of the library as it is now; it appears whole or not at all, in place of another.

        What is written by others meanwhile is in it or not, but never in part.
        """
        with self._connection() as connection:
            self._back_up(connection, target)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """The connection of this thread, with SQLite's errors put into words."""
        try:
            session = self._session()
            with session.in_use:
                if self._is_closed:
                    raise self._closed()
                yield session.connection
        except sqlite3.Error as error:
            raise self._in_words(error) from error

    def _session(self) -> _Session:
        thread = threading.current_thread()
        with self._lock:
            if self._is_closed:
                raise self._closed()
            if thread not in self._sessions:
                self._sessions[thread] = _Session(self._connect())
                for ended in [t for t in self._sessions if not t.is_alive() and t is not thread]:
                    self._sessions.pop(ended).connection.close()
            return self._sessions[thread]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA cache_size = -32000")
        except sqlite3.Error:  # a damaged file: held open, it could not be repaired
            connection.close()
            raise
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
            if not self.path.is_file():  # opening a pipe would wait for somebody to write into it
                raise LibraryError(f"{self.path} is no file. Name a file for the library.")
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

    def _prepare(self, connection: sqlite3.Connection, migrations: tuple[Migration, ...]) -> None:
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
        self._choose_journal(connection)
        if version < len(migrations):
            if version > 0:  # one per version: the latest attempt to leave it wins
                backup_path = self.path.with_name(f"{self.path.name}.v{version}.backup")
                self._back_up(connection, backup_path)
            migrate(connection, migrations)

    def _choose_journal(self, connection: sqlite3.Connection) -> None:
        """WAL, but not where several machines may write, or where there is no shared memory."""
        if not is_on_network(self.path):
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = WAL")
                return
        connection.execute("PRAGMA journal_mode = DELETE")

    def _back_up(self, connection: sqlite3.Connection, target: Path) -> None:
        maker = f"{threading.get_ident()}.{os.getpid()}"
        draft = target.with_name(f".{target.name}.{maker}.tmp")
        try:
            _remove_dead_drafts(target)
            with contextlib.closing(sqlite3.connect(draft)) as copy:
                copy.execute("PRAGMA journal_mode = OFF")  # the draft is dropped if it goes wrong
                connection.backup(copy)
            draft.replace(target)
        except OSError as error:
            raise LibraryError(
                f"No backup can be made at {target}: {error.strerror}. Make room, and check that "
                "you may write to the folder."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def _corrupt(self) -> LibraryCorruptError:
        return LibraryCorruptError(
            f"The library {self.path} is damaged. `singalike repair` saves what can be saved, and "
            "keeps the damaged file beside it."
        )

    def _closed(self) -> LibraryError:
        return LibraryError(f"The library {self.path} is closed. Open it again.")

    def _in_words(self, error: sqlite3.Error) -> LibraryError:
        if self._is_closed:  # by another thread, in the middle of this one's work
            return self._closed()
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
        if code == sqlite3.SQLITE_IOERR:
            return LibraryError(
                f"The drive with the library {self.path} fails: {error}. Check that it is plugged "
                "in and has room, then start again; what was finished is kept."
            )
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
            return LibraryError(
                f"Another program changed the library {self.path} at the same moment. Try again."
            )
        return LibraryError(f"The library {self.path} cannot be used: {error}.")


def _remove_dead_drafts(target: Path) -> None:
    """Of backups whose process was killed: each is as large as a library."""
    for draft in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        pid = draft.name.split(".")[-2]
        if pid.isdecimal() and not is_running(int(pid)):
            draft.unlink(missing_ok=True)
