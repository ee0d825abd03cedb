"""Every schema that was ever released opens, with a backup before; a newer one is refused."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from faults.forkserver import ForkServer
from faults.snapshot import flaws, tables

from engine.library import Library
from engine.library.migrations import STEPS, version_of

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("library_v*.db"))


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(request.param, tmp_path / "library.db"))


def version(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return version_of(db)


def columns_of_then(rows: list[tuple[object, ...]], then: list[tuple[object, ...]]) -> list:
    """Rows without the columns that were added since."""
    return [row[: len(then[0])] for row in rows]


def test_there_is_a_library_of_every_schema() -> None:
    assert {version(path) for path in GOLDEN} == set(range(1, len(STEPS) + 1))


def test_an_old_library_is_upgraded_and_kept_as_it_was(released: Path, tmp_path: Path) -> None:
    before, old = tables(released), version(released)
    Library.open(released).close()
    after = tables(released)
    assert version(released) == len(STEPS)
    for table, rows in before.items():
        if table not in ("migration", "sqlite_sequence", "_sqlite_migrations"):
            assert columns_of_then(after[table], rows) == rows
    backup = released.with_name(f"library.db.v{old}.backup")
    if old < len(STEPS):
        assert tables(backup) == before
    else:
        assert not backup.exists()


def test_what_an_old_library_lacks_is_mended(released: Path, processes: ForkServer) -> None:
    """The index in there is no graph: told, built anew, and the copy before it is whole."""
    before = tables(released)
    done = processes.run("cli", "repair", "--library", released)
    assert done.code == 0, done.out + done.err
    assert flaws(released) == []
    after = tables(released)
    for table in ("track", "embedding"):
        assert columns_of_then(after[table], before[table]) == before[table]


def test_a_newer_library_is_refused_in_a_sentence(
    library_path: Path, processes: ForkServer
) -> None:
    with contextlib.closing(sqlite3.connect(library_path)) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    before = tables(library_path)
    for command in ("status", "verify", "repair", "similar"):
        done = processes.run("cli", command, "--library", library_path)
        assert (done.code, done.out) == (1, "")
        assert "newer version of Singalike" in done.err
        assert "Update Singalike." in done.err
    assert tables(library_path) == before
