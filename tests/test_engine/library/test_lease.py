from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import LibraryLockedError
from engine.library import Library, lease


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


def take_over_from(library: Library, **columns: object) -> None:
    """Try to get the lease from a holder that is described by these columns."""
    holder = {
        "id": 1,
        "token": "other",
        "host": lease.socket.gethostname(),
        "pid": os.getpid(),
        "process_start": lease._start_of(os.getpid()),
        "heartbeat_s": time.time(),
        **columns,
    }
    with library.database.write() as db:
        db.execute(
            "INSERT OR REPLACE INTO lease VALUES"
            " (:id, :token, :host, :pid, :process_start, :heartbeat_s)",
            holder,
        )
    with library.lease():
        pass


def test_a_second_indexer_is_kept_out_until_the_first_has_finished(path: Path) -> None:
    with Library.open(path) as library, Library.open(path) as other:
        with library.lease():
            with pytest.raises(LibraryLockedError, match=f"process {os.getpid()}"), other.lease():
                pass
            with pytest.raises(LibraryLockedError), library.lease():
                pass
        with other.lease():
            pass


def test_the_lease_is_given_back_after_an_error(path: Path) -> None:
    with Library.open(path) as library:
        with pytest.raises(ZeroDivisionError), library.lease():
            _ = 1 / 0
        with library.lease():
            pass


def test_a_holder_whose_process_is_gone_is_replaced(path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with Library.open(path) as library:
        take_over_from(library, pid=ended.pid, process_start="")


def test_a_holder_whose_number_was_given_anew_is_replaced(path: Path) -> None:
    with Library.open(path) as library:
        take_over_from(library, process_start="long ago")


def test_a_holder_that_is_not_heard_of_is_replaced(path: Path) -> None:
    with Library.open(path) as library:
        take_over_from(library, heartbeat_s=time.time() - lease.STALE_AFTER_S - 1)
        take_over_from(library, host="elsewhere", heartbeat_s=0)


def test_a_live_holder_on_another_machine_is_respected(path: Path) -> None:
    with (
        Library.open(path) as library,
        pytest.raises(LibraryLockedError, match="on elsewhere"),
    ):
        take_over_from(library, host="elsewhere", pid=1)


def test_the_heart_beats_and_notices_a_takeover(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.01)
    with Library.open(path) as library, library.lease() as held:
        (first,) = library.database.row("SELECT heartbeat_s FROM lease") or ()
        deadline = time.monotonic() + 10
        while library.database.row("SELECT heartbeat_s FROM lease") == (first,):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        held.check()
        with library.database.write() as db:
            db.execute("UPDATE lease SET token = 'other'")
        assert held._lost.wait(10)
        with pytest.raises(LibraryLockedError, match="taken over"):
            held.check()
    with Library.open(path) as library:
        assert library.database.row("SELECT token FROM lease") == ("other",)
