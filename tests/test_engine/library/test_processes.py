"""What killed processes left in the temporary folder goes with whatever starts next."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.library import Library
from engine.library.processes import clear_leftovers, temporary_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets and processes of POSIX")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of this test alone, short enough for the name of a socket."""
    with tempfile.TemporaryDirectory(prefix="t") as own:
        monkeypatch.setattr(tempfile, "tempdir", own)
        yield Path(own)


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_opening_a_library_clears_what_the_dead_left(
    folder: Path, dead_pid: int, tmp_path: Path
) -> None:
    left = folder / f"singalike-{dead_pid}-abc"
    left.mkdir()
    (left / "index").write_bytes(b"graph")
    others = {folder / name for name in ("singalike-soak-abc", "singalike-1.txt", "other-1-abc")}
    for other in others:
        other.mkdir()
    with temporary_folder() as own:
        Library.open(tmp_path / "library.db").close()
        assert {*folder.iterdir()} == {*others, Path(own)}


def test_a_temporary_folder_that_is_not_there_is_no_hindrance(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    clear_leftovers()
