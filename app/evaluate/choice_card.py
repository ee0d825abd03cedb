"""A card with a check box, what it stands for, and why it may not do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QMouseEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QSizePolicy

from app.ui.layouts import hbox, vbox
from app.ui.theme import Theme
from app.ui.widgets import SMALL, label, set_look


class ChoiceCard(QFrame):
    changed = Signal()

    def __init__(self, theme: Theme, title: str, text: str, small: str = "") -> None:
        super().__init__()
        self.setObjectName("card")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.box = QCheckBox()
        self.box.setAccessibleName(title)
        self.box.setAccessibleDescription(" ".join(filter(None, (text, small))))
        self.box.toggled.connect(self._show_weight)
        self.box.toggled.connect(self.changed)
        self._note = label(role="muted", font=theme.font(SMALL, QFont.Weight.Medium), wrap=True)
        self._note.hide()
        name = label(title, font=theme.font(weight=QFont.Weight.DemiBold), wrap=True)
        lines = [name, label(text, wrap=True)]
        if small:
            lines.append(label(small, "muted", theme.font(SMALL), wrap=True))
        texts = vbox(*lines, self._note, None, spacing=2)
        box = (self.box, Qt.AlignmentFlag.AlignTop)
        hbox(box, (texts, 1), spacing=12, margins=(14, 10, 14, 11), of=self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    @property
    def is_chosen(self) -> bool:
        return self.box.isChecked()

    @property
    def note(self) -> str:
        return self._note.text()

    def set_note(self, text: str) -> None:
        """Why it cannot be had as things are; "" when it can."""
        self._note.setText(text)
        self._note.setVisible(bool(text))
        self.box.setStatusTip(text)

    def _show_weight(self, is_chosen: bool) -> None:
        """An obstacle is an alarm only for what is wanted."""
        set_look(self._note, "role", "error" if is_chosen else "muted")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.box.isEnabled() and event.button() == Qt.MouseButton.LeftButton:
            self.box.toggle()
            self.box.setFocus(Qt.FocusReason.MouseFocusReason)
