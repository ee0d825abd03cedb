"""Columns of readable width that scroll, and rows that go on in the next line."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.ui.theme import Theme
from app.ui.widgets import HEADING, TITLE, label

CONTENT_PX = 860  # lines longer than this are hard to read


class FlowLayout(QLayout):
    """From left to right, then on the next line."""

    def __init__(self, spacing: int = 8) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), is_for_real=False)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, is_for_real=True)

    def _arrange(self, rect: QRect, *, is_for_real: bool) -> int:
        """The height that is needed."""
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            size = item.sizeHint()
            if x > rect.x() and x + size.width() > rect.right() + 1:
                x, y, line = rect.x(), y + line + self.spacing(), 0
            if is_for_real:
                item.setGeometry(QRect(QPoint(x, y), size))
            x += size.width() + self.spacing()
            line = max(line, size.height())
        return y + line - rect.y()


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
        self.column = QVBoxLayout(middle)
        self.column.setContentsMargins(28, 22, 28, 24)
        self.column.setSpacing(10)
        middle.setMaximumWidth(max_width)
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch()
        row.addWidget(middle, 1000)
        row.addStretch()
        self.setWidget(page)


def title(theme: Theme, text: str) -> QWidget:
    return label(text, font=theme.font(TITLE * 0.9, QFont.Weight.Bold), wrap=True)


def heading(theme: Theme, text: str) -> QWidget:
    return label(text, font=theme.font(HEADING, QFont.Weight.DemiBold), wrap=True)


def wrapping_row(widgets: Iterable[QWidget], spacing: int = 8) -> QWidget:
    """Widgets side by side that go on in the next line."""
    holder = QWidget()
    layout = FlowLayout(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    holder.setLayout(layout)
    policy = holder.sizePolicy()
    policy.setHeightForWidth(True)
    holder.setSizePolicy(policy)
    return holder
