"""Somebody plays in between, for a preview or a blind test, and leaves the player as it was."""

from __future__ import annotations

from app.player.player import Player, Side, Sound


class Loan:
    """Of the player to one borrower at a time; whoever plays a song of their own ends it."""

    def __init__(self, player: Player, *, is_plain: bool = False) -> None:
        """``is_plain``: files are heard as they are, neither made equally loud nor as vocals."""
        self._player = player
        self._is_plain = is_plain
        self._before: Loaded | None = None

    @property
    def is_on(self) -> bool:
        return self._before is not None and self._player.is_lent

    def begin(self) -> None:
        if not self.is_on:
            self._before = Loaded(self._player)
            self._player.lend(True, self._is_plain)
            for side in Side:
                self._player.put(side, None)

    def play(self, sound: Sound, start_s: float = 0.0) -> None:
        self._player.load(Side.QUERY, sound, start_s)
        self._player.play(Side.QUERY)

    def end(self) -> None:
        """The player holds what it held before, paused."""
        if self.is_on and self._before is not None:
            self._before.put_back()
        self._before = None


class Loaded:
    """What a player holds beside its queue; it is paused when that is noted."""

    def __init__(self, player: Player) -> None:
        player.pause()
        self._player = player
        self._sides = [(side, player.sound(side), player.position_s(side)) for side in Side]
        self._moments, self._mix, self._picked = player.moments, player.mix, player.picked
        self._is_lent, self._is_plain = player.is_lent, player.is_plain

    def put_back(self) -> None:
        player = self._player
        player.pause()
        player.lend(self._is_lent, self._is_plain)
        for one in self._sides:
            player.put(*one)
        player.moments, player.picked = self._moments, self._picked
        player.set_mix(self._mix)
        player.state_changed.emit()
