"""The sound source of a voice: the Liljencrants-Fant pulse as band-limited wavetables."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

TABLE_SIZE = 2048
LOWEST_HZ = 55.0
LEVELS_PER_OCTAVE = 3
NUM_LEVELS = 15


def lf_pulse(rd: float, size: int = TABLE_SIZE) -> NDArray[np.float64]:
    """One period of glottal flow derivative, (size,), zero mean, unit RMS.

    ``rd`` in about 0.3..2.7 sets the whole shape (Fant 1995, "The LF-model revisited", eq. 2-4).
    """
    ra = (-1.0 + 4.8 * rd) / 100.0
    rk = (22.4 + 11.8 * rd) / 100.0
    rg = 1.0 / (4.0 * (0.11 * rd / (0.5 + 1.2 * rk) - ra) / rk)
    peak = 1.0 / (2.0 * rg)
    closing = peak * (1.0 + rk)
    ra = max(ra, 0.004)
    epsilon = brentq(lambda e: e * ra - 1.0 + math.exp(-e * (1.0 - closing)), 0.3 / ra, 2.0 / ra)
    t = np.arange(size) / size
    is_open = t < closing
    tail = np.exp(-epsilon * (t - closing)) - math.exp(-epsilon * (1.0 - closing))
    returning = np.where(is_open, 0.0, -tail / (epsilon * ra))

    def opening(alpha: float) -> NDArray[np.float64]:
        rise = np.exp(alpha * (t - closing)) * np.sin(math.pi * t / peak)
        return np.where(is_open, -rise / math.sin(math.pi * closing / peak), 0.0)

    alpha = brentq(lambda a: float(opening(a).sum() + returning.sum()), -20.0, 200.0)
    pulse = opening(alpha) + returning
    pulse -= pulse.mean()
    return np.asarray(pulse / np.sqrt(np.mean(pulse**2)))


def wavetables(rd: float, sample_rate_hz: int) -> NDArray[np.float32]:
    """The pulse for each range of pitch, without the harmonics that would alias: (levels, size)."""
    spectrum = np.fft.rfft(lf_pulse(rd))
    tables = []
    for level in range(NUM_LEVELS):
        highest_hz = LOWEST_HZ * 2.0 ** ((level + 1) / LEVELS_PER_OCTAVE)
        num_harmonics = int(0.42 * sample_rate_hz / highest_hz)
        kept = spectrum.copy()
        kept[num_harmonics + 1 :] = 0.0
        tables.append(np.fft.irfft(kept, TABLE_SIZE))
    return np.asarray(tables, dtype=np.float32)


def oscillate(
    tables: NDArray[np.float32], phase: NDArray[np.float64], f0_hz: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Read the table that fits the pitch, sample by sample; phase in periods, all shapes (n,)."""
    level = np.log2(f0_hz / LOWEST_HZ) * LEVELS_PER_OCTAVE
    row = np.clip(level.astype(np.int32), 0, NUM_LEVELS - 1) * TABLE_SIZE
    position = (phase % 1.0) * TABLE_SIZE
    left = position.astype(np.int32) % TABLE_SIZE
    weight = (position - left).astype(np.float32)
    flat = tables.ravel()
    return flat[row + left] * (1 - weight) + flat[row + (left + 1) % TABLE_SIZE] * weight
