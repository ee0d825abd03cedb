"""What the sections of the preferences are built from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.ui.theme import Theme
from app.ui.widgets import SMALL, label


class Section(QScrollArea):
    """A column of rows that scrolls where it does not fit."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.theme = theme
        self.setAccessibleName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        content.setObjectName("page")
        self.column = QVBoxLayout(content)
        self.column.setContentsMargins(0, 0, 12, 0)
        self.column.setSpacing(8)
        self.setWidget(content)

    def add_heading(self, text: str) -> QLabel:
        if self.column.count():
            self.column.addSpacing(10)
        heading = label(text, font=self.theme.font(weight=QFont.Weight.DemiBold))
        self.column.addWidget(heading)
        return heading

    def add_note(self, text: str = "") -> QLabel:
        note = label(text, "muted", wrap=True)
        self.column.addWidget(note)
        return note

    def add_row(self, *widgets: QWidget) -> None:
        """Side by side, from the left."""
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in widgets:
            row.addWidget(widget)
        row.addStretch()
        self.column.addLayout(row)


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


def empty(layout: QVBoxLayout) -> None:
    """Removes the widgets of a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
