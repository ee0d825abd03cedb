"""What is played: one song after another, on one of the two sides of a comparison."""

from __future__ import annotations

import os
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from app.ui.text_format import one_line, title_of
from engine.library.records import Track

MAX_SAVED = 1000  # songs that are there again after a restart
MAX_SAVED_PAST = 50


class Side(IntEnum):
    """Of the two songs that are compared: what was asked for, or what was found."""

    QUERY = 0
    RESULT = 1


class Repeat(StrEnum):
    """What comes after the last song, or after each."""

    NOTHING = "nothing"
    ALL = "all"
    ONE = "one"


@dataclass(frozen=True)
class Sound:
    """Something that can be played. ``track_id`` is None for a file outside the library."""

    path: Path
    title: str
    artist: str
    duration_s: float | None
    track_id: int | None = None
    album: str = ""


def sound_of_track(track: Track) -> Sound:
    return Sound(
        track.path,
        title_of(track),
        one_line(track.artist),
        track.duration_s,
        track.id,
        one_line(track.album),
    )


def sound_of_file(path: Path, duration_s: float | None = None) -> Sound:
    """A file that need not be in the library."""
    return Sound(path, one_line(path.stem), one_line(path.parent.name), duration_s or None)


@dataclass(frozen=True, eq=False)
class Entry:
    """A place in the queue. ``is_chosen``: somebody put it there, so it outlives what is begun."""

    sound: Sound
    is_chosen: bool = False


