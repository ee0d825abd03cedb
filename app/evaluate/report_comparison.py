"""Several reports side by side: one figure at a time, as bars and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.evaluate.columns import ScrollColumn, title
from app.evaluate.plots.canvas import PlotCanvas
from app.evaluate.report_view import REPORT_PX
from app.evaluate.saved_reports import SavedReport
from app.evaluate.settings_form import Pick
from app.evaluate.tables import ReportTable
from app.jobs import JobRunner
from app.ui.theme import Theme
from app.ui.widgets import label

if TYPE_CHECKING:
    from engine.evaluation.bootstrap import Estimate
    from engine.evaluation.results import Cell, Column, Table

MAX_BAR_ROWS = 12


@dataclass(frozen=True)
class Figure:
    """A column of a table of a protocol that several reports have."""

    protocol: str
    table: str
    key: str
    title: str


def common_figures(reports: Sequence[SavedReport]) -> list[Figure]:
    """What two reports at least have numbers for, in the order in which they appear."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for opened in reports:
        for result in opened.report.results:
            for table in result.tables:
                for column in table.columns:
                    if column.better:
                        name = f"{result.title} · {table.title} · {column.title}"
                        found.setdefault((result.name, table.name, column.key), []).append(name)
    return [Figure(*key, names[0]) for key, names in found.items() if len(names) > 1]


def compared(reports: Sequence[SavedReport], figure: Figure) -> Table:
    """A row for each input, model, ...; a column for each report."""
    from engine.evaluation.results import Table

    names: list[Column] = []
    shown: Column | None = None
    cells: dict[tuple[str, ...], dict[int, Cell]] = {}
    for number, opened in enumerate(reports):
        table = _table_of(opened, figure)
        if table is None:
            continue
        who = [i for i, c in enumerate(table.columns) if _is_name(table, i)]
        at = next(i for i, c in enumerate(table.columns) if c.key == figure.key)
        names = names or [table.columns[i] for i in who]
        shown = shown or table.columns[at]
        for row in table.rows:
            key = tuple(str(row[i]) for i in who)
            cells.setdefault(key, {})[number] = row[at]
    assert shown is not None
    columns = (*names, *(_report_column(reports, number, shown) for number in range(len(reports))))
    in_common_first = sorted(cells.items(), key=lambda item: -len(item[1]))
    rows = tuple(
        (*key, *(own.get(number) for number in range(len(reports)))) for key, own in in_common_first
    )
    return Table("compared", figure.title, columns, rows)


def report_names(reports: Sequence[SavedReport]) -> list[str]:
    """Names that tell them apart."""
    names = [f"{opened.name}, {opened.made:%d %b %H:%M}" for opened in reports]
    return [
        f"{name} ({names[:number].count(name) + 1})" if names.count(name) > 1 else name
        for number, name in enumerate(names)
    ]


def _report_column(reports: Sequence[SavedReport], number: int, shown: Column) -> Column:
    from engine.evaluation.results import Column

    return Column(f"report_{number}", report_names(reports)[number], shown.unit, shown.better)


def _table_of(opened: SavedReport, figure: Figure) -> Table | None:
    for result in opened.report.results:
        for table in result.tables:
            keys = [column.key for column in table.columns]
            if (result.name, table.name) == (figure.protocol, figure.table) and figure.key in keys:
                return table
    return None


def _is_name(table: Table, index: int) -> bool:
    return bool(table.rows) and all(isinstance(row[index], str) for row in table.rows)


class ReportComparison(ScrollColumn):
    def __init__(self, theme: Theme, runner: JobRunner, reports: Sequence[SavedReport]) -> None:
        super().__init__(self.tr("Comparison of reports"), REPORT_PX)
        self._theme = theme
        self._runner = runner
        self._reports = list(reports)
        self._figures = common_figures(reports)
        self.column.addWidget(title(theme, self.tr("Reports side by side")))
        if len({opened.report.data.get("content_sha256") for opened in reports}) > 1:
            text = self.tr("They are on different music: part of a difference may come from that.")
            self.column.addWidget(label(text, "muted", wrap=True))
        self.table: ReportTable | None = None
        self.choice = Pick()
        self.choice.setAccessibleName(self.tr("What is compared"))
        self.choice.addItems([figure.title for figure in self._figures])
        self.choice.currentIndexChanged.connect(self._show)
        self._body = QWidget()
        self._body_layout = QVBoxLayout(self._body)
        self._body_layout.setContentsMargins(0, 0, 0, 0)
        self._body_layout.setSpacing(12)
        if self._figures:
            row = QHBoxLayout()
            row.addWidget(label(self.tr("Figure:"), "muted"))
            row.addWidget(self.choice, 1)
            self.column.addLayout(row)
            self._show(0)
        else:
            self.column.addWidget(
                label(self.tr("These reports have no figure in common."), "muted", wrap=True)
            )
        self.column.addWidget(self._body)
        self.column.addStretch()

    def _show(self, index: int) -> None:
        while (item := self._body_layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        table = compared(self._reports, self._figures[index])
        if (bars := self._bars(table)) is not None:
            self._body_layout.addWidget(_framed(bars))
        self.table = ReportTable(table)
        self._body_layout.addWidget(_framed(self.table))

    def _bars(self, table: Table) -> QWidget | None:
        """Only of shares, and while there are few enough to be told apart."""
        from engine.evaluation.bootstrap import Estimate
        from engine.evaluation.figure_layout import SEPARATOR
        from engine.evaluation.results import Bars

        num = len(self._reports)
        if table.columns[-1].unit != "%" or not 0 < len(table.rows) <= MAX_BAR_ROWS:
            return None
        groups = tuple(SEPARATOR.join(str(cell) for cell in row[:-num]) for row in table.rows)
        series = {
            column.title: tuple(
                cell if isinstance(cell, Estimate) else _estimate(cell)
                for cell in (row[len(row) - num + number] for row in table.rows)
            )
            for number, column in enumerate(table.columns[-num:])
        }
        name = self._figures[self.choice.currentIndex()].title.rpartition(" · ")[2]
        bars = Bars("compared", table.title, name, groups, series)
        return PlotCanvas(bars, self._theme, self._runner)


def _estimate(cell: Cell) -> Estimate | None:
    from engine.evaluation.bootstrap import Estimate

    if isinstance(cell, float) and math.isfinite(cell):
        return Estimate(cell, math.nan, math.nan)
    return None


def _framed(widget: QWidget) -> QWidget:
    card = QFrame()
    card.setObjectName("card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(8, 8, 8, 8)
    layout.addWidget(widget)
    return card
