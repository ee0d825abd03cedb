"""Columns of readable width that scroll."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.ui.layouts import hbox, vbox
from app.ui.theme import Theme
from app.ui.widgets import HEADING, TITLE, label

CONTENT_PX = 860  # lines longer than this are hard to read


class ScrollColumn(QScrollArea):
    """A column of readable width that scrolls; ``column`` is its layout."""

    def __init__(self, name: str, max_width: int = CONTENT_PX) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page, middle = QWidget(), QWidget()
        page.setObjectName("page")
        middle.setMaximumWidth(max_width)
        self.column = vbox(spacing=10, margins=(28, 22, 28, 24), of=middle)
        hbox(None, (middle, 1000), None, of=page)
        self.setWidget(page)


def title(theme: Theme, text: str) -> QWidget:
    return label(text, font=theme.font(TITLE * 0.9, QFont.Weight.Bold), wrap=True)


def heading(theme: Theme, text: str) -> QWidget:
    return label(text, font=theme.font(HEADING, QFont.Weight.DemiBold), wrap=True)
