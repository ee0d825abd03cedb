"""What is played: songs, and the two sides of a comparison."""

from __future__ import annotations

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
