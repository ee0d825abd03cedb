"""The song below the pointer: its cover and names are shown, it sounds, it is asked about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QLabel

from app.library.covers import Covers
from app.map.view import MapView
from app.player.loan import Loan
from app.player.player import Player
from app.player.queue import sound_of_track
from app.services.services import Services
from app.ui.layouts import hbox, vbox
from app.ui.text_format import one_line, title_of
from app.ui.widgets import SMALL, ElidedLabel
from engine.library import Track, TrackStatus

REST_MS = 350
START_SHARE = 0.3  # of a song: the singing has begun there, most of the time


class Preview(QObject):
    def __init__(self, player: Player, parent: QObject) -> None:
        super().__init__(parent)
        self._player = player
        self._track: Track | None = None
        self._loan = Loan(player)
        self._is_refused = False  # there is no sound device, say: once told is enough
        player.problem.connect(self._refused)
        self.is_wanted = True  # by the person
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._start)

    def rest_on(self, track: Track | None) -> None:
        """The song below the pointer now; None for nowhere."""
        self._track = track
        can_sound = self.is_wanted and not self._is_refused
        if track is not None and track.status is not TrackStatus.MISSING and can_sound:
            self._rest.start()
        else:
            self.stop()

    def set_wanted(self, is_wanted: bool) -> None:
        self.is_wanted = is_wanted
        if not is_wanted:
            self.stop()

    def begin(self) -> None:
        """The page is shown: it is worth trying again."""
        self._is_refused = False

    @property
    def is_on(self) -> bool:
        """Something sounds, or fails to, that nobody has asked for."""
        return self._loan.is_on

    def stop(self) -> None:
        """Silence, if it is the preview that plays; whatever was paused is there again."""
        self._rest.stop()
        self._loan.end()

    def _refused(self, reason: str) -> None:
        self._is_refused = self.is_on

    def _start(self) -> None:
        if self._track is not None and (self.is_on or not self._player.is_playing):
            self._loan.begin()
            start_s = START_SHARE * (self._track.duration_s or 0.0)
            self._loan.play(sound_of_track(self._track), start_s)


COVER_PX = 44
WIDTH_PX = 270
AWAY_PX = 16
EDGE_PX = 8


class HoverCard(QFrame):
    """Attributes:
    ids: of the songs in the view's rows.
    scores: likeness to the song asked for, where it is shown.
    """

    chosen = Signal(object)  # Track

    def __init__(self, services: Services, covers: Covers, view: MapView, preview: Preview) -> None:
        super().__init__(view)
        theme = services.theme
        self.setObjectName("card")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedWidth(WIDTH_PX)
        self._view, self._preview, self._open_library = view, preview, services.open_library
        self._covers = covers
        self.ids = np.empty(0, np.int64)
        self.scores: dict[int, float] = {}
        self._track: Track | None = None  # the one that is shown
        self._cover = QLabel()
        self._cover.setFixedSize(QSize(COVER_PX, COVER_PX))
        self._title = ElidedLabel(font=theme.font(weight=QFont.Weight.DemiBold))
        self._artist = ElidedLabel(role="muted", font=theme.font(SMALL))
        self._note = ElidedLabel(role="muted", font=theme.font(SMALL))
        texts = vbox(self._title, self._artist, self._note, spacing=1)
        hbox(self._cover, (texts, 1), spacing=10, margins=(8, 8, 12, 8), of=self)
        self.hide()
        covers.arrived.connect(self._draw_cover)
        view.hovered.connect(self._hovered)
        view.chosen.connect(self._choose)

    def _hovered(self, row: int) -> None:
        if row < 0:
            self._track = None
            self.hide()
            self._preview.rest_on(None)
        else:
            self._fetch(row, self._show)

    def _choose(self, row: int) -> None:
        self._preview.stop()
        self._fetch(row, self.chosen.emit)

    def _fetch(self, row: int, use: Callable[[Track], object]) -> None:
        """``use`` gets the song of a row, if that is still the one below the pointer."""
        track_id = int(self.ids[row])

        def use_it(tracks: list[Track]) -> None:
            now = self._view.row
            if tracks and 0 <= now < len(self.ids) and self.ids[now] == track_id:
                use(tracks[0])

        self._open_library.fetch_tracks([track_id], use_it)

    def _show(self, track: Track) -> None:
        self._track = track
        self._title.setText(title_of(track))
        self._artist.setText(
            " · ".join(filter(None, (one_line(track.artist), one_line(track.album))))
        )
        if np.isfinite(score := self.scores.get(track.id, np.nan)):
            text = self.tr("likeness {percent} %")
            self._note.setText(text.format(percent=f"{100 * score:.0f}"))
        self._note.setVisible(bool(np.isfinite(score)))
        self._draw_cover()
        self._place()
        self._view.setAccessibleDescription(f"{track.title}, {track.artist}")
        self._preview.rest_on(track)

    def _place(self) -> None:
        """Beside the point, on whichever side there is room."""
        self.adjustSize()
        at, room = self._view.pixel_of(self._view.row), self._view.size()
        x, left = at.x() + AWAY_PX, at.x() - AWAY_PX - self.width()
        most = room.width() - EDGE_PX - self.width()
        if x > most and left >= EDGE_PX:
            x = left
        y = min(max(EDGE_PX, at.y() - self.height() // 2), room.height() - self.height() - EDGE_PX)
        self.move(min(x, most), y)
        self.raise_()
        self.show()

    def _draw_cover(self) -> None:
        if self._track is not None:
            ratio = self.devicePixelRatioF()
            self._cover.setPixmap(self._covers.of_track(self._track, COVER_PX, ratio))
