"""For all tests of faults: processes to be killed, a library to be hurt, a count of both."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from faults.forkserver import ForkServer
from faults.music import change_album, write_album
from support.libraries import OVERALL, add_tracks, put_vectors

from engine.library import Library, Tags
from engine.search.index import graph

# Processes are forked and killed here; Windows has no such thing.
collect_ignore_glob = [] if hasattr(os, "fork") else ["test_*"]
_TALLY = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Counter()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tally = terminalreporter.config.stash[_TALLY]
    if tally:
        facts = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.items()))
        terminalreporter.write_line(f"faults: {facts}")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Counter[str]:
    """Counts what was done to libraries; told at the end of the run."""
    return request.config.stash[_TALLY]


@pytest.fixture(scope="session")
def processes(own_home: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    server = ForkServer(tmp_path_factory.mktemp("temporary"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def indexed(processes: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library (library.db) and the music that it has heard (Music/Album)."""
    return _indexed(processes, tmp_path_factory.mktemp("indexed"))


@pytest.fixture(scope="session")
def changed(processes: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but the music has changed since it was heard."""
    folder = _indexed(processes, tmp_path_factory.mktemp("changed"))
    change_album(folder / "Music" / "Album")
    return folder


@pytest.fixture(scope="session")
def up_to_date(
    processes: ForkServer, changed: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The library of ``changed`` after it was indexed with nothing in the way."""
    path = tmp_path_factory.mktemp("up to date") / "library.db"
    shutil.copy(changed / "library.db", path)
    outcome = processes.run("index", path, changed / "Music" / "Album")
    assert outcome.code == 0, outcome.err
    return path


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of hundreds of pages, with an index and as many vectors again not in it yet."""
    path = tmp_path_factory.mktemp("large") / "library.db"
    random = np.random.default_rng(0)
    with Library.open(path) as library:
        for _ in range(2):
            ids = add_tracks(
                library, path.parent, [Tags(f"Title {i}", "Artist") for i in range(600)]
            )
            put_vectors(library, OVERALL, {i: random.standard_normal(16) for i in ids})
            if library.counts().tracks == len(ids):
                graph.refresh(library, 1, num_threads=1)
    return path


@pytest.fixture
def golden_v1() -> Path:
    """A library of the first schema."""
    return Path(__file__).parent.parent / "golden" / "library_v1.db"


@pytest.fixture
def library_path(indexed: Path, tmp_path: Path) -> Path:
    """A copy of the indexed library, for one test to hurt."""
    return Path(shutil.copy(indexed / "library.db", tmp_path / "library.db"))


def _indexed(processes: ForkServer, folder: Path) -> Path:
    write_album(folder / "Music" / "Album")
    outcome = processes.run("index", folder / "library.db", folder / "Music" / "Album")
    assert outcome.code == 0, outcome.err
    return folder
