"""Cards: framed boxes, each with a name, what to know of it, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QLayout, QWidget

from app.ui.layouts import hbox, vbox
from app.ui.theme import Theme
from app.ui.widgets import SMALL, label


class Card(QFrame):
    """Something that there is: its name, what to know of it, and what can be done with it."""

    def __init__(self, theme: Theme, title: str, texts: list[str]) -> None:
        super().__init__()
        self.setObjectName("card")
        name = label(title, font=theme.font(weight=QFont.Weight.Medium), wrap=True)
        self.mark = label("", "accent", theme.font(SMALL))
        head = hbox((name, 1), (self.mark, Qt.AlignmentFlag.AlignTop), spacing=8)
        small = theme.font(SMALL)
        lines = [label(text, "muted", small, wrap=True) for text in texts if text]
        self._buttons = hbox(spacing=8, margins=(0, 5, 0, 0))
        vbox(head, *lines, self._buttons, spacing=3, margins=(14, 10, 14, 10), of=self)

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
