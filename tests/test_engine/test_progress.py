"""How much time is left."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine import progress as module
from engine.progress import Progress, with_eta


def test_the_time_left_follows_the_pace_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter((0, 0, 1, 10, 40, 100, 100))
    clock = SimpleNamespace(monotonic=lambda: float(next(seconds)))
    monkeypatch.setattr(module, "time", clock)
    told: list[Progress] = []
    progress = with_eta(told.append)
    progress(Progress("read", 10, 20))  # ten were done before
    progress(Progress("read", 11, 20))
    progress(Progress("read", 12, 20))
    progress(Progress("read", 20, 20))
    progress(Progress("listen", 1, 4, eta_s=7.0))
    assert [report.eta_s for report in told] == [None, None, 40.0, 0.0, 7.0]
