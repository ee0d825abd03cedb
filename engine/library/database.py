"""The SQLite file under a library: connections, transactions, and errors put into sentences."""

from __future__ import annotations

import contextlib
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
from engine.library.migrations import STEPS, Step, upgrade, version_of
from engine.library.network_drives import is_on_network
from engine.library.tables import tables, transaction

BUSY_TIMEOUT_S = 15.0
MAX_EMPTY_SHARE = 0.25  # of a file; beyond it the room is given back to the drive
T = TypeVar("T")
Values = Sequence[Any] | dict[str, Any]
_SQLITE_HEADER = b"SQLite format 3\0"

_SENTENCES: tuple[tuple[tuple[int, ...], type[LibraryError], str], ...] = (
    (
        (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
        LibraryCorruptError,
        "The library {path} is damaged. `singalike repair` saves what can be saved, and keeps the "
        "damaged file beside it.",
    ),
    (
        (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
        LibraryLockedError,
        "The library {path} is in use by another program. Close it, then try again.",
    ),
    (
        (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
        LibraryError,
        "The library {path} cannot be written. Check that you may write to the file and to its "
        "folder.",
    ),
    (
        (sqlite3.SQLITE_FULL,),
        LibraryError,
        "The disk with the library {path} is full. Make room, then start again; what was finished "
        "is kept.",
    ),
    (
        (sqlite3.SQLITE_IOERR,),
        LibraryError,
        "The drive with the library {path} fails: {error}. Check that it is plugged in and has "
        "room, then start again; what was finished is kept.",
    ),
    (
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,),
        LibraryError,
        "Another program changed the library {path} at the same moment. Try again.",
    ),
)


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
        steps: to the schema; an argument so that tests can age a library.

    Raises LibraryError or one of its kinds: every public method does.
    """

    def __init__(self, path: Path, *, create: bool = True, steps: tuple[Step, ...] = STEPS) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._sessions: dict[threading.Thread, _Session] = {}
        self._is_closed = False
        _check_file(path, create)
        try:
            with self.read() as connection:
                self._prepare(connection, steps)
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

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection of this thread, with SQLite's errors put into words."""
        try:
            session = self._session()
            with session.in_use:
                if self._is_closed:
                    raise self._closed()
                yield session.connection
        except sqlite3.Error as error:
            raise self._in_words(error) from error

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing. Reads inside see its own changes."""
        with self.read() as connection, transaction(connection):
            yield connection

    def rows(self, sql: str, values: Values = ()) -> list[Any]:
        """All rows of one SELECT."""
        with self.read() as connection:
            return connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Values = ()) -> Any | None:
        with self.read() as connection:
            return connection.execute(sql, values).fetchone()

    def remembered(self, key: Hashable, read: Callable[[], T]) -> T:
        """What ``read`` gives; in each thread read anew only when the library has changed."""
        with self.read() as connection:
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

    def back_up(self, target: Path) -> None:
        """A copy of the library as it is now; it appears whole or not at all, in place of another.

        The caller sees to it that nobody else makes the same backup. What is written by others
        meanwhile is in it or not, but never in part.
        """
        draft = target.with_name(f".{target.name}.tmp")
        try:
            draft.unlink(missing_ok=True)  # of a process that was killed
            # by a connection of its own: this thread's may be in a transaction that waits for this
            with (
                self.read(),
                contextlib.closing(self._connect()) as source,
                contextlib.closing(sqlite3.connect(draft)) as copy,
            ):
                copy.execute("PRAGMA journal_mode = OFF")  # the draft is dropped if it goes wrong
                source.backup(copy)
            draft.replace(target)
        except OSError as error:
            raise LibraryError(
                f"No backup can be made at {target}: {error.strerror}. Make room, and check that "
                "you may write to the folder."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def shrink(self) -> None:
        """Give the room of what was forgotten back to the drive, where it is worth while.

        The file is written anew for it. Left undone where the drive has no room for that, or
        another program writes: the room serves for what is heard next.
        """
        ((num_pages, num_empty),) = self.rows(
            "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count"
        )
        if num_empty > MAX_EMPTY_SHARE * num_pages:
            with contextlib.suppress(LibraryError), self.read() as connection:
                tables(connection).vacuum()

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
        except sqlite3.Error:  # a damaged file: held open, it could not be repaired
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, steps: tuple[Step, ...]) -> None:
        version = version_of(connection)
        if version < 0:
            raise LibraryCorruptError(
                f"{self.path} is a database of another program. Name another file for the library."
            )
        if version > len(steps):
            raise LibraryNewerError(
                f"The library {self.path} was written by a newer version of Singalike "
                f"(schema {version}; this one knows {len(steps)}). Update Singalike."
            )
        self._choose_journal(connection)
        if version < len(steps):
            upgrade(connection, steps, self._back_up_version)

    def _back_up_version(self, version: int) -> None:
        """One backup per version: the latest attempt to leave it wins."""
        self.back_up(self.path.with_name(f"{self.path.name}.v{version}.backup"))

    def _choose_journal(self, connection: sqlite3.Connection) -> None:
        """WAL, but not where several machines may write, or where there is no shared memory."""
        if not is_on_network(self.path):
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = WAL")
                return
        connection.execute("PRAGMA journal_mode = DELETE")

    def _closed(self) -> LibraryError:
        return LibraryError(f"The library {self.path} is closed. Open it again.")

    def _in_words(self, error: sqlite3.Error) -> LibraryError:
        if self._is_closed:  # by another thread, in the middle of this one's work
            return self._closed()
        code = getattr(error, "sqlite_errorcode", 0)
        for codes, kind, sentence in _SENTENCES:
            if code in codes or code & 0xFF in codes:  # of one error, or of its family
                return kind(sentence.format(path=self.path, error=error))
        return LibraryError(f"The library {self.path} cannot be used: {error}.")


def _check_file(path: Path, create: bool) -> None:
    """Whatever SQLite would wait for, or take for an empty library, is refused here."""
    try:
        if path.is_dir():
            raise LibraryError(f"{path} is a folder. Name a file for the library.")
        if not path.exists():
            if not create:
                raise LibraryError(f"There is no library at {path}. Index a folder of music first.")
            path.parent.mkdir(parents=True, exist_ok=True)
            return
        if not path.is_file():  # opening a pipe would wait for somebody to write into it
            raise LibraryError(f"{path} is no file. Name a file for the library.")
        with path.open("rb") as file:
            header = file.read(len(_SQLITE_HEADER))
    except OSError as error:
        raise LibraryError(
            f"The library {path} cannot be opened: {error.strerror}. "
            "Check that you may read and write it."
        ) from error
    if header and header != _SQLITE_HEADER:
        raise LibraryCorruptError(f"{path} is not a library of Singalike. Name another file.")
