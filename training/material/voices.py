"""``singalike train voices``: people who do not exist read aloud, blended from Kokoro's voices."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.models import SAMPLE_RATE_HZ
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from engine.sound.audio import probe
from training.material.files import Row, begin, write_mono
from training.material.kokoro import Kokoro, read_sentences, read_styles
from training.material.making import Made, make_all

_BEYOND = 0.3  # how far a mixture may lie outside of the styles it is made of
_PAUSE_S = 0.25


@dataclass(frozen=True)
class VoiceOptions:
    """What is read; kept in the folder, and compared when the work goes on."""

    num_sentences: int = 2
    seed: int = 0


@dataclass(frozen=True)
class VoiceJob:
    """One new voice: a job of `making`. The same number is the same voice.

    The first voices are Kokoro's own, one for each style; then come blends of two or three.
    """

    number: int
    styles_path: Path
    style_names: tuple[str, ...]
    options: VoiceOptions

    @property
    def name(self) -> str:
        if self.number < len(self.style_names):
            return f"kokoro {self.style_names[self.number]}"
        return f"kokoro blend {self.number - len(self.style_names) + 1}"

    def weights(self) -> dict[str, float]:
        """Share of each style; they sum to 1, and may be negative in a blend."""
        if self.number < len(self.style_names):
            return {self.style_names[self.number]: 1.0}
        rng = self.rng(0)
        names = rng.choice(self.style_names, size=int(rng.integers(2, 4)), replace=False)
        shares = rng.dirichlet(np.full(len(names), 1.5))
        beyond = float(rng.uniform(0.0, _BEYOND))
        shares = shares + beyond * (shares - 1 / len(names))
        return {str(name): float(share) for name, share in zip(names, shares, strict=True)}

    def rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.options.seed, self.number, purpose])

    def rows(self, folder: Path) -> list[Row]:
        path = folder / self.file
        return [
            Row(
                path=self.file,
                singer=self.name,
                song="reading",
                kind="speech",
                duration_s=round(probe(path).duration_s, 1) if path.exists() else 0.0,
                licence="Apache 2.0",
                source="Kokoro-82M",
                origin="+".join(sorted(self.weights())),
            )
        ]

    @property
    def file(self) -> str:
        return f"voices/{self.name.replace(' ', '_')}.opus"


class Speaker(Protocol):
    def speak(self, phonemes: str, style: np.ndarray, speed: float) -> np.ndarray: ...


def make_voices(
    num_voices: int,
    styles_path: Path,
    folder: Path,
    options: VoiceOptions,
    *,
    num_processes: int = 1,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> Made:
    """Resumable, and can be run again for more.

    Raises:
        DataError: no styles, or other options than the folder was begun with. CancelledError.
    """
    names = tuple(read_styles(styles_path))
    begin(folder, {"made by": "voices", "styles": list(names)} | asdict(options))
    jobs = [VoiceJob(number, styles_path, names, options) for number in range(num_voices)]
    return make_all(
        jobs,
        make_voice,
        folder,
        stage="voices",
        num_processes=num_processes,
        progress=progress,
        cancel=cancel,
    )


def make_voice(job: VoiceJob, folder: Path) -> None:
    """Speak and write. Raises DataError."""
    samples = read_aloud(job, _styles(job.styles_path), _kokoro())
    write_mono(folder / job.file, samples)


def read_aloud(job: VoiceJob, styles: dict[str, np.ndarray], speaker: Speaker) -> np.ndarray:
    """(n,) float32 at 16 kHz: sentences drawn for the voice, with pauses, at RMS 0.05."""
    rng = job.rng(1)
    style = sum(
        (share * styles[name] for name, share in job.weights().items()),
        np.zeros_like(next(iter(styles.values()))),
    )
    sentences = rng.choice(read_sentences(), size=job.options.num_sentences, replace=False)
    speed = float(rng.uniform(0.85, 1.1))
    pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE_HZ), dtype=np.float32)
    pieces = [piece for text in sentences for piece in (speaker.speak(text, style, speed), pause)]
    samples = np.concatenate(pieces)
    rms = float(np.sqrt(np.mean(np.square(samples))))
    return np.asarray(0.05 / max(rms, 1e-9) * samples, dtype=np.float32)


@cache
def _styles(path: Path) -> dict[str, np.ndarray]:
    return read_styles(path)


@cache
def _kokoro() -> Kokoro:  # once for each process: it takes a second and 300 MB
    return Kokoro()
