"""Indexing in the background: one run at a time, that can be paused, stopped, asked for again."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.jobs import Job, Pool
from app.services.open_library import OpenLibrary
from app.ui.shortcuts import noop
from engine.library import Library
from engine.library.scan.scan import scan
from engine.networks.preload import import_heavy_libraries
from engine.progress import CancelToken, Progress, ProgressCallback

log = logging.getLogger(__name__)

# (library, progress, cancel) -> IndexSummary
Index = Callable[[Library, ProgressCallback, CancelToken], Any]


# How many cores it uses, and what a person reads of that.
SPEEDS = {
    "all": noop("All cores: the quickest"),
    "spare": noop("All cores but one"),
    "one": noop("One core: quiet and slow"),
}


def num_workers(speed: str) -> int:
    """Songs listened to at a time: one per core, all but one, or one."""
    num_cores = os.cpu_count() or 2
    return {"all": num_cores, "one": 1}.get(speed, max(1, num_cores - 1))


def index_library(
    library: Library, progress: ProgressCallback, cancel: CancelToken, speed: str = "spare"
) -> Any:
    """The real one. One core is left to the window and to whatever else the person is doing."""
    progress(Progress("load"))  # a few seconds in which nothing else is heard of it
    import_heavy_libraries()
    from engine.indexing.pipeline import (  # brings torch: not before the window
        IndexOptions,
        index_folders,
    )

    options = IndexOptions(num_workers=num_workers(speed))
    return index_folders(library, [], options, progress, cancel)


def look_for_changes(
    library: Library, progress: ProgressCallback, cancel: CancelToken, speed: str = "spare"
) -> Any:
    """At the start of the program: torch and its seconds are spent only when there is work."""
    scan(library, (), progress, cancel)
    has_new = library.counts().new > 0
    if has_new or any(library.pending(space_id) for space_id, _ in library.spaces()):
        return index_library(library, progress, cancel, speed)
    return None


class Indexing(QObject):
    """Of the library of ``open_library``; while that is not open, nothing begins.

    Attributes:
        index_work, look_work: what ``start`` and ``look`` run.
    """

    changed = Signal()  # running, paused or not
    progressed = Signal(object)  # Progress
    ended = Signal()  # in whatever way

    def __init__(
        self,
        open_library: OpenLibrary,
        index: Index = index_library,
        look: Index = look_for_changes,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._open_library = open_library
        self.index_work = index
        self.look_work = look
        self._job: Job | None = None
        self._is_wanted_again = False
        self.last_progress: Progress | None = None

    @property
    def is_running(self) -> bool:
        return self._job is not None

    @property
    def is_paused(self) -> bool:
        return self._job is not None and self._job.token.is_paused

    def start(self) -> None:
        """Indexes whatever is new; while a run goes on, another one follows it."""
        if self._job is not None:
            self._is_wanted_again = True
            self.resume()
            return
        self._run(self.index_work, "indexing")

    def look(self) -> None:
        """Looks for new songs, and listens to them if there are any; after a run that goes on."""
        if self._job is None:
            self._run(self.look_work, "looking for changes")
        else:
            self._is_wanted_again = True

    def again(self) -> None:
        """A run that goes on starts anew, with what has been chosen since; nothing is lost."""
        if self._job is not None:
            self._job.cancel()
            self._is_wanted_again = True

    def _run(self, work: Index, name: str) -> None:
        self._is_wanted_again = False
        if not self._open_library.is_open:
            return
        library = self._open_library.library
        self.last_progress = None
        job = Job(lambda progress, cancel: work(library, progress, cancel), name)
        job.progressed.connect(self._progressed)
        job.succeeded.connect(_log_summary)
        job.failed.connect(self._open_library.problem)
        job.finished.connect(self._finished)
        self._job = job
        self._open_library.runner.start(job, Pool.BACKGROUND)
        self.changed.emit()

    def pause(self) -> None:
        if self._job is not None:
            self._job.token.pause()
            self.changed.emit()

    def resume(self) -> None:
        if self._job is not None:
            self._job.token.resume()
            self.changed.emit()

    def cancel(self) -> None:
        self._is_wanted_again = False
        if self._job is not None:
            self._job.cancel()
            self.changed.emit()

    def _progressed(self, progress: Progress) -> None:
        self.last_progress = progress
        self.progressed.emit(progress)

    def _finished(self) -> None:
        self._job = None
        self.changed.emit()
        self.ended.emit()
        if self._is_wanted_again:
            self.start()


def _log_summary(summary: object) -> None:
    if summary is not None:
        log.info("%.1000s", summary)
