"""Drives that are full, that fail, or that may not be written: a sentence, and nothing is lost."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.drives import can_mount, mount, unmount
from faults.effort import IS_LONG
from faults.forkserver import ForkServer, Outcome
from faults.snapshot import contents, flaws, tables

FREE_BYTES = (0, 20_000, 40_000, 60_000, 90_000) if IS_LONG else (40_000,)


class SmallDrive:
    """A drive of 2 MB, all of which but a little is taken while a command runs."""

    def __init__(self, folder: Path, processes: ForkServer) -> None:
        self.folder, self._processes = folder, processes

    def run(self, num_free: int, *arguments: object) -> Outcome:
        ballast = self.folder / "ballast"
        with ballast.open("wb") as file:
            file.write(bytes(max(0, shutil.disk_usage(self.folder).free - num_free)))
        try:
            return self._processes.run("cli", *arguments)
        finally:
            ballast.unlink()


class FailingDrive(SmallDrive):
    """A drive on which no file can grow beyond a size, which is an error of writing."""

    def run(self, num_free: int, *arguments: object) -> Outcome:
        largest = max(path.stat().st_size for path in self.folder.iterdir())
        return self._processes.run("cli_with_room", largest // 2 + num_free, *arguments)


@pytest.fixture(params=[FailingDrive, *([SmallDrive] if can_mount() else [])])
def drive(
    request: pytest.FixtureRequest, processes: ForkServer, tmp_path: Path
) -> Iterator[SmallDrive]:
    folder = tmp_path / "drive"
    folder.mkdir()
    if request.param is SmallDrive:
        mount(folder, size_bytes=2_000_000)
    yield request.param(folder, processes)
    if request.param is SmallDrive:
        unmount(folder)


def test_a_full_drive_stops_indexing_and_loses_nothing(
    drive: SmallDrive, changed: Path, up_to_date: Path, tally: Counter[str]
) -> None:
    for num_free in FREE_BYTES:
        path = Path(shutil.copy(changed / "library.db", drive.folder))
        music = changed / "Music" / "Album"
        done = drive.run(num_free, "index", music, "--library", path)
        assert done.code == 1, (num_free, done.err)
        assert "Traceback" not in done.err
        assert "start again; what was finished is kept." in done.err
        assert flaws(path) == []
        again = drive.run(1_500_000, "index", music, "--library", path)
        assert again.code == 0, again.err
        assert contents(path) == contents(up_to_date)
        tally["full drives"] += 1
        for left in drive.folder.iterdir():
            left.unlink()


def test_no_room_for_the_backup_leaves_an_old_library_as_it_is(
    drive: SmallDrive, golden_v1: Path, tally: Counter[str]
) -> None:
    path = Path(shutil.copy(golden_v1, drive.folder / "library.db"))
    before = tables(path)
    done = drive.run(8_000, "status", "--library", path)
    assert done.code == 1, done.out
    assert "Traceback" not in done.err
    assert "start again" in done.err or "Make room" in done.err
    assert tables(path) == before
    assert [file.name for file in drive.folder.iterdir()] == ["library.db"]
    done = drive.run(1_500_000, "status", "--library", path)
    assert done.code == 0, done.err
    tally["full drives"] += 1


def test_no_room_to_repair_leaves_the_damaged_library_as_it_is(
    drive: SmallDrive, large: Path, tally: Counter[str]
) -> None:
    path = Path(shutil.copy(large, drive.folder / "library.db"))
    content = bytearray(path.read_bytes())
    content[200_000:204_096] = bytes(4096)
    path.write_bytes(content)
    done = drive.run(8_000, "repair", "--library", path)
    assert done.code == 1, done.out
    assert "Traceback" not in done.err
    assert "room" in done.err
    assert path.read_bytes() == content
    assert {file.name for file in drive.folder.iterdir()} <= {
        "library.db", "library.db-wal", "library.db-shm",
    }  # fmt: skip
    tally["full drives"] += 1


def test_a_library_that_may_not_be_written(
    processes: ForkServer, changed: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    """In a folder that may not be written either, as on a read-only share."""
    (folder := tmp_path / "share").mkdir()
    path = Path(shutil.copy(changed / "library.db", folder))
    before = path.read_bytes()
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        for command in (["index", changed / "Music"], ["retry"], ["forget", changed / "Music"]):
            done = processes.run("cli_without_privileges", *command, "--library", path)
            assert (done.code, done.out) == (1, "")
            assert "cannot be written. Check that you may write to the file" in done.err
    finally:
        folder.chmod(0o755)
    assert path.read_bytes() == before
    tally["read-only libraries"] += 1


def test_music_that_may_not_be_written_or_read(
    processes: ForkServer, indexed: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    """Nothing is written to it. What may not be read fails, and is heard once it may be."""
    music = Path(shutil.copytree(indexed / "Music" / "Album", tmp_path / "Album"))
    secret = music / "Singer 0" / "00 Song.wav"
    for path in (*music.rglob("*"), music):
        path.chmod(0o555 if path.is_dir() else 0o444)
    secret.chmod(0)
    before = {path: path.lstat() for path in music.rglob("*")}
    library = tmp_path / "library.db"
    index = ("index", music, "--library", library)
    done = processes.run("cli_without_privileges", *index)
    assert done.code == 3, done.err
    failed = processes.run("cli", "failed", "--library", library).out
    assert f"{secret}\n    The file may not be read. Change its permissions" in failed
    after = {path: path.lstat() for path in music.rglob("*")}
    assert {p: (s.st_size, s.st_mtime_ns) for p, s in after.items()} == {
        p: (s.st_size, s.st_mtime_ns) for p, s in before.items()
    }
    secret.chmod(0o444)
    processes.run("cli_without_privileges", "retry", "--library", library)
    assert str(secret) not in processes.run("cli", "failed", "--library", library).out
    tally["read-only music"] += 1
