"""Genres, or other words, to tick: with the number of songs of each, and a field to search."""

from __future__ import annotations

from collections.abc import Sequence

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
from engine.library.text import normalise

HEIGHT_PX = 124
NAME, COUNT = 0, 1  # columns
KeyRole = Qt.ItemDataRole.UserRole + 1


class TickList(QWidget):
    """``changed`` when a word is ticked or not any more."""

    changed = Signal()

    def __init__(self, theme: Theme, name: str, search: str, nothing: str) -> None:
        """``search``, ``nothing``: what the field says where there are words, and where not."""
        super().__init__()
        self._theme = theme
        self._hint, self._nothing = search, nothing
        self._search = QLineEdit()
        self._search.setAccessibleName(search)
        self._search.setClearButtonEnabled(True)
        for child in self._search.findChildren(QWidget):
            child.setAccessibleName(self.tr("Empty the field"))
        self._table = QTreeWidget()
        self._table.setObjectName("framed")
        self._table.setAccessibleName(name)
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
        """All words, narrowed or not."""
        return self._table.findItems("", Qt.MatchFlag.MatchContains)

    @property
    def chosen(self) -> frozenset[str]:
        """Keys of the words that are ticked."""
        ticked = (i for i in self.items if i.checkState(NAME) == Qt.CheckState.Checked)
        return frozenset(item.data(NAME, KeyRole) for item in ticked)

    def fill(self, words: Sequence[tuple[str, str, int]], chosen: frozenset[str]) -> None:
        """(key, name, number of songs), in this order; chosen ones first, those of no song too."""
        unknown = chosen - {word[0] for word in words}
        words = [*words, *((key, key, 0) for key in sorted(unknown))]
        with QSignalBlocker(self):
            self._table.clear()
            for key, name, num in sorted(words, key=lambda word: word[0] not in chosen):
                self._add(key, name, num, key in chosen)
            is_empty = not self._table.topLevelItemCount()
            self._search.setPlaceholderText(self._nothing if is_empty else self._hint)
            self._narrow(self._search.text())

    def _add(self, key: str, name: str, num: int, is_chosen: bool) -> None:
        item = QTreeWidgetItem(self._table, [one_line(name)[:60], grouped(num)])
        item.setData(NAME, KeyRole, key)
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
        wanted = normalise(text)
        for item in self.items:
            item.setHidden(wanted not in normalise(item.text(NAME)))


def _toggle(item: QTreeWidgetItem) -> None:
    """Return, or a double click."""
    is_on = item.checkState(NAME) == Qt.CheckState.Checked
    item.setCheckState(NAME, Qt.CheckState.Unchecked if is_on else Qt.CheckState.Checked)
