"""Genres to tick, with the number of songs of each, and a field that narrows them."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.ui.language import grouped
from app.ui.layouts import vbox
from app.ui.text_format import num_songs, one_line
from app.ui.theme import Theme
from app.ui.widgets import SMALL
from engine.library.scope import genre_key

HEIGHT_PX = 124
NAME, COUNT = 0, 1  # columns
KeyRole = Qt.ItemDataRole.UserRole + 1


class GenreList(QWidget):
    """``changed`` when a genre is ticked or not any more."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Search genres"))
        self._search.setAccessibleName(self.tr("Search genres"))
        self._search.setClearButtonEnabled(True)
        for child in self._search.findChildren(QWidget):
            child.setAccessibleName(self.tr("Empty the field"))
        self._table = QTreeWidget()
        self._table.setObjectName("framed")
        self._table.setAccessibleName(self.tr("Genres"))
        self._table.setFixedHeight(HEIGHT_PX)
        self._table.setColumnCount(2)
        self._table.setHeaderHidden(True)
        self._table.setRootIsDecorated(False)
        self._table.setUniformRowHeights(True)
        self._table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self._table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(COUNT, QHeaderView.ResizeMode.ResizeToContents)
        vbox(self._search, self._table, spacing=6, of=self)
        self._search.textChanged.connect(self._narrow)
        self._table.itemChanged.connect(self.changed)
        self._table.itemActivated.connect(_toggle)

    @property
    def items(self) -> list[QTreeWidgetItem]:
        """All genres, narrowed or not."""
        return self._table.findItems("", Qt.MatchFlag.MatchContains)

    @property
    def chosen(self) -> frozenset[str]:
        """Keys of the genres that are ticked."""
        ticked = (i for i in self.items if i.checkState(NAME) == Qt.CheckState.Checked)
        return frozenset(item.data(NAME, KeyRole) for item in ticked)

    def fill(self, genres: Iterable[tuple[str, int]], chosen: frozenset[str]) -> None:
        """(name, number of songs), in this order; chosen ones first."""
        with QSignalBlocker(self):
            self._table.clear()
            for name, num in sorted(genres, key=lambda genre: genre_key(genre[0]) not in chosen):
                self._add(name, num, genre_key(name) in chosen)
            self._narrow(self._search.text())

    def _add(self, name: str, num: int, is_chosen: bool) -> None:
        item = QTreeWidgetItem(self._table, [one_line(name)[:60], grouped(num)])
        item.setData(NAME, KeyRole, genre_key(name))
        told = f"{item.text(NAME)}, {num_songs(num)}"
        item.setData(NAME, Qt.ItemDataRole.AccessibleTextRole, told)
        item.setCheckState(NAME, Qt.CheckState.Checked if is_chosen else Qt.CheckState.Unchecked)
        item.setTextAlignment(COUNT, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setForeground(COUNT, self._theme.colour("muted"))
        item.setFont(COUNT, self._theme.font(SMALL))

    def show_all(self) -> None:
        """Without what was searched for."""
        self._search.clear()

    def _narrow(self, text: str) -> None:
        wanted = genre_key(text)
        for item in self.items:
            item.setHidden(wanted not in item.data(NAME, KeyRole))


def _toggle(item: QTreeWidgetItem) -> None:
    """Return, or a double click."""
    is_on = item.checkState(NAME) == Qt.CheckState.Checked
    item.setCheckState(NAME, Qt.CheckState.Unchecked if is_on else Qt.CheckState.Checked)
