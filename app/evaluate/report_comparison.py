"""Several reports side by side: one figure at a time, as bars and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.evaluate.columns import ScrollColumn, title
from app.evaluate.plot_canvas import PlotCanvas
from app.evaluate.report_view import REPORT_PX, framed
from app.evaluate.saved_reports import SavedReport
from app.evaluate.settings_form import Pick
from app.evaluate.tables import ReportTable
from app.jobs import JobRunner
from app.ui.layouts import clear_layout, hbox, vbox
from app.ui.theme import Theme
from app.ui.widgets import label

if TYPE_CHECKING:
    from engine.evaluation.results import Bars, Cell, Table

MAX_BAR_ROWS = 12
Key = tuple[str, str, str]  # protocol, table, column


def common_figures(reports: Sequence[SavedReport]) -> dict[Key, list[tuple[int, Table]]]:
    """What two reports at least have numbers for: the numbers of these reports and their tables."""
    found: dict[Key, list[tuple[int, Table]]] = {}
    for number, opened in enumerate(reports):
        for result in opened.report.results:
            for table in result.tables:
                for column in table.columns:
                    if column.better:
                        key = (result.name, table.name, column.key)
                        found.setdefault(key, []).append((number, table))
    return {key: tables for key, tables in found.items() if len(tables) > 1}


def compared(names: Sequence[str], tables: Sequence[tuple[int, Table]], key: str) -> Table:
    """A row for each input, model, ...; a column for each of the reports, which have ``names``."""
    from engine.evaluation.results import Table

    first = tables[0][1]
    places = {column.key: place for place, column in enumerate(first.columns)}
    who = [c for c in first.columns if _is_name(first, places[c.key])]
    rows: dict[tuple[Cell, ...], list[Cell]] = {}
    for number, table in tables:
        own = {column.key: place for place, column in enumerate(table.columns)}
        for row in table.rows:
            asked = tuple(row[own[c.key]] for c in who)
            rows.setdefault(asked, [None] * len(names))[number] = row[own[key]]
    shown = first.columns[places[key]]
    columns = (*who, *(replace(shown, key=f"report_{i}", title=n) for i, n in enumerate(names)))
    in_common_first = sorted(rows.items(), key=lambda item: item[1].count(None))
    title = f"{first.title} · {shown.title}"
    return Table("compared", title, columns, tuple((*a, *b) for a, b in in_common_first))


def _is_name(table: Table, place: int) -> bool:
    return bool(table.rows) and all(isinstance(row[place], str) for row in table.rows)


def bars(table: Table, num_reports: int) -> Bars | None:
    """Only of shares, and while there are few enough to be told apart."""
    from engine.evaluation.bootstrap import Estimate
    from engine.evaluation.figure_layout import SEPARATOR
    from engine.evaluation.results import Bars

    if table.columns[-1].unit != "%" or not 0 < len(table.rows) <= MAX_BAR_ROWS:
        return None
    groups = tuple(SEPARATOR.join(map(str, row[:-num_reports])) for row in table.rows)
    series = {
        column.title: tuple(
            row[place] if isinstance(row[place], Estimate) else None for row in table.rows
        )
        for place, column in list(enumerate(table.columns))[-num_reports:]
    }
    return Bars("compared", table.title, table.title.rpartition(" · ")[2], groups, series)  # type: ignore[arg-type]


def report_names(reports: Sequence[SavedReport]) -> list[str]:
    """Names that tell them apart."""
    names = [f"{opened.name}, {opened.made:%d %b %H:%M}" for opened in reports]
    return [
        f"{name} ({names[:number].count(name) + 1})" if names.count(name) > 1 else name
        for number, name in enumerate(names)
    ]


class ReportComparison(ScrollColumn):
    def __init__(self, theme: Theme, runner: JobRunner, reports: Sequence[SavedReport]) -> None:
        super().__init__(self.tr("Comparison of reports"), REPORT_PX)
        self._theme = theme
        self._runner = runner
        self._names = report_names(reports)
        self._figures = list(common_figures(reports).items())
        self.table: ReportTable | None = None
        self.column.addWidget(title(theme, self.tr("Reports side by side")))
        if len({opened.report.data.get("content_sha256") for opened in reports}) > 1:
            text = self.tr("They are on different music: part of a difference may come from that.")
            self.column.addWidget(label(text, "muted", wrap=True))
        self.choice = Pick()
        self.choice.setAccessibleName(self.tr("What is compared"))
        titles = {r.name: r.title for opened in reports for r in opened.report.results}
        for (protocol, _, key), tables in self._figures:
            table = compared(self._names, tables, key)
            self.choice.addItem(f"{titles[protocol]} · {table.title}", table)
        self._body = vbox(spacing=12)
        if self._figures:
            name = label(self.tr("Figure:"), "muted")
            self.column.addLayout(hbox(name, (self.choice, 1), spacing=8))
            self.choice.currentIndexChanged.connect(self._show)
            self._show()
        else:
            text = self.tr("These reports have no figure in common.")
            self.column.addWidget(label(text, "muted", wrap=True))
        self.column.addLayout(self._body)
        self.column.addStretch()

    def _show(self) -> None:
        clear_layout(self._body)
        table = self.choice.currentData()
        if (plot := bars(table, len(self._names))) is not None:
            self._body.addWidget(framed(PlotCanvas(plot, self._theme, self._runner), margin=8))
        self.table = ReportTable(table)
        self._body.addWidget(framed(self.table, margin=8))
