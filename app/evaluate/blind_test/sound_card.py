"""A large button for one of the three sounds."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QMouseEvent
from PySide6.QtWidgets import QFrame

from app.ui.layouts import hbox, vbox
from app.ui.theme import Theme
from app.ui.widgets import SMALL, IconButton, ProgressBar, label, set_look


class SoundCard(QFrame):
    """Shows whether it sounds, how far it has come, and whether it was heard."""

    clicked = Signal()

    def __init__(self, theme: Theme, name: str, hint: str, keys: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(keys)
        self.button = IconButton(theme, "play", f"{name}: {hint}", colour="text", size=26)
        self.button.clicked.connect(self.clicked)
        self.bar = ProgressBar(name)
        self.bar.setRange(0, 1000)
        title = label(name, font=theme.font(2.0, QFont.Weight.Bold))
        text = label(f"{hint}\n{keys}", "muted", theme.font(SMALL), wrap=True)
        head = hbox((title, 1), (self.button, Qt.AlignmentFlag.AlignTop))
        vbox(head, None, text, self.bar, spacing=6, margins=(18, 8, 18, 12), of=self)

    def show_state(self, *, share: float | None, is_playing: bool, is_heard: bool) -> None:
        """``share`` of it that was played; None while another one is on."""
        self.button.set_icon("pause" if is_playing else "play")
        self.bar.setValue(round(1000 * (float(is_heard) if share is None else share)))
        state = self.tr("playing") if is_playing else self.tr("heard") if is_heard else ""
        self.button.setAccessibleDescription(state)
        set_look(self, "active", share is not None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()
