"""What is played: songs on the two sides of a comparison, those to come, and those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Side(IntEnum):
    """Which of the two songs."""

    QUERY = 0
    RESULT = 1


@dataclass(frozen=True)
class Sound:
    """Something that can be played. ``track_id`` is None for a file outside the library."""

    path: Path
    title: str
    artist: str
    duration_s: float | None
    track_id: int | None = None


class PlayQueue:
    """Attributes:
    side: of the song that the queue belongs to.
    coming: the next one first. past: the latest one last.
    """

    def __init__(self) -> None:
        self.side = Side.QUERY
        self.coming: list[Sound] = []
        self.past: list[Sound] = []

    def begin(self, side: Side, coming: Sequence[Sound] = (), past: Sequence[Sound] = ()) -> None:
        self.side, self.coming, self.past = side, list(coming), list(past)

    def advance(self, current: Sound | None) -> Sound:
        """The next song, which is none of the coming ones from now on."""
        if current is not None:
            self.past.append(current)
        return self.coming.pop(0)
