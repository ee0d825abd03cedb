"""Streams of sound at one sample rate -> at another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import gcd

import numpy as np

# Of the filter, to either side, in samples of the lower rate; Kaiser's window of this shape.
HALF_PERIODS, BETA = 10, 5.0


@lru_cache(maxsize=8)
def _taps(up: int, down: int) -> np.ndarray:
    from scipy.signal import firwin  # takes 0.8 s, for which no window should wait

    half = HALF_PERIODS * max(up, down)
    taps = firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", BETA)) * up
    # The first output is to stand where the first input does: whole steps of ``down`` before it.
    return np.asarray(np.concatenate([np.zeros(-half % down), taps]), dtype=np.float32)


def resampled(
    chunks: Iterable[np.ndarray], from_hz: int = 44_100, to_hz: int = 16_000
) -> Iterator[np.ndarray]:
    """(n,) float32 pieces -> the same sound at the other rate, ceil(n * to / from) samples in all.

    Each piece is filtered with its neighbours around it, so that pieces join without a seam.
    """
    from scipy.signal import upfirdn

    divisor = gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    taps = _taps(up, down)
    num_skipped = -(-HALF_PERIODS * max(up, down) // down)
    # As long as the filter, in whole steps of both rates.
    margin = -(-(HALF_PERIODS * max(up, down) // up + 1) // down) * down

    def filtered(held: np.ndarray, num_ready: int) -> np.ndarray:
        """``num_ready`` samples after the margin, resampled."""
        start = num_skipped + margin // down * up
        return np.asarray(upfirdn(taps, held, up, down)[start : start + -(-num_ready * up // down)])

    held = np.zeros(margin, np.float32)  # the margin, then what is not yet returned
    for chunk in chunks:
        held = np.concatenate([held, chunk])
        num_ready = (len(held) - 2 * margin) // down * down
        if num_ready >= from_hz:
            yield filtered(held[: num_ready + 2 * margin], num_ready)
            held = held[num_ready:]
    num_left = len(held) - margin
    if num_left > 0:
        yield filtered(np.concatenate([held, np.zeros(margin, np.float32)]), num_left)
