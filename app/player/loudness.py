"""Brings songs to one loudness, so that neither a list nor a comparison jumps in volume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from engine.sound.loudness import FLOOR_LUFS, Loudness

TARGET_LUFS = -18.0  # what ReplayGain 2 aims at: nearly all music reaches it without clipping
LOWEST_LUFS = -26.0  # one song with a huge range must not make the other a whisper
TYPICAL = Loudness(-12.0, 1.0)  # until a song has been measured
STEP_DB = 0.7  # of a tick of 33 ms: a correction that is not heard as a jump


class Levels:
    """What is known of the loudness of files.

    Attributes:
        is_on: False plays everything as it is. is_plain: the same, for a while.
    """

    def __init__(self, is_on: bool = True) -> None:
        self.is_on = is_on
        self.is_plain = False
        self._known: dict[Path, Loudness] = {}

    def put(self, path: Path, loudness: Loudness) -> None:
        self._known[path] = loudness

    def gains(self, paths: Sequence[Path | None]) -> list[float]:
        """For songs that are compared: equally loud, and no sample beyond full scale."""
        if self.is_plain or not self.is_on:
            return [1.0] * len(paths)
        known = [TYPICAL if path is None else self._known.get(path, TYPICAL) for path in paths]
        reachable = [
            max(LOWEST_LUFS, one.lufs - 20 * math.log10(max(one.peak, 1e-3)))
            for one in known
            if one.lufs > FLOOR_LUFS
        ]
        target = min([TARGET_LUFS, *reachable])
        return [one.gain_to(target) for one in known]


def stepped(gain: float, target: float) -> float:
    """One step from a gain towards another."""
    factor = 10 ** (STEP_DB / 20)
    return min(max(target, gain / factor), gain * factor)
