"""How loud a song is heard, and its waveform to draw: both from one pass over the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.progress import CancelToken
from engine.sound import audio
from engine.sound.channels import mono

RATE_HZ = 44_100
FLOOR_LUFS = -70.0  # nothing quieter counts (ITU-R BS.1770-4)
_CELL = 441  # 10 ms, a few hundred kilobytes for hours of sound


@dataclass(frozen=True)
class Loudness:
    """``lufs``: integrated loudness (ITU-R BS.1770-4), -70 for silence; ``peak``: of all samples,
    1 is full scale.
    """

    lufs: float
    peak: float

    def gain_to(self, target_lufs: float) -> float:
        """The factor that brings it to a loudness, but never a sample beyond full scale."""
        if self.lufs <= FLOOR_LUFS:
            return 1.0
        wanted = float(10 ** ((target_lufs - self.lufs) / 20))
        return min(wanted, 1.0 / max(self.peak, 1e-9))


@dataclass(frozen=True, eq=False)
class SoundShape:
    """``peaks``: (num_bins, 2) float32, lowest and highest sample of each bin."""

    peaks: np.ndarray
    loudness: Loudness
    duration_s: float


def shape_of(path: Path, num_bins: int, cancel: CancelToken | None = None) -> SoundShape:
    """Loudness and waveform of a file. Raises DecodeError, CancelledError."""
    # Not before: FFmpeg takes a fourteenth of the window's start.
    from engine.sound.loudness_meter import LoudnessMeter

    cancel = cancel or CancelToken()
    meter, cells = LoudnessMeter(RATE_HZ), list[np.ndarray]()
    held, num_samples = np.zeros(0, np.float32), 0
    for chunk in audio.decode(path, sample_rate_hz=RATE_HZ, num_channels=2):
        cancel.check()
        meter.add(chunk)
        num_samples += chunk.shape[1]
        held = np.concatenate([held, mono(chunk)])
        num_cells = len(held) // _CELL
        whole = held[: num_cells * _CELL].reshape(-1, _CELL)
        cells.append(np.stack([whole.min(1), whole.max(1)], axis=1))
        held = held[num_cells * _CELL :]
    lows_highs = np.concatenate(cells)
    peaks = np.zeros((num_bins, 2), np.float32)
    if len(lows_highs):
        firsts = np.linspace(0, len(lows_highs), num_bins, endpoint=False).astype(int)
        peaks[:, 0] = np.minimum.reduceat(lows_highs[:, 0], firsts)
        peaks[:, 1] = np.maximum.reduceat(lows_highs[:, 1], firsts)
    return SoundShape(peaks, meter.loudness(), num_samples / RATE_HZ)


def measure(sound: np.ndarray, rate_hz: int) -> Loudness:
    """Of (2, n) float32."""
    from engine.sound.loudness_meter import LoudnessMeter

    meter = LoudnessMeter(rate_hz)
    meter.add(sound)
    return meter.loudness()
