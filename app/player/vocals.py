"""Separated vocals for the songs that are to be heard so, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.jobs import Job, JobRunner, Pool
from app.player.player import Sound
from engine.progress import CancelToken, Progress, ProgressCallback
from engine.separation.vocals_cache import VocalsCache
from engine.sound.loudness import Loudness, shape_of


class VocalsFetcher(QObject):
    arrived = Signal(object, object, object)  # path of the song, of its vocals, their Loudness
    progressed = Signal(object)  # percent as int, or None when nothing is being separated
    problem = Signal(str)

    def __init__(
        self, runner: JobRunner, cache: VocalsCache, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._runner = runner
        self._cache = cache
        self._jobs: dict[Path, Job] = {}

    def want(self, sounds: Sequence[Sound]) -> None:
        """The vocals of these, the first one first, and of no others.

        ``arrived`` brings them, at once when they are kept from before.
        """
        paths = [sound.path for sound in sounds]
        for path in self._jobs.keys() - set(paths):
            self._jobs.pop(path).cancel()  # should it be wanted again, that is another job
        for path in paths:
            if path not in self._jobs:
                self._start(path)
        if not self._jobs:
            self.progressed.emit(None)

    def _start(self, path: Path) -> None:
        job = Job(lambda progress, cancel: _vocals(self._cache, path, progress, cancel))
        job.progressed.connect(self._progressed)
        job.succeeded.connect(lambda found: self.arrived.emit(path, *found))
        job.failed.connect(self.problem)
        job.finished.connect(lambda: self._ended(path, job))
        self._jobs[path] = job
        self._runner.start(job, Pool.VOCALS)

    def _progressed(self, progress: Progress) -> None:
        total_s = progress.audio_total_s or 1.0
        self.progressed.emit(min(99, int(100 * progress.audio_done_s / total_s)))

    def _ended(self, path: Path, job: Job) -> None:
        if self._jobs.get(path) is job:
            del self._jobs[path]
            if not self._jobs:
                self.progressed.emit(None)


def _vocals(
    cache: VocalsCache, path: Path, progress: ProgressCallback, cancel: CancelToken
) -> tuple[Path, Loudness]:
    vocals_path = cache.vocals_of(path, progress, cancel)
    return vocals_path, shape_of(vocals_path, 1, cancel).loudness
