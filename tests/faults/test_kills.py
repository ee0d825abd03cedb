"""``kill -9`` at random moments: nothing breaks, nothing is half done, and the next run goes on.

Half of the moments are points of time, half are statements of SQL with a fraction of a millisecond
after them, which is when files are written. What is drawn depends on the seed alone.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest
from faults import jobs
from faults.effort import NUM_KILLS
from faults.forkserver import ForkServer, Moment, Outcome
from faults.snapshot import contents, flaws, integrity, tables

from engine.library import Library
from engine.library.indexes import index_of
from engine.library.migrations import STEPS, version_of
from engine.search.index import graph

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("library_v*.db"))
OLD = [path for path in GOLDEN if int(path.stem.removeprefix("library_v")) < len(STEPS)]
NUM_KINDS = 4
MAX_LATE_SHARE = 4  # moments that are drawn for each kill: some come after the end
STATEMENT_DELAY_S = 4e-4  # on average, between a statement's beginning and the kill


def moments(seed: int, undisturbed: Outcome) -> Iterator[Moment]:
    random = np.random.default_rng(seed)
    while True:
        if random.random() < 0.5:
            yield Moment(0, random.uniform(0, undisturbed.seconds))
        else:
            number = int(random.integers(1, undisturbed.num_statements + 1))
            yield Moment(number, random.exponential(STATEMENT_DELAY_S))


def kill_often(
    processes: ForkServer,
    seed: int,
    num_kills: int,
    prepare: Callable[[], Path],
    job: str,
    arguments: tuple[object, ...],
    check: Callable[[Path], None],
) -> None:
    """Kill a job at many moments, each time with a fresh library, and check what it leaves.

    What goes wrong is reported with the seed and the moment.
    """
    undisturbed = processes.run(job, prepare(), *arguments)
    assert undisturbed.code == 0, undisturbed.err
    num_done = 0
    for moment in islice(moments(seed, undisturbed), MAX_LATE_SHARE * num_kills):
        path = prepare()
        outcome = processes.run(job, path, *arguments, kill=moment)
        try:
            if outcome.is_killed:
                check(path)
                num_done += 1
            else:
                assert outcome.code == 0, outcome.err
        except BaseException as error:
            error.add_note(f"{job}, seed {seed}, killed at {moment}, kept at {path}")
            raise
        if num_done == num_kills:
            return
    raise AssertionError(f"{job}, seed {seed}: most moments came after the end")


def copies_of(source: Path, folder: Path) -> Callable[[], Path]:
    """Makes a fresh copy of a library in a folder of its own, as often as it is called."""
    numbers = count()

    def copy() -> Path:
        place = folder / str(next(numbers))
        place.mkdir(parents=True)
        return Path(shutil.copy(source, place / "library.db"))

    return copy


def test_killed_while_indexing(
    processes: ForkServer,
    changed: Path,
    up_to_date: Path,
    tmp_path: Path,
    tally: Counter[str],
) -> None:
    """A scan that finds moved, changed, new and lost files, both views, and saving the indexes."""
    prepare = copies_of(changed / "library.db", tmp_path)
    music = changed / "Music" / "Album"
    expected = contents(up_to_date)
    assert expected != contents(changed / "library.db")

    def check(path: Path) -> None:
        assert flaws(path) == []
        again = processes.run("index", path, music)
        assert again.code == 0, again.err
        assert contents(path) == expected
        with Library.open(path) as library:
            assert not any(graph.refresh(library, space_id) for space_id, _ in library.spaces())
        assert flaws(path) == []
        tally["kills while indexing"] += 1

    num_kills = NUM_KILLS - (NUM_KINDS - 1) * (NUM_KILLS // NUM_KINDS)
    kill_often(processes, 1, num_kills, prepare, "index", (music,), check)


def test_killed_while_building_an_index(
    processes: ForkServer, large: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    prepare = copies_of(large, tmp_path)
    undisturbed = prepare()
    records = [stored_index(undisturbed)]
    assert processes.run("build", undisturbed).code == 0
    records.append(stored_index(undisturbed))
    before = tables(large)

    def check(path: Path) -> None:
        assert flaws(path) == []
        assert stored_index(path) in records  # the earlier one serves until the new one is whole
        assert tables(path)["embedding"] == before["embedding"]
        assert processes.run("build", path).code == 0
        assert stored_index(path) == records[-1]
        assert flaws(path) == []
        assert [
            *processes.temporary.glob("singalike-*")
        ] == []  # what the killed one left is cleared away
        tally["kills while building an index"] += 1

    kill_often(processes, 2, NUM_KILLS // NUM_KINDS, prepare, "build", (), check)


def stored_index(path: Path) -> object:
    """What the index says of itself, bytes and all: the same vectors give the same graph."""
    with Library.open(path) as library:
        found = index_of(library.database, 1)
        graph.load(library, 1)
    assert found is not None
    return found[1]


@pytest.fixture(params=OLD, ids=lambda path: path.stem)
def aged(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A library of an older schema that is large enough to be killed in the middle of things."""
    path = Path(shutil.copy(request.param, tmp_path / "aged.db"))
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        names = [row[1] for row in db.execute("PRAGMA table_info(track)")]
        template = db.execute("SELECT * FROM track WHERE id = 1").fetchone()
        for number in range(2000):
            changes = {"id": None, "rel_path": b"more/%05d.mp3" % number}
            row = {**dict(zip(names, template, strict=True)), **changes, "state": "new"}
            db.execute(f"INSERT INTO track VALUES ({', '.join('?' * len(row))})", [*row.values()])
    return path


