"""Rows of a list that say a name, and below it more of it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.ui.theme import Theme

DataRole = Qt.ItemDataRole.UserRole + 1
DetailRole = Qt.ItemDataRole.UserRole + 2
PAD = 10
WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop


class TwoLineDelegate(QStyledItemDelegate):
    """A name, and below it a sentence that may take several lines."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name_font = theme.font(weight=QFont.Weight.Medium)
        self._detail_font = theme.font()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        width = option.rect.width() - 2 * PAD
        detail = QFontMetrics(self._detail_font).boundingRect(
            QRect(0, 0, width, 10_000), int(WRAP), index.data(DetailRole)
        )
        return QSize(100, QFontMetrics(self._name_font).height() + detail.height() + 2 * PAD + 2)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        rect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._theme.colour("selected"))
        area = rect.adjusted(PAD, PAD, -PAD, -PAD)
        metrics = QFontMetrics(self._name_font)
        name = metrics.elidedText(index.data(), Qt.TextElideMode.ElideMiddle, area.width())
        painter.setFont(self._name_font)
        painter.setPen(self._theme.colour("text"))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignTop), name)
        painter.setFont(self._detail_font)
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(
            area.adjusted(0, metrics.height() + 2, 0, 0), int(WRAP), index.data(DetailRole)
        )
        painter.restore()
