from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QThreadPool
from support.app_window import no_leaks
from support.patience import PATIENCE_MS, PATIENCE_S

from app import jobs
from app.jobs import Job, JobRunner, LatestJob, Pool
from engine.errors import DecodeError
from engine.progress import Progress


@pytest.fixture(autouse=True)
def _no_leaks(qapp: object) -> Iterator[None]:
    with no_leaks():
        yield


@pytest.fixture
def runner(qapp: object) -> Iterator[JobRunner]:
    runner = JobRunner(close_timeout_ms=PATIENCE_MS)
    yield runner
    assert runner.close()


def record(job: Job) -> list[tuple[str, object]]:
    """All that a job says, in order; lambdas run in the thread of the job."""
    said: list[tuple[str, object]] = []
    job.progressed.connect(lambda progress: said.append(("progressed", progress.num_done)))
    job.succeeded.connect(lambda result: said.append(("succeeded", result)))
    job.failed.connect(lambda reason: said.append(("failed", reason)))
    job.cancelled.connect(lambda: said.append(("cancelled", None)))
    job.finished.connect(lambda: said.append(("finished", None)))
    return said


def test_fast_work_is_heard_and_finished_comes_last(qtbot, runner):
    job = Job(lambda progress, cancel: 3_000_000_000)
    said = record(job)
    with qtbot.waitSignal(job.finished):
        runner.start(job, Pool.DATABASE)
    assert said == [("succeeded", 3_000_000_000), ("finished", None)]


def test_progress_is_throttled_and_its_last_report_always_arrives(qtbot, runner):
    def work(progress, cancel):
        for i in range(1, 1001):
            progress(Progress("scan", i, 1000))

    job = Job(work)
    said = record(job)
    with qtbot.waitSignal(job.finished):
        runner.start(job, Pool.BACKGROUND)
    reports = [value for kind, value in said if kind == "progressed"]
    assert reports[0] == 1
    assert reports[-1] == 1000
    assert len(reports) < 100


def test_signals_come_in_the_thread_of_the_job(qtbot, runner):
    threads = []
    job = Job(lambda progress, cancel: threads.append(threading.get_ident()))
    job.succeeded.connect(lambda _: threads.append(threading.get_ident()))
    with qtbot.waitSignal(job.finished):
        runner.start(job, Pool.DATABASE)
    assert threads[0] != threading.get_ident()
    assert threads[1] == threading.get_ident()


def test_an_expected_error_is_its_own_sentence(qtbot, runner):
    def work(progress, cancel):
        raise DecodeError("The file is empty (0 bytes).")

    job = Job(work)
    said = record(job)
    with qtbot.waitSignal(job.finished):
        runner.start(job, Pool.DATABASE)
    assert said == [("failed", "The file is empty (0 bytes)."), ("finished", None)]


def test_an_unexpected_error_is_logged_and_told(qtbot, runner, caplog):
    job = Job(lambda progress, cancel: 1 / 0)
    said = record(job)
    with qtbot.waitSignal(job.finished):
        runner.start(job, Pool.DATABASE)
    assert said[0] == ("failed", "Something unexpected went wrong: division by zero.")
    assert "ZeroDivisionError" in caplog.text


def test_a_cancelled_job_never_succeeds_even_when_its_work_is_done(qtbot, runner):
    done = threading.Event()

    def work(progress, cancel):
        done.set()
        return "too late"

    job = Job(work)
    said = record(job)
    runner.start(job, Pool.DATABASE)
    assert done.wait(PATIENCE_S)
    job.cancel()
    with qtbot.waitSignal(job.finished):
        pass
    assert said == [("cancelled", None), ("finished", None)]


def test_the_latest_wins_and_those_that_wait_are_never_run(qtbot, runner):
    gate, run, found = threading.Event(), [], []
    latest = LatestJob(runner, Pool.INTERACTIVE)
    for text in ("a", "ab", "abc", "abcd"):

        def work(progress, cancel, text=text):
            run.append(text)
            gate.wait(PATIENCE_S)
            cancel.check()
            return text

        job = Job(work)
        job.succeeded.connect(found.append)
        latest.start(job)
        qtbot.waitUntil(lambda: bool(run))  # the first is at work, the others wait behind it
    gate.set()
    qtbot.waitUntil(lambda: not latest.is_running)
    qtbot.waitUntil(lambda: runner.num_jobs == 0)
    assert found == ["abcd"]
    assert run == ["a", "abcd"]


def test_a_paused_job_stops_when_the_runner_closes(qtbot, runner):
    started = threading.Event()

    def work(progress, cancel):
        started.set()
        while True:
            cancel.check()

    job, waiting = Job(work), Job(lambda progress, cancel: "never")
    said, said_waiting = record(job), record(waiting)
    runner.start(job, Pool.BACKGROUND)
    runner.start(waiting, Pool.BACKGROUND)
    assert started.wait(PATIENCE_S)
    job.token.pause()
    assert runner.close()
    qtbot.waitUntil(lambda: runner.num_jobs == 0)
    assert said == said_waiting == [("cancelled", None), ("finished", None)]


