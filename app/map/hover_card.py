"""Cover, title and artist of the song below the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.library.covers import Covers
from app.ui.text_format import one_line, title_of
from app.ui.theme import Theme
from app.ui.widgets import SMALL, ElidedLabel
from engine.library import Track

COVER_PX = 44
WIDTH_PX = 270
AWAY_PX = 16


class HoverCard(QFrame):
    def __init__(self, theme: Theme, covers: Covers, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._room = parent
        self._covers = covers
        self._track: Track | None = None
        self._cover = QLabel()
        self._cover.setFixedSize(QSize(COVER_PX, COVER_PX))
        self._title = ElidedLabel(font=theme.font(weight=QFont.Weight.DemiBold))
        self._artist = ElidedLabel(role="muted", font=theme.font(SMALL))
        self._note = ElidedLabel(role="muted", font=theme.font(SMALL))
        texts = QVBoxLayout()
        texts.setSpacing(1)
        for line in (self._title, self._artist, self._note):
            texts.addWidget(line)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 12, 8)
        row.setSpacing(10)
        row.addWidget(self._cover)
        row.addLayout(texts, 1)
        self.setFixedWidth(WIDTH_PX)
        covers.arrived.connect(self._draw_cover)
        self.hide()

    def show_track(self, track: Track, note: str, at: QPoint, covered: int = 0) -> None:
        """Beside a point of the parent, on whichever side there is room.

        ``covered``: pixels at the right of the parent that the card had better leave free.
        """
        self._track = track
        self._title.setText(title_of(track))
        self._artist.setText(
            " · ".join(filter(None, (one_line(track.artist), one_line(track.album))))
        )
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._draw_cover()
        self.adjustSize()
        parent = self._room
        x = at.x() + AWAY_PX
        left = at.x() - AWAY_PX - self.width()
        if x + self.width() > parent.width() - 8 - covered and left >= 8:
            x = left
        y = min(max(8, at.y() - self.height() // 2), parent.height() - self.height() - 8)
        self.move(min(x, parent.width() - 8 - self.width()), y)
        self.raise_()
        self.show()

    def clear(self) -> None:
        self._track = None
        self.hide()

    def _draw_cover(self) -> None:
        if self._track is not None:
            self._cover.setPixmap(
                self._covers.of_track(self._track, COVER_PX, self.devicePixelRatioF())
            )
