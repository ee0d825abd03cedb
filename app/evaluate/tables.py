"""Tables of results: sorted by a click, copied as text, as high as their rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QGuiApplication, QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from app.ui.rows import selected_rows
from app.ui.shortcuts import noop

if TYPE_CHECKING:
    from engine.evaluation.results import Cell, Table

ROW_PX = 30
SortRole = Qt.ItemDataRole.UserRole

# What the short names of columns mean, for those who point at them.
GLOSSARY = {
    "eer": noop(
        "Equal error rate: as many pairs by two singers are taken for one as pairs by one singer "
        "are missed. 0 is perfect, 50 % is guessing."
    ),
    "mnr": noop(
        "Mean normalised rank: how far down the list a singer’s other songs are found. 0 is "
        "perfect, 50 % is guessing."
    ),
    "r_at_1": noop("How often the nearest song is by the same singer."),
    "r_at_10": noop("How often a song by the same singer is among the ten nearest."),
    "map": noop("Mean average precision: how well all songs by the singer come first."),
    "centring": noop(
        "What is subtracted before comparing: nothing (raw), the model’s own centre (model), the "
        "mean of these songs (data), or what a library of these songs has in common (library): "
        "so the program does it."
    ),
    "accuracy": noop("How often the answer is right."),
    "macro_f1": noop("Like accuracy, but every singer counts the same."),
    "silhouette": noop("1: every label is an island of its own; 0: all mixed."),
    "ratio": noop("Distances within a label over distances to others: lower is better."),
    "p": noop("How likely such a result would be if both were equally good."),
    "same": noop("How often both models name the same nearest song."),
    "win_rate": noop("Wins over wins and losses; ties are left out."),
    "input": noop("What models were given to hear."),
}


class _Item(QTableWidgetItem):
    def __lt__(self, other: QTableWidgetItem) -> bool:
        return bool(self.data(SortRole) < other.data(SortRole))


class ReportTable(QTableWidget):
    """Ctrl+C copies what is selected, or all of it; other formats lie in the report's folder."""

    def __init__(self, table: Table, parent: QWidget | None = None) -> None:
        super().__init__(len(table.rows), len(table.columns), parent)
        self.table = table
        self._fill()
        self.setAccessibleName(table.title)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setHighlightSections(False)
        header.setObjectName("results")
        self.setSortingEnabled(True)
        self.resizeColumnsToContents()
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(ROW_PX * len(table.rows) + header.sizeHint().height() + 14)

    def _fill(self) -> None:
        from engine.evaluation.tables import best_cells, cell_text, heading

        best, bold = best_cells(self.table), QFont(QGuiApplication.font())
        bold.setWeight(QFont.Weight.Bold)
        for place, column in enumerate(self.table.columns):
            head = _Item(heading(column))
            head.setToolTip(self.tr(GLOSSARY.get(column.key.removesuffix("_in_space"), "")))
            self.setHorizontalHeaderItem(place, head)
            for number, row in enumerate(self.table.rows):
                item = _Item(cell_text(row[place], column))
                item.setData(SortRole, sort_key(row[place]))
                is_name = isinstance(row[place], str)
                side = Qt.AlignmentFlag.AlignLeft if is_name else Qt.AlignmentFlag.AlignRight
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                head.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                if (number, place) in best:
                    item.setFont(bold)
                self.setItem(number, place, item)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Up and down belong to the page that the table is on."""
        if event.angleDelta().x():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_text()
        else:
            super().keyPressEvent(event)

    def copy_text(self) -> None:
        """Selected rows, or all of them, as a spreadsheet takes them."""
        rows = selected_rows(self)
        model, columns = self.model(), range(self.columnCount())
        lines = [[model.headerData(c, Qt.Orientation.Horizontal) for c in columns]]
        lines += [
            [model.index(r, c).data() for c in columns] for r in rows or range(self.rowCount())
        ]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))


def sort_key(cell: Cell) -> float | str:
    """Numbers by their size, figures with an interval by their value; unknown ones come first."""
    if isinstance(cell, str):
        return cell.casefold()
    value = cell if isinstance(cell, (int, float)) else getattr(cell, "value", math.nan)
    return float(value) if math.isfinite(value) else -math.inf
