"""Sound of a clip as models hear it: stems summed, vocals separated, cut into gated segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import separation
from engine.errors import EvaluationError
from engine.evaluation.evaluation_data import Clip, Input
from engine.listening.embedding import SILENCE, VOCAL_GATE, segment_batches
from engine.models.segments import SAMPLE_RATE_HZ
from engine.progress import CancelToken
from engine.records import LISTENING_VERSION, View
from engine.separation import SAMPLE_RATE_HZ as SEPARATION_RATE_HZ
from engine.separation import Separator
from engine.sound.audio import decode, probe

CHUNK_S = 10.0


@dataclass(frozen=True)
class Listening:
    """How clips are heard.

    Attributes:
        separator: for the input ``separated``.
        clip_s: only so much of each clip, from its middle; None: all of it.
    """

    separator: Separator | None = None
    clip_s: float | None = None

    def key(self, source: Input) -> str:
        """Everything but the sound itself that shapes what is heard through an input."""
        parts = [source, f"clip_s={self.clip_s}", f"listening={LISTENING_VERSION}"]
        if source == "separated":
            assert self.separator is not None
            parts.append(self.separator.name)
        return " ".join(parts)

    def segments(
        self, clip: Clip, source: Input, cancel: CancelToken
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of what passes the gate; n may be 0.

        Numbers of segments in the clip (n,), and their sound, (n, 80,000) float32 at 16 kHz.

        Vocals must be louder than the gate of CVSM.md, everything else must not be silent.
        Raises DecodeError (too short, for example), SeparatorError, CancelledError.
        """
        gate = VOCAL_GATE if view_of(source) == "vocals" else SILENCE
        for first, segments in segment_batches(self._waveform(clip, source, cancel)):
            cancel.check()
            (kept,) = np.nonzero(np.abs(segments).mean(1) > gate)
            yield first + kept, segments[kept]

    def _waveform(self, clip: Clip, source: Input, cancel: CancelToken) -> Iterator[np.ndarray]:
        paths = clip.parts(source)
        if source != "separated":
            yield from (c[0] for c in self._decoded(paths, SAMPLE_RATE_HZ, 1))
            return
        if self.separator is None:
            raise EvaluationError("The input 'separated' needs a separator, and none was given.")
        mixture = self._decoded(paths, SEPARATION_RATE_HZ, 2)
        yield from separation.voice(self.separator, mixture, cancel)

    def _decoded(
        self, paths: Sequence[Path], sample_rate_hz: int, num_channels: int
    ) -> Iterator[np.ndarray]:
        """The sum of all files, in chunks; the longest sets the length."""
        start_s, end_s = 0.0, None
        if self.clip_s is not None:
            start_s = max(0.0, (probe(paths[0]).duration_s - self.clip_s) / 2)
            end_s = start_s + self.clip_s

        def read(path: Path) -> Iterator[np.ndarray]:
            return decode(
                path,
                sample_rate_hz=sample_rate_hz,
                num_channels=num_channels,
                start_s=start_s,
                end_s=end_s,
                chunk_s=CHUNK_S,
            )

        if len(paths) == 1:
            return read(paths[0])
        whole = summed([np.concatenate(list(read(path)), axis=1) for path in paths])
        step = round(CHUNK_S * sample_rate_hz)
        return iter(np.split(whole, range(step, whole.shape[1], step), axis=1))


def view_of(source: Input) -> View:
    """Which view of a model (its centre) an input belongs to."""
    return "vocals" if source in ("vocals", "separated") else "overall"


def summed(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Sounds (num_channels, n) added sample by sample; the longest sets the length."""
    total = np.zeros((len(parts[0]), max(part.shape[1] for part in parts)), np.float32)
    for part in parts:
        total[:, : part.shape[1]] += part
    return total
