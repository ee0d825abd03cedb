"""Keeps the library up to date by itself: folders are watched, or looked at now and then."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.jobs import Job, JobRunner, LatestJob, Pool
from app.services.open_library import Overview
from engine.indexing.watch import watch_folders

log = logging.getLogger(__name__)

START_MS = 2000  # after the window: the first look has priority
LOOK_AGAIN_S = 300.0  # where nothing tells of changes, at most so often


class WatchedFolders(QObject):
    """``changed`` says that it is time to look for new songs."""

    changed = Signal()
    _seen = Signal()

    def __init__(self, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watching = LatestJob(runner, Pool.WATCH)
        self._folders: tuple[Path, ...] = ()
        self._is_on = True
        self._looked_s = time.monotonic()
        self._start = QTimer(self, singleShot=True)
        self._start.timeout.connect(self._watch)
        # Queued, as it comes from the thread that watches.
        self._seen.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @property
    def is_watching(self) -> bool:
        return self._watching.is_running

    def set_on(self, is_on: bool) -> None:
        self._is_on = is_on
        self._restart()

    def show_overview(self, overview: Overview) -> None:
        """Watches the folders that there are now."""
        folders = tuple(folder.path for folder in overview.folders)
        if folders != self._folders:
            self._folders = folders
            self._restart()

    def focused(self) -> None:
        """The person comes back to the window: where nothing is watched, it is time to look."""
        is_due = time.monotonic() - self._looked_s > LOOK_AGAIN_S
        if self._is_on and self._folders and not self.is_watching and is_due:
            self._tell()

    def _restart(self) -> None:
        self._watching.cancel()
        self._start.stop()
        if self._is_on and self._folders:
            self._start.start(START_MS)

    def _watch(self) -> None:
        folders = self._folders
        job = Job(lambda progress, cancel: watch_folders(folders, self._seen.emit, cancel))
        job.failed.connect(lambda reason: log.info("%s", reason))
        self._watching.start(job)

    def _tell(self) -> None:
        self._looked_s = time.monotonic()
        self.changed.emit()
