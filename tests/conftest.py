"""For all tests: no display is needed, nobody's own files are touched, no thread is left behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator

import hypothesis
import pytest
from support.patience import PATIENCE_S, PatientBot

# The same examples in every run: what failed once fails again, and CI is no lottery.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Faults are provoked by Linux's means.
collect_ignore = [] if sys.platform == "linux" else ["faults"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked as Linux's runs there only."""
    for item in items:
        if sys.platform != "linux" and item.get_closest_marker("linux"):
            item.add_marker(pytest.mark.skip(reason="needs Linux"))


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Library, settings and downloads of tests go to a home of their own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for kind in ("DATA", "CONFIG", "CACHE", "STATE"):
            patch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
        yield


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Work that goes on after its test would disturb the next one."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + PATIENCE_S
    while leaked := [t for t in threading.enumerate() if t not in before and not t.daemon]:
        assert time.monotonic() < deadline, f"threads left behind: {leaked}"
        time.sleep(0.01)


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> PatientBot:
    """In place of pytest-qt's: a busy machine is no failure."""
    return PatientBot(request)
