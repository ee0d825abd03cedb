"""Several at once, and clocks that go wrong: whoever comes second is told, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.effort import IS_LONG
from faults.forkserver import ForkServer, Moment
from faults.snapshot import contents, flaws

from engine.errors import LibraryError, LibraryLockedError
from engine.library import Library, TrackStatus
from engine.library.indexes import index_of, index_pieces, put_index
from engine.search import Searcher, SearchOptions

DAY_S = 86_400


@pytest.fixture
def music(changed: Path) -> Path:
    return changed / "Music" / "Album"


@pytest.fixture
def behind(changed: Path, tmp_path: Path) -> Path:
    """A library whose music has changed since it was heard."""
    return Path(shutil.copy(changed / "library.db", tmp_path / "library.db"))


def test_two_indexers_at_once(
    processes: ForkServer, behind: Path, music: Path, up_to_date: Path, tally: Counter[str]
) -> None:
    """One of them does all the work; the other one is told, or comes when it is done."""
    for _ in range(10 if IS_LONG else 1):
        both = processes.run("index_at_once", behind, music)
        assert both.out in ("0 1\n", "0 0\n"), both.err
        if both.out == "0 1\n":
            assert "is indexing into this library. Wait until it has finished" in both.err
        assert "Traceback" not in both.err
        assert contents(behind) == contents(up_to_date)
        assert flaws(behind) == []
        tally["two indexers at once"] += 1


def test_the_window_and_the_command_line_at_once(
    processes: ForkServer, behind: Path, music: Path, up_to_date: Path, tally: Counter[str]
) -> None:
    """The library is searched, listed and written to all the while, as the window does."""
    is_over = threading.Event()
    problems: list[Exception] = []
    num_answers = 0

    def be_a_window() -> None:
        nonlocal num_answers
        try:
            with Library.open(behind) as library:
                searcher = Searcher(library)
                while not is_over.is_set() or not num_answers:
                    library.counts()
                    library.track_ids("song", sort="title")
                    [track_id, *_] = library.track_ids(status=TrackStatus.INDEXED)
                    searcher.by_track(track_id, SearchOptions("overall", k=5))
                    library.clear_failure([track_id])
                    num_answers += 1
        except Exception as error:  # told below, in the test's own thread
            problems.append(error)

    window = threading.Thread(target=be_a_window)
    window.start()
    try:
        done = processes.run("cli", "index", music, "--library", behind)
        checked = processes.run("cli", "verify", "--library", behind)
    finally:
        is_over.set()
        window.join()
    assert not problems
    assert (done.code, checked.code) == (0, 0), done.err + checked.out
    assert contents(behind) == contents(up_to_date)
    tally["window and command line at once"] += 1


def test_a_window_that_is_open_outlives_a_repair(
    processes: ForkServer, library_path: Path, tally: Counter[str]
) -> None:
    with Library.open(library_path) as library:
        with library.database.write() as db:
            db.execute("UPDATE track SET state = 'new' WHERE id = 5")
        done = processes.run("cli", "repair", "--library", library_path)
        assert done.code == 0, done.err
        assert library.track(5).status is TrackStatus.INDEXED
        with library.lease():
            busy = processes.run("cli", "index", "--library", library_path)
            assert busy.code == 1
            assert "is indexing into this library" in busy.err
    tally["window and command line at once"] += 1


def test_two_who_save_an_index_at_once(library_path: Path) -> None:
    """The window builds an index anew while the command line does: one of them is to try again."""
    with Library.open(library_path) as library:
        found = index_of(library.database, 1)
        assert found is not None

        def chunks(num_more: int) -> Iterator[bytes]:
            yield b"one half"
            if num_more:
                put_index(library.database, found[1], chunks(num_more - 1))
            yield b"the other half"

        with pytest.raises(LibraryError, match="at the same moment"):
            put_index(library.database, found[1], chunks(1))
        kept = index_of(library.database, 1)
        assert kept is not None
        assert list(index_pieces(library.database, kept[0])) == [b"one half", b"the other half"]


@pytest.mark.parametrize("offset_s", [-400 * DAY_S, DAY_S], ids=["behind", "ahead"])
def test_a_clock_that_was_wrong_while_an_indexer_was_killed(
    processes: ForkServer,
    behind: Path,
    music: Path,
    up_to_date: Path,
    offset_s: int,
    tally: Counter[str],
) -> None:
    """What it left in the library is from the past or the future, and holds nobody up."""
    index = ("index", music, "--library", behind)
    killed = processes.run("cli_at", offset_s, *index, kill=Moment(150, 0))
    assert killed.is_killed
    with Library.open(behind) as library:
        [(heartbeat_s,)] = library.database.rows("SELECT heartbeat_s FROM lease")
    assert abs(heartbeat_s - time.time() - offset_s) < DAY_S / 2
    done = processes.run("cli", *index)
    assert done.code == 0, done.err
    assert contents(behind) == contents(up_to_date)
    tally["wrong clocks"] += 1


def test_a_heartbeat_from_the_future_of_another_machine(
    library_path: Path, tally: Counter[str]
) -> None:
    """Clocks of machines differ by minutes. By a day: that one was wrong, and is right now."""
    with Library.open(library_path) as library:
        for offset_s, holds in (
            (120, pytest.raises(LibraryLockedError, match="on elsewhere")),
            (DAY_S, contextlib.nullcontext()),
        ):
            with library.database.write() as db:
                db.execute(
                    "INSERT OR REPLACE INTO lease VALUES (1, 'x', 'elsewhere', 1, '', ?)",
                    (time.time() + offset_s,),
                )
            with holds, library.lease():
                pass
            tally["wrong clocks"] += 1


def test_an_ended_indexer_that_nobody_took_note_of(library_path: Path) -> None:
    """A zombie has its number still; in a container it may keep it for ever."""
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        with Library.open(library_path) as library:
            library.lease().__enter__()
            os.write(write, b".")
            time.sleep(60)
    try:
        os.read(read, 1)
        os.kill(pid, 9)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with Library.open(library_path) as library, library.lease():
            pass
    finally:
        os.waitpid(pid, 0)
        os.close(read)
        os.close(write)
