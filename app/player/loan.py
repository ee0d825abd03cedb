"""Somebody plays in between, for a preview or a blind test, and leaves the player as it was."""

from __future__ import annotations

from collections.abc import Callable

from app.player.player import Player, Side, Sound


class Loan:
    """Of the player to one borrower at a time; whoever plays a song of their own ends it."""

    def __init__(self, player: Player, *, is_plain: bool = False) -> None:
        """``is_plain``: files are heard as they are, neither made equally loud nor as vocals."""
        self._player = player
        self._is_plain = is_plain
        self._put_back: Callable[[], None] | None = None

    @property
    def is_on(self) -> bool:
        return self._put_back is not None and self._player.is_lent

    def begin(self) -> None:
        if self.is_on:
            return
        player = self._player
        player.pause()
        sides = [(side, player.sound(side), player.position_s(side)) for side in Side]
        moments, mix, picked = player.moments, player.mix, player.picked

        def put_back() -> None:
            player.pause()
            player.lend(False)
            for one in sides:
                player.put(*one)
            player.moments, player.picked = moments, picked
            player.set_mix(mix)
            player.state_changed.emit()

        self._put_back = put_back
        player.lend(True, self._is_plain)
        for side in Side:
            player.put(side, None)

    def play(self, sound: Sound, start_s: float = 0.0) -> None:
        self._player.load(Side.QUERY, sound, start_s)
        self._player.play(Side.QUERY)

    def end(self) -> None:
        """The player holds what it held before, paused."""
        if self.is_on and self._put_back is not None:
            self._put_back()
        self._put_back = None
