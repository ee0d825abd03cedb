"""What nobody caught: exceptions in slots and threads, and Qt's own warnings.

All of it goes into the log; an exception also becomes a report that a person can copy. What Python
says while the process dies comes to the log file by ``app.desktop.log``.
"""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from importlib import metadata
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
    qVersion,
)

from app.desktop.log import tail
from engine import __version__

log = logging.getLogger(__name__)

REPORT_BYTES = 8_000  # of the log
QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class CrashReporter(QObject):
    """Between ``install`` and ``remove``, everything that nobody caught comes here.

    ``crashed`` brings a report, the first time that something goes wrong at a place in the code: a
    widget that cannot be painted would tell of it, and fill the log, sixty times a second. It comes
    from the thread that failed: connect it queued.
    """

    crashed = Signal(str)

    def __init__(self, log_path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log_path = log_path
        self._places: set[tuple[str, int]] = set()  # that have failed

    def install(self) -> None:
        sys.excepthook = self._failed
        threading.excepthook = self._thread_failed
        sys.unraisablehook = self._unraisable
        qInstallMessageHandler(_qt_message)

    def remove(self) -> None:
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        sys.unraisablehook = sys.__unraisablehook__
        qInstallMessageHandler(None)

    def _failed(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        if (place := _place(trace)) in self._places:
            return
        self._places.add(place)
        log.critical("Nobody caught this", exc_info=(kind, error, trace))
        text = "".join(traceback.format_exception(kind, error, trace))
        self.crashed.emit(report(text, tail(self._log_path, REPORT_BYTES)))

    def _thread_failed(self, failure: threading.ExceptHookArgs) -> None:
        if failure.exc_value is not None and failure.exc_type is not SystemExit:
            self._failed(failure.exc_type, failure.exc_value, failure.exc_traceback)

    def _unraisable(self, failure: sys.UnraisableHookArgs) -> None:
        """In a destructor, say: nothing is lost, so nobody is told."""
        what = f"{failure.err_msg or 'Exception ignored in'}: {failure.object!r}"
        log.error(what, exc_info=failure.exc_value)


def _place(trace: TracebackType | None) -> tuple[str, int]:
    """File and line that failed."""
    frames = traceback.extract_tb(trace)
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)


def _qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    log.log(QT_LEVELS.get(kind, logging.WARNING), "Qt (%s): %s", context.category, message)


def report(failure: str, log_lines: str) -> str:
    """What whoever mends it has to know: versions, system, traceback, the end of the log."""
    versions = [f"Singalike {__version__}", f"Python {platform.python_version()}"]
    versions.append(f"Qt {qVersion()}")
    for name in ("PySide6-Essentials", "torch", "av", "hnswlib"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name}: not a package here")
    parts = [", ".join(versions), platform.platform(), failure.strip(), log_lines.strip()]
    return "\n\n".join(filter(None, parts)) + "\n"
