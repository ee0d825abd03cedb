"""``singalike train backings``: accompaniments in many styles, without any voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine.progress import CancelToken, ProgressCallback, ignore_progress
from training.material.arranging import arrange
from training.material.files import Row, begin, file_name, write_mono
from training.material.making import Made, make_all
from training.material.playing import find_soundfonts, master, open_synth, play
from training.material.styles import STYLES


@dataclass(frozen=True)
class BackingOptions:
    """What is played; kept in the folder, and compared when the work goes on."""

    length_s: tuple[float, float] = (30.0, 60.0)
    seed: int = 0


@dataclass(frozen=True)
class BackingJob:
    """One accompaniment: a job of `making`. The same number is the same piece."""

    number: int
    soundfont_path: Path
    options: BackingOptions

    @property
    def style(self) -> str:
        return list(STYLES)[self.number % len(STYLES)]

    @property
    def name(self) -> str:
        return f"{self.style} {self.number + 1}"

    @property
    def length_s(self) -> float:
        return round(float(self.rng(0).uniform(*self.options.length_s)), 1)

    def rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.options.seed, self.number, purpose])

    def rows(self, folder: Path) -> list[Row]:
        return [
            Row(
                path=f"backings/{file_name(self.name)}.opus",
                singer=f"band: {self.style}",
                song=self.name,
                kind="accompaniment",
                duration_s=self.length_s,
                licence=f"made by code, sounds of {self.soundfont_path.name}",
                source="Singalike's backings",
            )
        ]


def make_backings(
    num_backings: int,
    folder: Path,
    options: BackingOptions,
    *,
    soundfonts: Sequence[Path] = (),
    num_processes: int = 1,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> Made:
    """Styles and soundfonts take turns. Resumable, and can be run again for more.

    Raises:
        DataError: no soundfont, or other options than the folder was begun with. CancelledError.
    """
    paths = find_soundfonts(list(soundfonts))
    begin(
        folder,
        {"made by": "backings", "soundfonts": [path.name for path in paths]} | asdict(options),
    )
    jobs = [
        BackingJob(number, paths[number // len(STYLES) % len(paths)], options)
        for number in range(num_backings)
    ]
    return make_all(
        jobs,
        make_backing,
        folder,
        stage="backings",
        num_processes=num_processes,
        progress=progress,
        cancel=cancel,
    )


def make_backing(job: BackingJob, folder: Path) -> None:
    """Arrange, play, master, write. Raises DataError."""
    synth, soundfont = open_synth(job.soundfont_path)
    samples = play(arrange(job.style, job.length_s, job.rng(1)), synth, soundfont)
    write_mono(folder / job.rows(folder)[0].path, master(samples, job.rng(2)))
