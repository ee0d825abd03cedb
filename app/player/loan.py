"""Somebody plays in between, for a preview or a blind test, and leaves the player as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.player.queue import Side, Sound

if TYPE_CHECKING:
    from app.player.player import Player


@dataclass(frozen=True)
class Held:
    """What a player holds beside its queue: songs and places in seconds of both sides.

    Attributes:
        moments, mix, picked, is_lent, is_plain: as the player's.
    """

    sounds: tuple[Sound | None, ...] = (None, None)
    places_s: tuple[float, float] = (0.0, 0.0)
    moments: tuple[float, float] | None = None
    mix: float = 0.0
    picked: Sound | None = None
    is_lent: bool = False
    is_plain: bool = False


class Loan:
    """Of the player to one borrower at a time; whoever plays a song of their own ends it."""

    def __init__(self, player: Player, *, is_plain: bool = False) -> None:
        """``is_plain``: files are heard as they are, neither made equally loud nor as vocals."""
        self._player = player
        self._is_plain = is_plain
        self._before: Held | None = None

    @property
    def is_on(self) -> bool:
        return self._before is not None and self._player.is_lent

    def begin(self) -> None:
        if not self.is_on:
            self._before = self._player.exchange(Held(is_lent=True, is_plain=self._is_plain))

    def play(self, sound: Sound, start_s: float = 0.0) -> None:
        self._player.load(Side.QUERY, sound, start_s)
        self._player.play(Side.QUERY)

    def end(self) -> None:
        """The player holds what it held before, paused."""
        if self.is_on and self._before is not None:
            self._player.exchange(self._before)
        self._before = None
