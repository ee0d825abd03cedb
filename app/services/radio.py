"""Endless radio: while it is on, the queue never ends, and every song has a voice near to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.player.player import Player, Side
from app.player.queue import Sound, from_saved, saved, sound_of_track
from app.services.search_service import SearchService
from engine.library import Track
from engine.search import By, Neighbour
from engine.search.radio import radio

NUM_AHEAD = 5  # songs that are to come at least


class Radio(QObject):
    """Ends by itself when something else is played.

    Attributes:
        seed: the song whose voice is meant; None while it is off.
    """

    changed = Signal()
    problem = Signal(str)

    def __init__(
        self, search: SearchService, player: Player, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._search = search
        self._player, self._queue = player, player.queue
        self.seed: Sound | None = None
        self._by: By = "vocals"
        self._is_asking = False
        self._queue.begun.connect(self.stop)
        self._queue.changed.connect(self._fill)

    def start(self, track: Track) -> None:
        """Plays the song, and then others; of one that nobody sings, those of its whole sound."""
        seed = sound_of_track(track)
        self._player.play(Side.QUERY, seed)
        self.seed, self._by = seed, "overall" if track.has_vocals is False else "vocals"
        self.changed.emit()
        self._fill()

    def stop(self) -> None:
        """What is in the queue stays there."""
        if self.seed is not None:
            self.seed, self._is_asking = None, False
            self._search.stop("radio")
            self.changed.emit()

    @property
    def text(self) -> str:
        """What it plays; "" while it is off."""
        if self.seed is None:
            return ""
        if self._by == "overall":
            return self.tr("Radio: songs like “{title}”").format(title=self.seed.title)
        name = self.seed.artist or self.seed.title
        return self.tr("Radio: voices like {name}’s").format(name=name)

    def _fill(self) -> None:
        seed = self.seed
        is_enough = len(self._queue.coming) >= NUM_AHEAD
        if seed is None or seed.track_id is None or is_enough or self._is_asking:
            return
        self._is_asking = True
        played = [e.sound.track_id for e in self._queue.entries if e.sound.track_id is not None]
        track_id, by = seed.track_id, self._by
        self._search.ask(
            "radio",
            lambda searcher, _: radio(searcher, track_id, played, by),
            self._add,
            self._fail,
        )

    def _add(self, found: Sequence[Neighbour]) -> None:
        self._is_asking = False
        self._queue.add([sound_of_track(one.track) for one in found], is_chosen=False)

    def _fail(self, reason: str) -> None:
        self.stop()
        self.problem.emit(reason)

    # Across a restart

    def state(self) -> dict[str, Any] | None:
        """As ``restore`` takes it, in what JSON can write."""
        return None if self.seed is None else {"seed": saved(self.seed), "by": self._by}

    def restore(self, state: dict[str, Any] | None) -> None:
        """Goes on. Raises KeyError, TypeError, ValueError where it makes no sense."""
        if state is not None:
            self.seed = from_saved(state["seed"])
            self._by = "overall" if state["by"] == "overall" else "vocals"
            self.changed.emit()
            self._fill()