def test_after_close_nothing_is_run(qtbot, runner):
    runner.close()
    job = Job(lambda progress, cancel: pytest.fail("was run"))
    said = record(job)
    with qtbot.waitSignal(job.finished):
        runner.start(job, Pool.DATABASE)
    assert said == [("cancelled", None), ("finished", None)]


@pytest.mark.parametrize("stops_in_time", [True, False])
def test_a_window_that_closes_leaves_no_job_behind(qtbot, stops_in_time):
    """A job holds whoever listens to it, and so the whole window, with all that it searches in."""
    started, go_on = threading.Event(), threading.Event()

    def work(progress, cancel):
        started.set()
        while not go_on.wait(0.01):
            if stops_in_time:
                cancel.check()

    runner = JobRunner(close_timeout_ms=PATIENCE_MS if stops_in_time else 1)
    runner._pools[Pool.MEDIA] = pool = QThreadPool()  # which its window would leave behind
    job = Job(work)
    said, gone = record(job), weakref.ref(job)
    LatestJob(runner, Pool.MEDIA).start(job)
    assert started.wait(PATIENCE_S)
    assert runner.close() == stops_in_time
    assert said == [("cancelled", None), ("finished", None)]
    go_on.set()
    assert pool.waitForDone(PATIENCE_MS)
    shiboken6.delete(runner)
    del job, runner
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    assert gone() is None
    assert len(said) == 2


def test_this_qt_keeps_count_of_true_and_none(qtbot, runner):
    """PySide6 6.12.0 does not on Python 3.11, which aborts after some thousand signals."""
    job = Job(lambda progress, cancel: None)
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(40):
        job.progressed.emit(None)
        job.cancelled.emit()
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert all(abs(b - a) < 20 for a, b in zip(before, after, strict=True))


def test_long_work_that_has_succeeded_is_told(qtbot, runner):
    told: list[object] = []
    runner.done.connect(lambda pool, seconds: told.append(pool))
    for pool, work in (
        (Pool.MAP, lambda progress, cancel: 1),
        (Pool.DATABASE, lambda progress, cancel: 2),
        (Pool.EVALUATION, _fail),
    ):
        job = Job(work)
        with qtbot.waitSignal(job.finished):
            runner.start(job, pool)
    assert told == [Pool.MAP]


@pytest.mark.linux
def test_memory_that_long_work_leaves_free_is_given_back(qtbot, runner, monkeypatch):
    """glibc gives back of itself only what lies above all that is still in use."""
    monkeypatch.setattr(jobs, "LONG_S", 0.0)
    kept: list[bytearray] = []

    def work(progress, cancel):
        pieces = [bytearray(b"x" * 50_000) for _ in range(2000)]
        kept.extend(pieces[::100])
        return used_memory()

    def used_memory() -> int:
        return 4096 * int(Path("/proc/self/statm").read_text("ascii").split()[1])

    used: list[int] = []
    job = Job(work)
    job.succeeded.connect(used.append)
    with qtbot.waitSignal(job.finished):
        runner.start(job, Pool.MEDIA)
    qtbot.waitUntil(lambda: used_memory() < used[0] - 80_000_000)


def _fail(progress: object, cancel: object) -> None:
    raise ValueError("no")


def test_work_that_outlives_the_window_tells_nobody_and_is_no_fault(qtbot, caplog):
    started, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work(progress, cancel):
        started.set()
        go_on.wait(PATIENCE_S)
        progress(Progress("late"))
        ended.set()

    runner = JobRunner(close_timeout_ms=1)
    pool = QThreadPool()  # which its window would leave behind
    runner._pools[Pool.MAP] = pool
    runner.start(Job(work), Pool.MAP)
    started.wait(PATIENCE_S)
    assert not runner.close()
    shiboken6.delete(runner)
    go_on.set()
    assert pool.waitForDone(PATIENCE_MS)
    assert ended.is_set()
    assert "unexpectedly" not in caplog.text


def test_a_thread_never_holds_its_job(qtbot, runner):
    started, go_on = threading.Event(), threading.Event()

    def work(progress, cancel):
        started.set()
        return go_on.wait(PATIENCE_S)

    job = Job(work)
    gone = weakref.ref(job)
    with qtbot.waitSignal(job.finished, timeout=PATIENCE_MS):
        runner.start(job, Pool.MEDIA)
        started.wait(PATIENCE_S)
        del job
        assert gone() is not None  # the runner keeps it
        go_on.set()
    qtbot.waitUntil(lambda: gone() is None)
