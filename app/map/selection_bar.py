"""What can be done with songs that a line was drawn around."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.ui.text_format import num_songs
from app.ui.theme import Theme
from app.ui.widgets import IconButton, button, label


class SelectionBar(QFrame):
    play_requested = Signal()
    playlist_requested = Signal()
    list_requested = Signal()
    cleared = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._count = label()
        play = button(self.tr("Play these"), "primary")
        playlist = button(self.tr("Keep as playlist…"))
        in_library = button(self.tr("Show in library"))
        clear = IconButton(theme, "close", self.tr("Let the selection go"), size=16)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(10)
        for widget in (self._count, play, playlist, in_library, clear):
            row.addWidget(widget)
        play.clicked.connect(self.play_requested)
        playlist.clicked.connect(self.playlist_requested)
        in_library.clicked.connect(self.list_requested)
        clear.clicked.connect(self.cleared)
        self.hide()

    def show_count(self, num: int) -> None:
        """Nothing is shown for nothing."""
        self._count.setText(num_songs(num))
        self.setVisible(num > 0)
        self.adjustSize()
