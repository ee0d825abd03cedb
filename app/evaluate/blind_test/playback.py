"""Plays the three sounds of a triplet on the program's player, and gives the player back after."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.player.player import Player, Side, Sound
from engine.sound.loudness import Loudness

# Excerpts were made equally loud when they were cut; a peak of 1 keeps the player from adding to
# some of them more than to others.
AS_CUT = Loudness(-23.0, 1.0)

HEARD_S = 1.0  # from then on a sound counts as listened to

Part = Literal["query", "a", "b"]
PARTS: tuple[Part, ...] = ("query", "a", "b")


@dataclass(frozen=True)
class _Before:
    """What the player held."""

    sounds: tuple[Sound | None, ...]
    positions_s: tuple[float, ...]
    mix: float
    is_vocals_only: bool


class Playback(QObject):
    changed = Signal()  # what is heard, how far, and what has been heard

    def __init__(self, player: Player, titles: dict[Part, str], parent: QObject) -> None:
        super().__init__(parent)
        self._player = player
        self._titles = titles
        self._before: _Before | None = None
        self._sounds: dict[Part, Sound] = {}
        self.part: Part | None = None
        self.heard: set[Part] = set()
        player.state_changed.connect(self._player_changed)
        player.moved.connect(self._player_changed)

    @property
    def is_active(self) -> bool:
        """Whether the player is lent to the test."""
        return self._before is not None

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
        if self._before is not None:
            return
        player = self._player
        player.pause()
        self._before = _Before(
            tuple(player.sound(side) for side in Side),
            tuple(player.position_s(side) for side in Side),
            player.mix,
            player.is_vocals_only,
        )
        for side in Side:
            player.load(side, None)
        if player.is_vocals_only:
            player.set_vocals_only(False)  # people judge what models were given

    def end(self) -> None:
        """Gives it back as it was, paused."""
        before, self._before = self._before, None
        if before is None:
            return
        self._player.pause()
        for side in Side:
            self._player.load(side, before.sounds[side], before.positions_s[side])
        self._player.set_mix(before.mix)
        if before.is_vocals_only:
            self._player.set_vocals_only(True)
        self.part = None

    def set_sounds(self, paths: dict[Part, Path]) -> None:
        """Another triplet: nothing of it has been heard."""
        self._player.pause()
        self._sounds = {
            part: Sound(path, self._titles[part], "", None) for part, path in paths.items()
        }
        for path in paths.values():
            self._player.put_loudness(path, AS_CUT)
        self.part = None
        self.heard = set()
        self.changed.emit()

    def play(self, part: Part) -> None:
        """From its start."""
        self.part = part
        self._player.load(Side.QUERY, self._sounds[part])
        self._player.play(Side.QUERY)
        self.changed.emit()

    def toggle(self) -> None:
        """Pause, or go on; the query first, when nothing has been heard yet."""
        if self.part is None:
            self.play("query")
        else:
            self._player.toggle()

    def _player_changed(self) -> None:
        if not self.is_active:
            return
        if self.part is not None and self._player.position_s(Side.QUERY) >= HEARD_S:
            self.heard.add(self.part)
        self.changed.emit()
