"""Which file is heard of a song: all of it, or its separated vocals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.player.queue import Sound


class Stems:
    """Vocals are remembered for the songs at hand only: others may be deleted or made anew.

    Attributes:
        is_vocals_only: vocals are heard, as soon as there are any.
        is_plain: whole songs are heard all the same.
    """

    def __init__(self) -> None:
        self.is_vocals_only = self.is_plain = False
        self._vocals: dict[Path, Path] = {}  # of songs

    def file_of(self, sound: Sound | None) -> Path | None:
        if sound is None:
            return None
        is_whole = self.is_plain or not self.is_vocals_only
        return sound.path if is_whole else self._vocals.get(sound.path, sound.path)

    def put(self, path: Path, vocals_path: Path) -> None:
        self._vocals[path] = vocals_path

    def drop(self, path: Path) -> bool:
        """The vocals cannot be read; False where it was the song itself."""
        return self._vocals.pop(path, path) != path

    def missing(self, sounds: Sequence[Sound | None]) -> list[Sound]:
        """Those at hand whose vocals are wanted and not there; of others, none are kept."""
        is_wanted = self.is_vocals_only and not self.is_plain
        at_hand = {sound.path: sound for sound in sounds if sound is not None and is_wanted}
        self._vocals = {path: self._vocals[path] for path in at_hand if path in self._vocals}
        return [sound for path, sound in at_hand.items() if path not in self._vocals]
