"""Plays the three sounds of a triplet on the program's player, and gives the player back after."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.player.loan import Loan
from app.player.player import Player, Side, Sound

HEARD_S = 1.0  # from then on a sound counts as listened to

Part = Literal["query", "a", "b"]
PARTS: tuple[Part, ...] = ("query", "a", "b")


class Playback(QObject):
    changed = Signal()  # what is heard, how far, and what has been heard

    def __init__(self, player: Player, titles: dict[Part, str], parent: QObject) -> None:
        super().__init__(parent)
        self._player = player
        self._titles = titles
        self._loan = Loan(player, is_plain=True)  # excerpts were made equally loud when cut
        self._sounds: dict[Part, Sound] = {}
        self.part: Part | None = None
        self.heard: set[Part] = set()
        player.state_changed.connect(self._player_changed)
        player.moved.connect(self._player_changed)

    @property
    def is_active(self) -> bool:
        """Whether the player is lent to the test."""
        return self._loan.is_on

    @property
    def is_playing(self) -> bool:
        return self.is_active and self._player.is_playing

    @property
    def share(self) -> float:
        """How much of the sound at hand has been played, 0 to 1."""
        duration_s = self._player.duration_s(Side.QUERY)
        return min(1.0, self._player.position_s(Side.QUERY) / duration_s) if duration_s else 0.0

    def begin(self) -> None:
        """Takes the player over."""
        self._loan.begin()

    def end(self) -> None:
        """Gives it back as it was, paused."""
        self._loan.end()
        self.part = None

    def set_sounds(self, paths: dict[Part, Path]) -> None:
        """Another triplet: nothing of it has been heard."""
        self._player.pause()
        self._sounds = {
            part: Sound(path, self._titles[part], "", None) for part, path in paths.items()
        }
        self.part = None
        self.heard = set()
        self.changed.emit()

    def play(self, part: Part) -> None:
        """From its start."""
        self.part = part
        self._loan.begin()  # unless it still has it
        self._loan.play(self._sounds[part])
        self.changed.emit()

    def toggle(self) -> None:
        """Pause, or go on; the query first, when nothing has been heard yet."""
        if self.part is None or not self.is_active:
            self.play(self.part or "query")
        else:
            self._player.toggle()

    def _player_changed(self) -> None:
        if not self.is_active:
            return
        if self.part is not None and self._player.position_s(Side.QUERY) >= HEARD_S:
            self.heard.add(self.part)
        self.changed.emit()
