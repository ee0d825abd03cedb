"""What happens to the song that is pointed to: it is shown, it sounds, it is asked about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.map.hover_card import HoverCard
from app.map.preview import Preview
from app.map.view import MapView
from app.services.open_library import OpenLibrary
from engine.library import Track

MAX_TRACKS = 500  # kept, so that coming back to a song shows it at once


class Pointing(QObject):
    chosen = Signal(object)  # Track

    def __init__(
        self,
        view: MapView,
        card: HoverCard,
        preview: Preview,
        open_library: OpenLibrary,
        can_sound: Callable[[], bool],
        parent: QObject,
    ) -> None:
        """``can_sound``: whether resting on a song lets it sound."""
        super().__init__(parent)
        self._view = view
        self._card = card
        self._preview = preview
        self._open_library = open_library
        self._can_sound = can_sound
        self.ids = np.empty(0, np.int64)  # of the view's rows
        self.scores: dict[int, float] = {}  # likeness to the song asked for, where it is shown
        self.tracks: dict[int, Track] = {}
        self._is_choosing = False
        view.hovered.connect(self._hovered)
        view.chosen.connect(self._chosen)
        open_library.rows_arrived.connect(self._rows_arrived)

    def _hovered(self, row: int) -> None:
        self._is_choosing = False
        if row < 0:
            self._card.clear()
            self._preview.rest_on(None)
            return
        track_id = int(self.ids[row])
        if track_id in self.tracks:
            self._show(self.tracks[track_id])
        else:
            self._open_library.fetch_rows([track_id])

    def _chosen(self, row: int) -> None:
        self._preview.stop()
        track = self.tracks.get(int(self.ids[row]))
        if track is not None:
            self.chosen.emit(track)
        else:
            self._is_choosing = True
            self._open_library.fetch_rows([int(self.ids[row])])

    def _rows_arrived(self, tracks: list[Track]) -> None:
        row = self._view.row
        wanted = int(self.ids[row]) if 0 <= row < len(self.ids) else -1
        found = next((track for track in tracks if track.id == wanted), None)
        if found is None:
            return
        self.tracks[wanted] = found
        while len(self.tracks) > MAX_TRACKS:
            del self.tracks[next(iter(self.tracks))]
        if self._is_choosing:
            self._is_choosing = False
            self.chosen.emit(found)
        else:
            self._show(found)

    def _show(self, track: Track) -> None:
        score = self.scores.get(track.id, np.nan)
        note = ""
        if np.isfinite(score):
            note = self.tr("likeness {percent} %").format(percent=f"{100 * score:.0f}")
        view = self._view
        self._card.show_track(track, note, view.pixel_of(view.row), view.camera.covered)
        self._view.setAccessibleDescription(f"{track.title}, {track.artist}")
        if self._can_sound():
            self._preview.rest_on(track)
