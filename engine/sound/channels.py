"""Any number of channels -> two or one, also where channels of opposite sign would cancel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Power of the mean of all channels, of the mean power of each. Two unlike channels have a half.
CANCELLED_SHARE = 0.01
# Centre, sides and back against the front (ITU-R BS.775).
SIDE_GAIN = 0.5**0.5
# Front, centre and side may add up to more than full scale; this undoes it.
SURROUND_GAIN = 1 / (1 + 2 * SIDE_GAIN)
_FRONT = ("FL", "FR", "DL", "DR")


def in_phase(samples: np.ndarray) -> np.ndarray:
    """(num_channels, n) float32 -> the same, signs turned where the channels cancel each other.

    A microphone wired the wrong way round, or an effect of "extra width", leaves nothing of a song
    in the mean of its channels. One channel that does not take part loses nothing by it.
    """
    mean_power = np.square(samples.mean(0)).mean()
    powers = np.square(samples).mean(1)
    if len(samples) == 1 or mean_power >= CANCELLED_SHARE * powers.mean():
        return samples
    loudest = samples[powers.argmax()]
    return samples * np.where(samples @ loudest < 0, np.float32(-1), np.float32(1))[:, None]


def mono(samples: np.ndarray) -> np.ndarray:
    """(num_channels, n) -> (n,): the mean of all channels, in phase."""
    return in_phase(samples).mean(0)


def mixed_down(samples: np.ndarray, names: Sequence[str], num_channels: int) -> np.ndarray:
    """(any, n) float32 -> (1 or 2, n), as many as asked for. Mono fills both channels.

    Args:
        names: of the channels, as FFmpeg calls them (``FL``, ``LFE``); others where a file does not
            say what they are.
    """
    if len(samples) > 2:
        samples = _matrix(names) @ in_phase(samples)
    if num_channels == 1:
        return mono(samples)[None]
    return samples if len(samples) == 2 else np.repeat(samples, 2, axis=0)


def _matrix(names: Sequence[str]) -> np.ndarray:
    """(2, num_channels) float32. The first channel of Ambisonics is the sound of all directions."""
    if names[0].startswith("AMBI"):
        return np.eye(1, len(names), dtype=np.float32).repeat(2, axis=0)
    matrix = np.zeros((2, len(names)), np.float32)
    for column, name in zip(matrix.T, names, strict=True):
        if not name.startswith("LFE"):  # a loudspeaker for effects, not a voice
            gain = 1.0 if name in _FRONT else 0.5 if name == "BC" else SIDE_GAIN
            column[:] = gain * ("R" not in name), gain * ("L" not in name)
    return matrix * np.float32(SURROUND_GAIN)
