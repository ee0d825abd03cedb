from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from engine.errors import LibraryError
from engine.library import Library, TrackStatus
from engine.library.database import Database
from engine.library.migrations import STEPS, Step, upgrade, version_of

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("library_v*.db"))


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(request.param, tmp_path / "library.db"))


def test_every_released_schema_opens_with_all_that_it_held(released: Path) -> None:
    with Library.open(released) as library:
        tracks = library.tracks([1, 2, 3, 4])
        assert [track.status for track in tracks] == [
            TrackStatus.INDEXED,
            TrackStatus.MISSING,
            TrackStatus.FAILED,
            TrackStatus.NEW,
        ]
        assert [track.has_vocals for track in tracks] == [True, False, None, None]
        assert tracks[0].path.parts[-2].encode("utf-8", "surrogateescape") == b"Bj\xf6rk"
        assert tracks[2].error == "It holds no audio."
        track_ids, vectors = library.embeddings(1)
        np.testing.assert_array_equal(track_ids, [1, 2])
        np.testing.assert_allclose(vectors, np.eye(4)[[1, 2]])
        moments = library.moments_of([1], 2).get(1)
        assert moments is not None
        np.testing.assert_array_equal(moments.codes, [[1, 2, 3], [4, 5, 6]])
        assert library.find("bjork hyperballad") == [2]
        assert library.pending(1) == [4]
        assert library.database.row("PRAGMA foreign_key_check") is None


def test_old_and_new_libraries_have_the_same_schema(released: Path, tmp_path: Path) -> None:
    schemas = []
    for path in (released, tmp_path / "new.db"):
        with Library.open(path) as library:
            schemas.append(set(library.database.rows("SELECT type, name, sql FROM sqlite_master")))
    assert schemas[0] == schemas[1]


def add_mood(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE track ADD COLUMN mood TEXT NOT NULL DEFAULT ''")


def add_mood_then_fail(connection: sqlite3.Connection) -> None:
    add_mood(connection)
    raise sqlite3.OperationalError("a migration with a fault")


def columns_and_version(path: Path) -> tuple[set[str], int]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return {row[1] for row in db.execute("PRAGMA table_info(track)")}, version_of(db)


def open_with(path: Path, *steps: Step) -> None:
    Database(path, steps=(*STEPS, *steps)).close()


def test_a_migration_backs_up_the_library_as_it_was(released: Path) -> None:
    open_with(released, add_mood)
    columns, version = columns_and_version(released)
    assert "mood" in columns
    assert version == len(STEPS) + 1
    (backup,) = released.parent.glob("*.backup")
    columns, version = columns_and_version(backup)
    assert "mood" not in columns
    assert version < len(STEPS) + 1
    backup.rename(released.with_name("restored.db"))
    with Library.open(released.with_name("restored.db")) as library:
        assert len(library.track_ids()) == 4


def test_a_new_library_needs_no_backup(tmp_path: Path) -> None:
    Library.open(tmp_path / "library.db").close()
    Library.open(tmp_path / "library.db").close()
    assert [path.name for path in tmp_path.iterdir()] == ["library.db"]


def test_a_failing_migration_leaves_nothing(released: Path) -> None:
    Library.open(released).close()
    with pytest.raises(LibraryError, match="a migration with a fault"):
        open_with(released, add_mood_then_fail)
    columns, version = columns_and_version(released)
    assert "mood" not in columns
    assert version == len(STEPS)
    open_with(released, add_mood)
    assert "mood" in columns_and_version(released)[0]


def test_each_step_is_recorded_once(released: Path) -> None:
    for _ in range(2):
        open_with(released, add_mood)
    with contextlib.closing(sqlite3.connect(released)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]
    assert names == [step.__name__ for step in (*STEPS, add_mood)]


def test_a_library_that_is_being_made_is_not_taken_for_anothers(tmp_path: Path) -> None:
    """Whenever its tables appear between two looks at it."""
    num_looks = 3
    for moment in range(num_looks + 1):
        path = tmp_path / f"{moment}.db"
        maker = sqlite3.connect(path, isolation_level=None)
        looks: list[str] = []

        def make(statement: str, maker=maker, looks=looks, moment=moment) -> None:
            if len(looks) == moment:
                upgrade(maker)
            looks.append(statement)

        looker = sqlite3.connect(path, isolation_level=None)
        looker.set_trace_callback(make)
        assert version_of(looker) in (0, len(STEPS))
        assert len(looks) in (2, num_looks)
        looker.close()
        maker.close()


def test_two_who_open_a_new_library_at_once_both_can(tmp_path: Path) -> None:
    errors: list[Exception] = []
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        try:
            Library.open(tmp_path / "library.db").close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
