"""Waveforms for the songs on show: computed once, kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject

from app.jobs import Job, JobRunner, LatestJob, Pool
from app.waveform import NUM_BINS
from engine import audio

MAX_KEPT = 200


class Waveforms(QObject):
    """One slot per place on the screen, so that only the song that is shown now is computed."""

    def __init__(self, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._kept: OrderedDict[Path, np.ndarray] = OrderedDict()
        self._slots: dict[str, LatestJob] = {}

    def request(self, slot: str, path: Path, use: Callable[[np.ndarray], None]) -> None:
        """``use`` gets (num_bins, 2) peaks, at once when known. A file that fails stays without."""
        latest = self._slots.setdefault(slot, LatestJob(self._runner, Pool.MEDIA))
        latest.cancel()
        if path in self._kept:
            self._kept.move_to_end(path)
            use(self._kept[path])
            return
        job = Job(lambda progress, cancel: audio.peaks(path, NUM_BINS))
        job.succeeded.connect(lambda peaks: self._keep(path, peaks))
        job.succeeded.connect(use)
        latest.start(job)

    def _keep(self, path: Path, peaks: np.ndarray) -> None:
        self._kept[path] = peaks
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