class PlayQueue(QObject):
    """The one truth about what plays next; the player follows it, the panel shows it.

    Attributes (to be read):
        side: on which its songs are played.
        entries: those that were played, the one now, and those to come.
        place: of the one now; -1 while none of them has been played.
    """

    changed = Signal()
    begun = Signal()  # something else than before is played

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.side = Side.QUERY
        self.entries: list[Entry] = []
        self.place = -1
        self.repeat = Repeat.NOTHING
        self.is_shuffled = False
        self._remember(())

    # What is so

    @property
    def current(self) -> Sound | None:
        return self.entries[self.place].sound if self.place >= 0 else None

    @property
    def coming(self) -> list[Entry]:
        return self.entries[self.place + 1 :]

    @property
    def has_next(self) -> bool:
        return self.place_after is not None

    @property
    def following(self) -> Sound | None:
        """What comes by itself when the song that plays is over."""
        place = self.place if self._is_repeating else self.place_after
        return None if place is None else self.entries[place].sound

    @property
    def _is_repeating(self) -> bool:
        return self.repeat is Repeat.ONE and self.place >= 0

    @property
    def place_after(self) -> int | None:
        """Of the next song, where there is one."""
        if self.place + 1 < len(self.entries):
            return self.place + 1
        return 0 if self.repeat is Repeat.ALL and self.entries else None

    # Playing

    def begin(self, side: Side, sounds: Sequence[Sound] = (), place: int = 0) -> None:
        """Other songs, of which the one at ``place`` plays; then those that somebody chose."""
        chosen = [entry for entry in self.coming if entry.is_chosen]
        entries = [Entry(sound) for sound in sounds]
        self.side, self.place = side, place if entries else -1
        until = self.place + 1
        self._remember([*chosen, *entries[until:]])
        self.entries = [*entries[:until], *chosen, *self._mixed(entries[until:])]
        self.begun.emit()
        self.changed.emit()

    def _remember(self, coming: Sequence[Entry]) -> None:
        """The order of songs that are shuffled, for as long as they are in the queue."""
        numbered = enumerate(coming) if self.is_shuffled else ()
        self._order = WeakKeyDictionary({entry: number for number, entry in numbered})

    def _mixed(self, entries: list[Entry]) -> list[Entry]:
        return random.sample(entries, len(entries)) if self.is_shuffled else entries

    def advance(self) -> None:
        """The song is over: on to what comes by itself."""
        if not self._is_repeating and (after := self.place_after) is not None:
            self.go_to(after)

    def go_to(self, place: int) -> None:
        self.place = place
        self.changed.emit()

    # Changing

    def add(
        self, sounds: Sequence[Sound], *, is_next: bool = False, is_chosen: bool = True
    ) -> None:
        """Right after the song that plays, or at the end."""
        self.insert(sounds, self.place + 1 if is_next else len(self.entries), is_chosen=is_chosen)

    def insert(self, sounds: Sequence[Sound], place: int, *, is_chosen: bool = True) -> None:
        new = [Entry(sound, is_chosen) for sound in sounds]
        self._set([*self.entries[:place], *new, *self.entries[place:]])

    def move(self, places: Collection[int], to: int) -> None:
        """Takes entries out, and puts them in before the one that is at ``to`` now."""
        taken = set(places)
        moved = [self.entries[place] for place in sorted(taken)]
        kept = [(i, entry) for i, entry in enumerate(self.entries) if i not in taken]
        before = [entry for i, entry in kept if i < to]
        self._set([*before, *moved, *(entry for i, entry in kept if i >= to)])

    def remove(self, places: Collection[int]) -> None:
        """All of these but the song that plays."""
        gone = set(places) - {self.place}
        self._set([entry for i, entry in enumerate(self.entries) if i not in gone])

    def clear(self) -> None:
        """Nothing is left but the song that plays."""
        self.remove(range(len(self.entries)))

    def set_repeat(self, repeat: Repeat) -> None:
        self.repeat = repeat
        self.changed.emit()

    def set_shuffled(self, is_shuffled: bool) -> None:
        """What is to come in any order, or in the one from before again."""
        if is_shuffled == self.is_shuffled:
            return
        self.is_shuffled, coming = is_shuffled, self.coming
        if is_shuffled:
            self._remember(coming)
            coming = self._mixed(coming)
        else:
            last = max(self._order.values(), default=0) + 1
            coming = sorted(coming, key=lambda entry: self._order.get(entry, last))
        self._set([*self.entries[: self.place + 1], *coming])

    def _set(self, entries: list[Entry]) -> None:
        current = self.entries[self.place] if self.place >= 0 else None
        self.entries = entries
        self.place = -1 if current is None else entries.index(current)
        self.changed.emit()

    # Across a restart

    def state(self) -> dict[str, Any]:
        """As ``restore`` takes it, in what JSON can write."""
        first = max(0, self.place - MAX_SAVED_PAST)
        return {
            "place": self.place - first if self.place >= 0 else -1,
            "repeat": str(self.repeat),
            "is_shuffled": self.is_shuffled,
            "songs": [
                [*saved(entry.sound), entry.is_chosen]
                for entry in self.entries[first : first + MAX_SAVED]
            ],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Raises KeyError, TypeError, ValueError, and changes nothing, where it makes no sense."""
        entries = [Entry(from_saved(song[:-1]), bool(song[-1])) for song in state["songs"]]
        place, repeat = int(state["place"]), Repeat(state["repeat"])
        if not -1 <= place < max(1, len(entries)) or (place >= 0 and not entries):
            raise ValueError(place)
        self.entries, self.place, self.repeat = entries, place, repeat
        self.is_shuffled = bool(state["is_shuffled"])
        self._remember(self.coming)
        self.changed.emit()


def saved(sound: Sound) -> list[Any]:
    """As JSON can write it."""
    names = [sound.title, sound.artist, sound.album]
    return [os.fsdecode(sound.path), *names, sound.duration_s, sound.track_id]


def from_saved(values: Sequence[Any]) -> Sound:
    """What ``saved`` gave. Raises TypeError, ValueError."""
    path, title, artist, album, duration_s, track_id = values
    return Sound(
        Path(str(path)),
        str(title),
        str(artist),
        None if duration_s is None else float(duration_s),
        None if track_id is None else int(track_id),
        str(album),
    )
