"""Work off the UI thread: a job around a plain engine function, and the named pools that run it.

Create the job, connect to its signals, then start it: fast work could otherwise end before
anybody listens.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from functools import partial
from itertools import count
from typing import Any

from PySide6.QtCore import (
    QCoreApplication,
    QObject,
    QRunnable,
    Qt,
    QThreadPool,
    Signal,
    SignalInstance,
    Slot,
)

from engine.errors import CancelledError, SingalikeError
from engine.progress import CancelToken, Progress, ProgressCallback

log = logging.getLogger(__name__)

PROGRESS_INTERVAL_S = 0.05
LONG_S = 1.0  # after such work there is memory to be given back
CLOSE_TIMEOUT_MS = 5000

Work = Callable[[ProgressCallback, CancelToken], Any]
Use = Callable[[Any], object] | SignalInstance
Report = Callable[[str, object], object]  # the name of a job's signal, and its value


class Pool(StrEnum):
    """Which queue a job waits in. Each runs one job at a time, in order."""

    DATABASE = "database"  # short reads for the table, and every write that the window asks for
    INTERACTIVE = "interactive"  # what a person waits for: searches
    MEDIA = "media"  # waveforms and covers: up to a second each, and no search may wait for them
    VOCALS = "vocals"  # separating a song that is to be heard now: seconds
    BACKGROUND = "background"  # indexing: hours
    MICROPHONE = "microphone"  # opening it: a driver may hang
    MAP = "map"  # up to minutes, and not behind indexing either
    DOWNLOAD = "download"
    WATCH = "watch"  # waits for changes in the folders as long as the window is open
    COUNTING = "counting"  # what there is to evaluate on: seconds, where there are many songs
    EVALUATION = "evaluation"  # minutes, and never behind hours of indexing


# Minutes or hours of work: its beginnings, ends and failures are in the log.
LOGGED = frozenset((Pool.BACKGROUND, Pool.MAP, Pool.DOWNLOAD, Pool.EVALUATION))


class Job(QObject):
    """One run of ``work``, a function of (progress, cancel).

    Signals are emitted in the thread that made the job: ``progressed`` (a Progress, at most every
    50 ms, the last one always), then one of ``succeeded`` (the function's result), ``failed`` (a
    sentence) or ``cancelled``, and ``finished`` always last. A job that was cancelled never
    succeeds, even when the cancel came after the work was done: whoever cancels needs no result.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    finished = Signal()

    def __init__(self, work: Work, name: str = "") -> None:
        """``name`` is what the log calls it; else the name of its pool."""
        super().__init__()
        self.name = name
        self.token = CancelToken()
        self.work = work

    def cancel(self) -> None:
        self.token.cancel()

    def deliver(self, kind: str, value: object) -> None:
        """Emits what its thread has reported; for the runner only."""
        if kind == "progressed":
            self.progressed.emit(value)
            return
        if kind == "succeeded" and not self.token.is_cancelled:
            self.succeeded.emit(value)
        elif kind == "failed":
            self.failed.emit(QCoreApplication.translate("Engine", str(value)))
        else:
            self.cancelled.emit()
        self.finished.emit()


class _Runnable(QRunnable):
    """The work of a job, in a thread that never holds the job itself: a QObject must not lose its
    last reference in another thread, nor be deleted while another thread emits its signals.
    """

    def __init__(self, job: Job, pool: Pool, report: Report) -> None:
        super().__init__()
        self._work, self._token, self._name = job.work, job.token, job.name or pool
        self._is_logged = pool in LOGGED
        self._report = report
        self._last_report_s = 0.0
        self._held_back: Progress | None = None

    def run(self) -> None:
        begun_s = time.monotonic()
        if self._is_logged:
            log.info("%s begins", self._name)
        kind, value = self._outcome()
        if self._held_back is not None:
            self._tell("progressed", self._held_back)
        self._tell(kind, value)
        if self._is_logged:
            end = f"failed: {value}" if kind == "failed" else kind
            log.info("%s %s (after %.0f s)", self._name, end, time.monotonic() - begun_s)
        if time.monotonic() - begun_s > LONG_S:
            _give_back_memory()

    def _outcome(self) -> tuple[str, Any]:
        try:
            self._token.check()
            return "succeeded", self._work(self._progress, self._token)
        except CancelledError:
            return "cancelled", None
        except SingalikeError as error:
            return "failed", str(error)
        except Exception as error:  # a job must never take the program down with it
            log.exception("A job failed unexpectedly")
            said = error or type(error).__name__
            return "failed", f"Something unexpected went wrong: {said}."

    def _progress(self, progress: Progress) -> None:
        now_s = time.monotonic()
        if now_s - self._last_report_s < PROGRESS_INTERVAL_S:
            self._held_back = progress
            return
        self._last_report_s, self._held_back = now_s, None
        self._tell("progressed", progress)

    def _tell(self, kind: str, value: object) -> None:
        with suppress(RuntimeError):  # the window is gone: nobody to tell
            self._report(kind, value)


