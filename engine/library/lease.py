"""One indexer at a time: a row with a heartbeat, held by a live process."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from pathlib import Path

from engine.errors import LibraryError, LibraryLockedError
from engine.library.database import Database
from engine.library.processes import is_running
from engine.library.tables import tables

HEARTBEAT_S = 10.0
STALE_AFTER_S = 60.0
MAX_CLOCK_SKEW_S = 3600.0  # between machines; a heartbeat from later than that is a wrong clock's


class Lease:
    """The right to index into a library, for as long as the ``with`` block lasts.

    Entering raises LibraryLockedError while another live holder has it. A holder whose process is
    gone, or that has not been heard of for a minute, is dead and is replaced.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._token = secrets.token_hex(8)
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="library-lease", daemon=True)

    def __enter__(self) -> Lease:
        with self._database.write() as connection:
            held = connection.execute(
                "SELECT host, pid, process_start, heartbeat_s FROM lease"
            ).fetchone()
            if held is not None and _is_alive(*held):
                raise LibraryLockedError(
                    f"Singalike (process {held[1]} on {held[0]}) is indexing into this library. "
                    "Wait until it has finished, or stop it, then try again."
                )
            row = {
                "id": 1,
                "token": self._token,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "process_start": _start_of(os.getpid()),
                "heartbeat_s": time.time(),
            }
            tables(connection).table("lease").upsert(row, pk="id")
        self._heart.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._ended.set()
        self._heart.join()
        try:
            with self._database.write() as connection:
                connection.execute("DELETE FROM lease WHERE token = ?", (self._token,))
        except LibraryError:
            if kind is None:  # else the first error is the one to tell; this process will be dead
                raise

    def check(self) -> None:
        """Raise LibraryLockedError where the lease was lost, as after a long sleep."""
        if self._lost.is_set():
            raise LibraryLockedError(
                "Another Singalike has taken over the indexing of this library. Wait until it has "
                "finished, then try again."
            )

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            try:
                with self._database.write() as connection:
                    cursor = connection.execute(
                        "UPDATE lease SET heartbeat_s = ? WHERE token = ?",
                        (time.time(), self._token),
                    )
            except LibraryError:
                continue  # busy or full for a moment: the next beat tells
            if cursor.rowcount == 0:
                self._lost.set()
                return


def _is_alive(host: str, pid: int, process_start: str, heartbeat_s: float) -> bool:
    age_s = time.time() - heartbeat_s
    if age_s > STALE_AFTER_S:
        return False
    if host != socket.gethostname():
        return age_s > -MAX_CLOCK_SKEW_S
    return is_running(pid) and _start_of(pid) == process_start


def _start_of(pid: int) -> str:
    """When a process began, where the system tells: its number alone may have been given anew.

    "" for one that has ended and that its parent has not taken note of.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except (OSError, IndexError):
        return ""
