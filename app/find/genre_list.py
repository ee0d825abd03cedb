"""Genres to tick, with the number of songs of each, and a field that narrows them."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.library.table_model import shown
from app.ui.number_format import num_songs
from app.ui.theme import Theme
from app.ui.widgets import SMALL
from engine.library.scope import genre_key

HEIGHT_PX = 124
KeyRole = Qt.ItemDataRole.UserRole + 1
CountRole = Qt.ItemDataRole.UserRole + 2


class CountDelegate(QStyledItemDelegate):
    """A name, and at the right edge a number."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        count = index.data(CountRole)
        painter.save()
        painter.setFont(self._theme.font(SMALL))
        painter.setPen(self._theme.colour("muted"))
        area = option.rect.adjusted(0, 0, -8, 0)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area, int(right), count)
        width = painter.fontMetrics().horizontalAdvance(count)
        painter.restore()
        option.rect = option.rect.adjusted(0, 0, -width - 16, 0)
        super().paint(painter, option, index)


class GenreList(QWidget):
    """``changed`` when a genre is ticked or not any more."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._is_filling = False
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Search genres"))
        self._search.setAccessibleName(self.tr("Search genres"))
        self._search.setClearButtonEnabled(True)
        for child in self._search.findChildren(QWidget):
            child.setAccessibleName(self.tr("Empty the field"))
        self._list = QListWidget()
        self._list.setObjectName("framed")
        self._list.setAccessibleName(self.tr("Genres"))
        self._list.setFixedHeight(HEIGHT_PX)
        self._list.setSpacing(2)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setItemDelegate(CountDelegate(theme, self._list))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._search)
        layout.addWidget(self._list)
        self._search.textChanged.connect(self._narrow)
        self._list.itemChanged.connect(self._tell)
        self._list.itemActivated.connect(_toggle)

    @property
    def chosen(self) -> frozenset[str]:
        """Keys of the genres that are ticked."""
        return frozenset(
            item.data(KeyRole)
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        )

    def fill(self, genres: Iterable[tuple[str, int]], chosen: frozenset[str]) -> None:
        """(name, number of songs), in this order; chosen ones first."""
        self._is_filling = True
        self._list.clear()
        for name, num in sorted(genres, key=lambda genre: genre_key(genre[0]) not in chosen):
            item = QListWidgetItem(shown(name)[:60])
            item.setData(KeyRole, genre_key(name))
            item.setData(CountRole, f"{num:,}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}, {num_songs(num)}")
            is_chosen = genre_key(name) in chosen
            item.setCheckState(Qt.CheckState.Checked if is_chosen else Qt.CheckState.Unchecked)
            self._list.addItem(item)
        self._narrow(self._search.text())
        self._is_filling = False

    def show_all(self) -> None:
        """Without what was searched for."""
        self._search.clear()

    def _narrow(self, text: str) -> None:
        wanted = genre_key(text)
        for item in self._items():
            item.setHidden(wanted not in item.data(KeyRole))

    def _items(self) -> list[QListWidgetItem]:
        return [self._list.item(row) for row in range(self._list.count())]

    def _tell(self) -> None:
        if not self._is_filling:
            self.changed.emit()


def _toggle(item: QListWidgetItem) -> None:
    """Return, or a double click."""
    is_on = item.checkState() == Qt.CheckState.Checked
    item.setCheckState(Qt.CheckState.Unchecked if is_on else Qt.CheckState.Checked)
