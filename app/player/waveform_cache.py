"""Waveforms and loudness of the songs on show: read once, kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.jobs import Job, JobRunner, LatestJob, Pool
from app.player.waveform import NUM_BINS
from engine.sound.loudness import SoundShape, shape_of

MAX_KEPT = 200


class WaveformCache(QObject):
    """One slot per place on the screen, so that only the song that is shown now is read."""

    measured = Signal(object, object, float)  # Path, Loudness, seconds

    def __init__(self, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._kept: OrderedDict[Path, SoundShape] = OrderedDict()
        self._slots: dict[str, LatestJob] = {}

    def request(
        self, slot: str, path: Path, use: Callable[[SoundShape], None] = lambda shape: None
    ) -> None:
        """``use`` gets the shape, at once when known. A file that fails stays without."""
        latest = self._slots.setdefault(slot, LatestJob(self._runner, Pool.MEDIA))
        latest.cancel()
        if path in self._kept:
            self._kept.move_to_end(path)
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
            self._kept.popitem(last=False)