def _give_back_memory() -> None:
    """What work has left free. glibc keeps it for later: half a gigabyte after indexing."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


class JobRunner(QObject):
    """Runs jobs in the named pools and keeps each alive until it has finished."""

    done = Signal(object, float)  # Pool, seconds: minutes or hours of work have succeeded
    _reported = Signal(object, str, object)  # number of a job, name of its signal, value

    def __init__(
        self, parent: QObject | None = None, close_timeout_ms: int = CLOSE_TIMEOUT_MS
    ) -> None:
        super().__init__(parent)
        self._close_timeout_ms = close_timeout_ms
        self._jobs: dict[int, Job] = {}
        self._numbers = count()
        self._is_closed = False
        self._pools = {name: self._make_pool() for name in Pool}
        self._reported.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def _make_pool(self) -> QThreadPool:
        pool = QThreadPool(self)
        pool.setMaxThreadCount(1)
        pool.setExpiryTimeout(-1)  # a thread owns a database connection: keep it
        return pool

    @property
    def num_jobs(self) -> int:
        return len(self._jobs)

    def start(self, job: Job, pool: Pool) -> Job:
        """Queues a job whose signals are connected; after ``close`` it ends as cancelled."""
        number = next(self._numbers)
        self._jobs[number] = job
        job.finished.connect(lambda: self._forget(number))
        if pool in LOGGED:
            begun_s = time.monotonic()
            job.succeeded.connect(lambda _: self.done.emit(pool, time.monotonic() - begun_s))
        if self._is_closed:
            self._deliver(number, "cancelled", None)
        else:
            report = partial(self._reported.emit, number)
            self._pools[pool].start(_Runnable(job, pool, report))
        return job

    def run(self, work: Work, use: Use, fail: Use, queue: Pool | LatestJob = Pool.DATABASE) -> Job:
        """Hands over the result of ``work``, or the sentence why there is none."""
        job = Job(work)
        job.succeeded.connect(use)
        job.failed.connect(fail)
        return queue.start(job) if isinstance(queue, LatestJob) else self.start(job, queue)

    def cancel_all(self) -> None:
        for job in tuple(self._jobs.values()):
            job.cancel()

    def close(self) -> bool:
        """Cancels everything and waits; False when some work did not stop in time.

        Every job ends here: it holds whoever listens to it, and so the window with all that was
        searched in, and what its thread reports would come when the window is gone.
        """
        self._is_closed = True
        self.cancel_all()
        deadline_s = time.monotonic() + self._close_timeout_ms / 1000
        results = [
            pool.waitForDone(max(1, int((deadline_s - time.monotonic()) * 1000)))
            for pool in self._pools.values()
        ]
        while self._jobs:
            self._deliver(next(iter(self._jobs)), "cancelled", None)
        return all(results)

    @Slot(object, str, object)
    def _deliver(self, number: int, kind: str, value: object) -> None:
        if (job := self._jobs.get(number)) is not None:  # else it has ended as the runner closed
            job.deliver(kind, value)

    def _forget(self, number: int) -> None:
        self._jobs.pop(number).deleteLater()


class LatestJob:
    """A slot for work of which only the latest request counts, as in search-as-you-type.

    Starting a new job cancels the one before; as a cancelled job never succeeds, no stale result
    arrives.
    """

    def __init__(self, runner: JobRunner, pool: Pool) -> None:
        self._runner = runner
        self._pool = pool
        self._job: Job | None = None

    @property
    def is_running(self) -> bool:
        return self._job is not None

    def start(self, job: Job) -> Job:
        self.cancel()
        self._job = job
        job.finished.connect(lambda: self._clear(job))
        return self._runner.start(job, self._pool)

    def cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _clear(self, job: Job) -> None:
        if self._job is job:
            self._job = None
