"""Music that goes away, comes back or grows while it is looked at."""

from __future__ import annotations

import shutil
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.drives import can_mount, mount, unmount
from faults.effort import IS_LONG
from faults.forkserver import ForkServer
from faults.music import write_song
from faults.snapshot import contents, flaws

from engine.library import Library, TrackStatus
from engine.library.scan.scan import scan
from engine.progress import Progress


def rename(music: Path, away: Path) -> None:
    music.rename(away)


def empty(music: Path, away: Path) -> None:
    """The folder stays, as the place does at which a drive was."""
    shutil.copytree(music, away)
    for path in music.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def unplug(music: Path, away: Path) -> None:
    shutil.copytree(music, away)
    unmount(music)


def bring_back(music: Path, away: Path) -> None:
    if not music.exists():
        away.rename(music)
    else:
        shutil.copytree(away, music, dirs_exist_ok=True)


@pytest.mark.parametrize("number", [1, 5, 12, 14, 17] if IS_LONG else [14])
@pytest.mark.parametrize("take_away", [rename, empty, *([unplug] if can_mount() else [])])
def test_a_folder_that_goes_away_while_it_is_scanned(
    processes: ForkServer,
    indexed: Path,
    tmp_path: Path,
    take_away: Callable[[Path, Path], None],
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    tally: Counter[str],
) -> None:
    """While files are looked for, or changed and new ones are read: none counts as missing."""
    monkeypatch.setattr(sys.modules["engine.library.scan.scan"], "_REPORT_EVERY", 1)
    music, away = tmp_path / "Album", tmp_path / "away"
    music.mkdir()
    if take_away is unplug:
        mount(music, size_bytes=8_000_000)
    shutil.copytree(indexed / "Music" / "Album", music, dirs_exist_ok=True)
    path = tmp_path / "library.db"
    assert processes.run("index", path, music).code == 0
    write_song(music / "Singer 1" / "04 Song.flac", 777, seconds=1.5)
    write_song(music / "New" / "1.wav", 850)
    write_song(music / "New" / "2.wav", 950)
    reports = []

    def on_report(report: Progress) -> None:
        reports.append(report)
        if len(reports) == number:
            take_away(music, away)

    with Library.open(path) as library:
        before = {t.id: t.status for t in library.tracks(library.track_ids())}
        summary = scan(library, [music], progress=on_report)
        after = {t.id: t.status for t in library.tracks(library.track_ids())}
        assert len(reports) >= number
        assert summary.missing == 0
        assert any("its tracks are kept" in skipped.reason for skipped in summary.skipped)
        assert TrackStatus.MISSING not in after.values()
        assert before.keys() <= after.keys()
    bring_back(music, away)
    again, fresh = tmp_path / "library.db", tmp_path / "fresh.db"
    for one in (again, fresh):
        assert processes.run("index", one, music).code == 0
    if take_away is unplug:
        shutil.rmtree(music, ignore_errors=True)
    assert contents(again) == contents(fresh)
    assert flaws(again) == []
    tally["folders that went away"] += 1


def test_a_file_that_grows_while_it_is_read(
    processes: ForkServer, indexed: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    """A download: what is there of it is heard or fails, and the whole of it the next time."""
    music = Path(shutil.copytree(indexed / "Music" / "Album", tmp_path / "Album"))
    whole = write_song(tmp_path / "whole.flac", 600, seconds=30).read_bytes()
    growing = music / "growing.flac"
    growing.write_bytes(whole[:2000])
    is_over = threading.Event()

    def download() -> None:
        size = len(whole) // 100
        with growing.open("ab") as file:
            for start in range(2000, len(whole), size):
                file.write(whole[start : start + size])
                file.flush()
                is_over.wait(0.01)

    thread = threading.Thread(target=download)
    thread.start()
    path, fresh = tmp_path / "library.db", tmp_path / "fresh.db"
    try:
        first = processes.run("cli", "index", music, "--library", path)
    finally:
        is_over.set()
        thread.join()
    assert first.code == 3, first.err  # the letter is no song
    assert "Traceback" not in first.err
    assert growing.read_bytes() == whole
    for one in (path, fresh):
        assert processes.run("index", one, music).code == 0
    assert contents(path) == contents(fresh)
    assert flaws(path) == []
    tally["files that grew"] += 1
