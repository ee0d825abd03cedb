"""Which songs come after the one that plays, and which came before it."""

from __future__ import annotations

from collections.abc import Sequence

from app.player.sounds import Side, Sound


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
