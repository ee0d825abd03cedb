"""Cards: framed boxes, each with a name, what to know of it, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from app.ui.theme import Theme
from app.ui.widgets import SMALL, label


class Card(QFrame):
    """Something that there is: its name, what to know of it, and what can be done with it."""

    def __init__(self, theme: Theme, title: str, texts: list[str]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 10, 14, 10)
        self._column.setSpacing(3)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label(title, font=theme.font(weight=QFont.Weight.Medium), wrap=True), 1)
        self.mark = label("", "accent", theme.font(SMALL))
        head.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        self._column.addLayout(head)
        for text in filter(None, texts):
            self._column.addWidget(label(text, "muted", theme.font(SMALL), wrap=True))
        self._buttons = QHBoxLayout()
        self._buttons.setContentsMargins(0, 5, 0, 0)
        self._buttons.setSpacing(8)
        self._column.addLayout(self._buttons)

    def add(self, *widgets: QWidget) -> None:
        """Into the last row, from the left."""
        for widget in widgets:
            self._buttons.addWidget(widget)

    def end(self) -> None:
        """What is in the last row stays at its left."""
        self._buttons.addStretch()


def clear_layout(layout: QLayout) -> None:
    """Removes the widgets of a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
