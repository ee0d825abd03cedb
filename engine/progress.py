"""How long work tells what it has done, and how it is told to pause or stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from engine.errors import CancelledError

MIN_PACE_S = 2.0  # less of a stage says little about the rest of it


@dataclass(frozen=True)
class Progress:
    """One report of a running job.

    Attributes:
        stage: what is being done now, in a word: ``scan``, ``overall``, ``vocals``, ``index``, ...
        num_done: finished items (tracks, unless the job says otherwise).
        num_total: all items, or None while that is not known.
        audio_done_s, audio_total_s: the same in seconds of audio; 0 where audio plays no part.
        eta_s: estimated seconds to the end of the stage, or None while it cannot be told.
        message: the item at hand, as plain text.
    """

    stage: str
    num_done: int = 0
    num_total: int | None = None
    audio_done_s: float = 0.0
    audio_total_s: float = 0.0
    eta_s: float | None = None
    message: str = ""


ProgressCallback = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """For callers that want no reports."""


def with_eta(progress: ProgressCallback) -> ProgressCallback:
    """Adds the time left, by the pace of the stage so far, to reports that do not tell it.

    What a stage's first report says was done before, and is no part of the pace.
    """
    started_at, num_before, stage = 0.0, 0, ""

    def report(done: Progress) -> None:
        nonlocal started_at, num_before, stage
        if done.stage != stage:
            started_at, num_before, stage = time.monotonic(), done.num_done, done.stage
        num_new, elapsed_s = done.num_done - num_before, time.monotonic() - started_at
        if done.eta_s is None and done.num_total and num_new > 0 and elapsed_s > MIN_PACE_S:
            num_left = done.num_total - done.num_done
            done = replace(done, eta_s=elapsed_s / num_new * num_left)
        progress(done)

    return report


class CancelToken:
    """Shared between the one who runs a job and the one who may pause or stop it. Thread-safe."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._stops = list[Callable[[], object]]()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def is_paused(self) -> bool:
        return not self._running.is_set()

    def cancel(self) -> None:
        self._cancelled.set()
        self._running.set()  # a paused job must wake up to stop
        for stop in tuple(self._stops):
            stop()

    @contextmanager
    def calling(self, stop: Callable[[], object]) -> Iterator[None]:
        """``stop`` is called where ``cancel`` was or comes inside: for work that cannot look."""
        self._stops.append(stop)
        if self.is_cancelled:
            stop()
        try:
            yield
        finally:
            self._stops.remove(stop)

    def pause(self) -> None:
        if not self.is_cancelled:
            self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def check(self) -> None:
        """Called by the job between two pieces of work (at least twice a second).

        Blocks while paused. Raises CancelledError once cancelled.
        """
        self._running.wait()
        if self.is_cancelled:
            raise CancelledError
