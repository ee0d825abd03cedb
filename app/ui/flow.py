"""Rows of widgets that go on in the next line."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """From left to right, then on the next line."""

    def __init__(self, spacing: int, of: QWidget) -> None:
        """``of``: the widget whose layout it becomes."""
        super().__init__(of)
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)
        policy = of.sizePolicy()
        policy.setHeightForWidth(True)
        of.setSizePolicy(policy)

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
        """The height that is needed. All lines are as high as the highest of all widgets."""
        x, y, line = rect.x(), rect.y(), self._line_height()
        for item in self._items:
            size = item.sizeHint()
            if x > rect.x() and x + size.width() > rect.right() + 1:
                x, y = rect.x(), y + line + self.spacing()
            if is_for_real:
                item.setGeometry(QRect(QPoint(x, y + (line - size.height()) // 2), size))
            x += size.width() + self.spacing()
        return y + line - rect.y()

    def _line_height(self) -> int:
        return max((item.sizeHint().height() for item in self._items), default=0)


def wrapping_row(widgets: Iterable[QWidget], spacing: int = 8) -> QWidget:
    """Widgets side by side that go on in the next line."""
    holder = QWidget()
    layout = FlowLayout(spacing, holder)
    for widget in widgets:
        layout.addWidget(widget)
    return holder
