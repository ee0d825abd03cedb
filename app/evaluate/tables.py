"""Tables of results: sorted by a click, copied as text, as high as their rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QSizePolicy, QTableView, QWidget

from app.ui.shortcuts import noop

if TYPE_CHECKING:
    from engine.evaluation.results import Cell, Table

Index = QModelIndex | QPersistentModelIndex
SortRole = Qt.ItemDataRole.UserRole + 1
ROW_PX = 30
CELL_PAD_PX = 30  # both sides, and the sign of the order

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


class ReportTableModel(QAbstractTableModel):
    def __init__(self, table: Table, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from engine.evaluation import tables

        self.table = table
        self._best = tables.best_cells(table)
        self.headings = [tables.heading(column) for column in table.columns]
        self.texts = [
            [
                tables.cell_text(cell, column)
                for cell, column in zip(row, table.columns, strict=True)
            ]
            for row in table.rows
        ]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.table.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.table.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.texts[index.row()][index.column()]
        cell = self.table.rows[index.row()][index.column()]
        if role == SortRole:
            return sort_key(cell)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(cell)
        if role == Qt.ItemDataRole.FontRole and (index.row(), index.column()) in self._best:
            font = QFont(QGuiApplication.font())
            font.setWeight(QFont.Weight.Bold)
            return font
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.table.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.headings[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            text = GLOSSARY.get(column.key.removesuffix("_in_space"))
            return self.tr(text) if text else None
        if role == Qt.ItemDataRole.TextAlignmentRole and self.table.rows:
            return _alignment(self.table.rows[0][section])
        return None


class ReportTable(QTableView):
    """Ctrl+C copies what is selected, or all of it; the menu has other formats."""

    def __init__(self, table: Table, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = table
        model = ReportTableModel(table, self)
        proxy = QSortFilterProxyModel(self)
        proxy.setSourceModel(model)
        proxy.setSortRole(SortRole)
        self.setModel(proxy)
        self.setAccessibleName(table.title)
        self.setSortingEnabled(True)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setObjectName("results")
        for column, width in enumerate(self._widths(model)):
            self.setColumnWidth(column, width)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        rows = ROW_PX * len(table.rows)
        self.setFixedHeight(rows + self.horizontalHeader().sizeHint().height() + 14)

    def _widths(self, model: ReportTableModel) -> list[int]:
        """Of the columns: once, and not by the header, which would ask again and again."""
        font = QFont(QGuiApplication.font())
        font.setWeight(QFont.Weight.Bold)
        metrics = QFontMetrics(font)
        columns = zip(model.headings, *model.texts, strict=True)
        return [
            max(metrics.horizontalAdvance(text) for text in column) + CELL_PAD_PX
            for column in columns
        ]

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
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        model = self.model()
        columns = range(model.columnCount())
        header = [
            model.headerData(c, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
            for c in columns
        ]
        lines = [header] + [
            [model.index(row, c).data() for c in columns] for row in rows or range(model.rowCount())
        ]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))

    def _show_menu(self, at: QPoint) -> None:
        from engine.evaluation.tables import table_csv, table_markdown

        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        clipboard = QGuiApplication.clipboard()
        menu.addAction(self.tr("Copy"), self.copy_text)
        menu.addAction(
            self.tr("Copy as Markdown"), lambda: clipboard.setText(table_markdown(self.table))
        )
        menu.addAction(
            self.tr("Copy as CSV with all digits"),
            lambda: clipboard.setText(table_csv(self.table)),
        )
        menu.popup(self.viewport().mapToGlobal(at))


def sort_key(cell: Cell) -> float | str:
    """Numbers by their size, figures with an interval by their value; unknown ones come first."""
    if isinstance(cell, str):
        return cell.casefold()
    value = cell if isinstance(cell, (int, float)) else getattr(cell, "value", math.nan)
    return float(value) if math.isfinite(value) else -math.inf


def _alignment(cell: Cell) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if isinstance(cell, str) else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