def version(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return version_of(db)


def test_killed_while_migrating(
    processes: ForkServer, aged: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    prepare = copies_of(aged, tmp_path)
    undisturbed = prepare()
    assert processes.run("migrate", undisturbed).code == 0
    before, after = tables(aged), tables(undisturbed)
    old = version(aged)

    def check(path: Path) -> None:
        assert not integrity(path)
        for backup in path.parent.glob("*.backup"):  # whole, or not there at all
            assert not integrity(backup)
        if version(path) > old:
            (backup,) = path.parent.glob(f"*.v{old}.backup")
            assert tables(backup) == before
        assert processes.run("migrate", path).code == 0
        assert tables(path) == after
        assert not list(path.parent.glob(".*.tmp"))
        tally["kills while migrating"] += 1

    num_kills = max(1, NUM_KILLS // NUM_KINDS // len(OLD))
    kill_often(processes, 3, num_kills, prepare, "migrate", (), check)


def test_killed_while_saving(
    processes: ForkServer, indexed: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    """A map, merged folders, failures to retry, an export, choices, forgotten things."""
    prepare = copies_of(indexed / "library.db", tmp_path)
    music = indexed / "Music" / "Album"
    states, files = [], {}
    path = prepare()
    for step in range(jobs.NUM_STEPS):
        states.append(tables(path))
        outcome = processes.run("save", path, music, step, step + 1)
        assert outcome.code == 0, outcome.err
        files |= {p.name: p.read_bytes() for p in path.parent.iterdir() if p.suffix != ".db"}
    states.append(tables(path))
    assert files.keys() == {"list.m3u8", "choices.json"}

    def check(path: Path) -> None:
        assert flaws(path) == []
        assert tables(path) in states
        for file in path.parent.iterdir():
            if file.name in files:
                assert file.read_bytes() == files[file.name]
        first = states.index(tables(path))
        again = processes.run("save", path, music, first, jobs.NUM_STEPS)
        assert again.code == 0, again.err
        assert tables(path) == states[-1]
        tally["kills while saving"] += 1

    steps = (music, 0, jobs.NUM_STEPS)
    kill_often(processes, 4, NUM_KILLS // NUM_KINDS, prepare, "save", steps, check)
