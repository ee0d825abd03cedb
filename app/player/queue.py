"""What is played: songs on the two sides of a comparison, those to come, and those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from app.ui.text_format import one_line, title_of
from engine.library.records import Track


class Side(IntEnum):
    """Of the two songs that are compared: what was asked for, or what was found."""

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


def sound_of_track(track: Track) -> Sound:
    return Sound(track.path, title_of(track), one_line(track.artist), track.duration_s, track.id)


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
