"""One report: of each protocol what came out in a sentence, then pictures, then all the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from app.evaluate.columns import ScrollColumn, heading, title
from app.evaluate.plot_canvas import PlotCanvas
from app.evaluate.protocols import BY_NAME
from app.evaluate.saved_reports import SavedReport
from app.evaluate.summary import summary
from app.evaluate.tables import ReportTable
from app.jobs import JobRunner
from app.ui.flow import wrapping_row
from app.ui.layouts import Item, clear_layout, hbox, vbox
from app.ui.theme import Theme
from app.ui.widgets import HEADING, SMALL, IconLabel, button, label

if TYPE_CHECKING:
    from engine.evaluation.results import Plot, Result, Table

REPORT_PX = 1080


class ReportView(ScrollColumn):
    """``actions``: what can be done with the report, by the texts of their buttons."""

    test_requested = Signal(object)  # SavedReport

    def __init__(
        self,
        theme: Theme,
        runner: JobRunner,
        opened: SavedReport,
        actions: Sequence[tuple[str, Callable[[], object]]],
    ) -> None:
        super().__init__(self.tr("Report"), REPORT_PX)
        self._theme = theme
        self._runner = runner
        self.opened = opened
        self.tables: list[ReportTable] = []
        self.unfold: QPushButton | None = None
        self.column.addWidget(title(theme, opened.title))
        self.column.addWidget(label(self._facts(), "muted", wrap=True))
        made = [button(text) for text, _ in actions]
        for widget, (_, act) in zip(made, actions, strict=True):
            widget.clicked.connect(act)
        self.column.addWidget(wrapping_row(made))
        for note in opened.report.notes:
            self.column.addWidget(self._remark(note, "info", "muted"))
        self.choices = {result.name: self._choice(result) for result in opened.report.results}
        if len(self.choices) > 1:
            self.column.addSpacing(10)
            self.column.addWidget(wrapping_row(self.choices.values()))
        self._body = vbox(spacing=self.column.spacing())
        self.column.addLayout(self._body)
        self.column.addSpacing(14)
        self.column.addWidget(self._origin())
        self.column.addStretch()
        self.show_protocol(next(iter(self.choices), ""))

    def _choice(self, result: Result) -> QPushButton:
        widget = button(result.title, "toggle")
        widget.setCheckable(True)
        widget.clicked.connect(partial(self.show_protocol, result.name))
        return widget

    def _facts(self) -> str:
        report = self.opened.report
        return self.tr(
            "{made} · {songs} songs by {artists} artists · {models} · seed {seed}"
        ).format(
            made=f"{self.opened.made:%d %B %Y, %H:%M}",
            songs=report.data.get("songs", "–"),
            artists=report.data.get("singers", "–"),
            models=", ".join(str(model["name"]) for model in report.models),
            seed=report.seed,
        )

    def show_protocol(self, name: str, *_: object) -> None:
        """What came out of one of them, instead of what was shown before."""
        clear_layout(self._body)
        self.tables, self.unfold = [], None
        for own, choice in self.choices.items():
            choice.setChecked(own == name)
        for result in self.opened.report.results:
            if result.name == name:
                self._add(result)

    def _add(self, result: Result) -> None:
        from engine.evaluation.results import Points

        self._body.addSpacing(10)
        self._body.addWidget(heading(self._theme, result.title))
        if result.name in BY_NAME:
            self._body.addWidget(label(BY_NAME[result.name].shown_question, "muted", wrap=True))
        if result.reason is not None:
            text = self.tr("This could not be measured. {reason}").format(reason=result.reason)
            self._body.addWidget(self._remark(text, "warning", "warning"))
        for warning in result.warnings:
            self._body.addWidget(self._remark(warning, "warning", "warning"))
        if sentence := summary(result, self.opened.model_titles):
            self._body.addWidget(label(sentence, font=self._theme.font(HEADING), wrap=True))
        if result.name == "listening-test" and self.opened.test is not None:
            self._body.addWidget(self._test_card(len(self.opened.test.triplets)))
        pictures = [plot for plot in result.plots if isinstance(plot, Points)]
        for picture in pictures:
            self._body.addWidget(self._canvas(picture))
        numbers = self._add_fold() if any(t.rows for t in result.tables) else self._body
        for plot in result.plots:
            if plot not in pictures:
                numbers.addWidget(self._canvas(plot))
        for table in filter(lambda table: table.rows, result.tables):
            self._add_table(table, numbers)
        if result.name != "listening-test" or result.tables:
            for note in result.notes:
                numbers.addWidget(label(note, "muted", self._theme.font(SMALL), wrap=True))

    def _canvas(self, plot: Plot) -> QWidget:
        models = list(self.opened.model_titles)
        return framed(PlotCanvas(plot, self._theme, self._runner, models))

    def _add_fold(self) -> QVBoxLayout:
        """For what only those want who know these measures; closed at first."""
        fold = QWidget()
        fold.hide()
        self.unfold = button(self.tr("All the numbers"), "toggle")
        self.unfold.setCheckable(True)
        self.unfold.toggled.connect(fold.setVisible)
        self._body.addWidget(wrapping_row([self.unfold]))
        self._body.addWidget(fold)
        return vbox(spacing=self._body.spacing(), of=fold)

    def _add_table(self, table: Table, column: QVBoxLayout) -> None:
        bold = self._theme.font(weight=QFont.Weight.DemiBold)
        column.addSpacing(4)
        column.addWidget(label(table.title, font=bold, wrap=True))
        self.tables.append(ReportTable(table))
        column.addWidget(framed(self.tables[-1], margin=5))
        if table.note:
            column.addWidget(label(table.note, "muted", self._theme.font(SMALL), wrap=True))

    def _test_card(self, num_triplets: int) -> QWidget:
        begin = button(self.tr("Take the test"), "primary")
        begin.clicked.connect(lambda: self.test_requested.emit(self.opened))
        text = self.tr(
            "{num} questions, blind: you hear a song and two recommendations, A and B, and say "
            "which is nearer. You may stop at any time and go on later."
        ).format(num=num_triplets)
        return framed((label(text, wrap=True), 1), begin, margin=14)

    def _remark(self, text: str, icon: str, colour: str) -> QWidget:
        said = label(text, wrap=True)
        said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        mark = IconLabel(self._theme, icon, colour, 18)
        return framed((mark, Qt.AlignmentFlag.AlignTop), (said, 1), margin=10)

    def _origin(self) -> QWidget:
        """For experts: what would make the same numbers again."""
        report = self.opened.report
        packages = ", ".join(f"{name} {version}" for name, version in report.packages.items())
        text = self.tr(
            "In brackets: 95 % intervals over artists. Bold: the best of its input.\n"
            "Command: {command}\nPackages: {packages}"
        ).format(command=report.command or "–", packages=packages)
        widget = label(text, "muted", self._theme.font(SMALL), wrap=True)
        widget.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return widget


def framed(*items: Item, margin: int = 12) -> QFrame:
    """A card around things side by side."""
    card = QFrame()
    card.setObjectName("card")
    hbox(*items, spacing=12, margins=(margin, margin, margin, margin), of=card)
    return card
