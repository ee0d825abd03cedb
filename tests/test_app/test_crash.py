"""What nobody caught comes into the log, and to the person as a report to copy."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QTimer, qWarning
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from support import app_fixtures
from support.patience import PATIENCE_MS

from app.crash import CrashReporter
from app.desktop.log import tail
from app.jobs import Job, JobRunner, Pool
from engine import __version__
from engine.errors import DecodeError

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


@pytest.fixture
def reporter(qapp: object, tmp_path: Path) -> Iterator[CrashReporter]:
    log_path = tmp_path / "singalike.log"
    log_path.write_text("a line of the log\n", "utf-8")
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)  # pytest's
    reporter = CrashReporter(log_path)
    reporter.install()
    yield reporter
    reporter.remove()
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def fail() -> None:
    raise ValueError("a fault in a slot")


def test_an_exception_in_a_slot_is_logged_and_reported(qtbot, reporter, caplog):
    with qtbot.waitSignal(reporter.crashed) as crashed:
        QTimer.singleShot(0, fail)
    (report,) = crashed.args
    assert f"Singalike {__version__}" in report
    assert "ValueError: a fault in a slot" in report
    assert "in fail" in report
    assert report.endswith("a line of the log\n")
    assert "a fault in a slot" in caplog.text


def test_the_same_fault_is_reported_once_and_does_not_fill_the_log(qtbot, reporter, caplog):
    reports: list[str] = []
    reporter.crashed.connect(reports.append)
    for _ in range(5):
        QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: bool(reports))
    QCoreApplication.processEvents()
    assert len(reports) == 1
    assert caplog.text.count("Nobody caught this") == 1


def test_an_exception_in_a_thread_is_reported(qtbot, reporter):
    with qtbot.waitSignal(reporter.crashed) as crashed:
        threading.Thread(target=fail).start()
    assert "ValueError: a fault in a slot" in crashed.args[0]


def test_an_exception_in_a_destructor_is_logged_only(reporter, caplog):
    class Careless:
        def __del__(self) -> None:
            fail()

    reports: list[str] = []
    reporter.crashed.connect(reports.append)
    del [Careless()][0]
    assert "a fault in a slot" in caplog.text
    assert reports == []


def test_what_qt_warns_of_is_logged(reporter, caplog):
    qWarning("a slot that is not there")
    assert "Qt (default): a slot that is not there" in caplog.text


def test_the_window_offers_the_report(qtbot, reporter, window):
    reporter.crashed.connect(window.notice.show_crash)
    with qtbot.waitSignal(reporter.crashed):
        QTimer.singleShot(0, fail)
    copy = next(b for b in window.notice.findChildren(QPushButton) if b.text() == "Copy report")
    assert "You can go on" in window.notice.text
    copy.click()
    assert "a fault in a slot" in QGuiApplication.clipboard().text()
    window.notice.show_text("Something else.")
    assert not copy.isVisible()


@pytest.mark.parametrize(
    ("pool", "line"), [(Pool.EVALUATION, "evaluation"), (Pool.BACKGROUND, "indexing")]
)
def test_long_work_is_logged_from_beginning_to_end(qtbot, qapp, caplog, pool, line):
    def work(progress, cancel):
        raise DecodeError("song.mp3 cannot be decoded.")

    caplog.set_level(logging.INFO)
    runner = JobRunner(close_timeout_ms=PATIENCE_MS)
    for one in (lambda progress, cancel: 7, work):
        job = Job(one, "" if line == pool else line)
        with qtbot.waitSignal(job.finished):
            runner.start(job, pool)
    assert runner.close()
    told = [record.getMessage() for record in caplog.records if record.name == "app.jobs"]
    assert told[0] == told[2] == f"{line} begins"
    assert told[1].startswith(f"{line} succeeded")
    assert told[3].startswith(f"{line} failed: song.mp3 cannot be decoded.")


SCRIPT = """
import ctypes, sys
from PySide6.QtCore import QTimer
import app.window
class Window(app.window.MainWindow):
    def show(self):
        super().show()
        QTimer.singleShot(0, self.fail)
        QTimer.singleShot(50, self.die)
    def fail(self):
        raise ValueError("a fault in a slot")
    def die(self):
        ctypes.string_at(0)
app.window.MainWindow = Window
import app.main
sys.exit(app.main.main(sys.argv[1:]))
"""


def test_the_log_of_the_program_holds_faults_and_where_it_died(tmp_path):
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("DATA", "CONFIG", "CACHE")}
    homes |= {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "--library", str(tmp_path / "library.db")],
        env=os.environ | homes | {"PYTHONPATH": root, "QT_QPA_PLATFORM": "offscreen"},
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert done.returncode != 0
    (log_path,) = tmp_path.rglob("singalike.log")
    text = tail(log_path)
    assert "ValueError: a fault in a slot" in text
    assert "Fatal Python error" in text
    assert "in die" in text
