"""Sound at one sample rate -> at another, by the resampler that decoding has as well (FFmpeg's).

libsoxr was tried for both: alike for mono, but songs in stereo then took 40 % longer to decode to
16 kHz, since a decoder converts format, channels and rate in one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np


def resampled(
    chunks: Iterable[np.ndarray], from_hz: int = 44_100, to_hz: int = 16_000
) -> Iterator[np.ndarray]:
    """(n,) float32 pieces -> the same sound at the other rate, ceil(n * to / from) samples in all.

    Pieces join without a seam, whatever their length. Of less than 1 ms nothing may be left.
    """
    import av  # the window needs none of it for its first picture

    resampler = av.AudioResampler("fltp", "mono", to_hz)
    for chunk in chunks:
        if not len(chunk):  # FFmpeg has no such frames
            continue
        samples = np.ascontiguousarray(chunk[None], dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
        frame.sample_rate = from_hz
        yield from (piece.to_ndarray()[0] for piece in resampler.resample(frame))
    yield from (piece.to_ndarray()[0] for piece in resampler.resample(None))


def resample(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """The same for all of it at once: (n,) or (num_channels, n) -> float32."""
    if samples.ndim > 1:
        return np.stack([resample(one, from_hz, to_hz) for one in samples])
    seconds = (samples[start : start + from_hz] for start in range(0, len(samples), from_hz))
    return np.concatenate([np.zeros(0, np.float32), *resampled(seconds, from_hz, to_hz)])
