"""What is fetched of songs beside their sound: waveforms, loudness, separated vocals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.jobs import Job, JobRunner, LatestJob, Pool
from app.player.player import Sound
from app.player.waveform import NUM_BINS
from engine.progress import CancelToken, Progress, ProgressCallback
from engine.separation.vocals_cache import VocalsCache
from engine.sound.loudness import Loudness, SoundShape, shape_of

MAX_KEPT = 200


class WaveformCache(QObject):
    """One slot per place on the screen, so that only the song that is shown now is read."""

    measured = Signal(object, object, float)  # Path, Loudness, seconds

    def __init__(self, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._kept: dict[Path, SoundShape] = {}
        self._slots: dict[str, LatestJob] = {}

    def request(
        self, slot: str, path: Path, use: Callable[[SoundShape], None] = lambda shape: None
    ) -> None:
        """``use`` gets the shape, at once when known. A file that fails stays without."""
        latest = self._slots.setdefault(slot, LatestJob(self._runner, Pool.MEDIA))
        latest.cancel()
        if path in self._kept:
            use(self._kept[path])
            return
        job = Job(lambda progress, cancel: shape_of(path, NUM_BINS, cancel))
        job.succeeded.connect(lambda shape: self._keep(path, shape))
        job.succeeded.connect(use)
        latest.start(job)

    def cancel(self, slot: str) -> None:
        """Nothing is shown in this place any more."""
        if slot in self._slots:
            self._slots[slot].cancel()

    def _keep(self, path: Path, shape: SoundShape) -> None:
        self._kept[path] = shape
        self.measured.emit(path, shape.loudness, shape.duration_s)
        while len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]


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
