"""One report: what came out in a sentence, then pictures, then all the numbers below a fold."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFont, QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.evaluate.columns import ScrollColumn, heading, title
from app.evaluate.plots.canvas import PlotCanvas
from app.evaluate.protocols import BY_NAME
from app.evaluate.saved_reports import SavedReport
from app.evaluate.summary import summary
from app.evaluate.tables import ReportTable
from app.jobs import JobRunner
from app.ui.flow import wrapping_row
from app.ui.layouts import vbox
from app.ui.theme import Theme
from app.ui.widgets import HEADING, SMALL, IconLabel, button, label

if TYPE_CHECKING:
    from engine.evaluation.results import Result, Table

REPORT_PX = 1080
MARGIN_PX = 16
DONE = object()


class ReportView(ScrollColumn):
    browser_requested = Signal(object)  # Path of the page
    export_requested = Signal(object)  # Path of the report's folder
    reveal_requested = Signal(object)
    delete_requested = Signal(object)
    test_requested = Signal(object)  # SavedReport

    def __init__(self, theme: Theme, runner: JobRunner, opened: SavedReport) -> None:
        super().__init__(self.tr("Report"), REPORT_PX)
        self._theme = theme
        self._runner = runner
        self.opened = opened
        self.tables: list[ReportTable] = []
        self.folds: list[QPushButton] = []
        self._target: QWidget | None = None
        self.verticalScrollBar().rangeChanged.connect(self._find_target)
        self.column.addWidget(title(theme, opened.title))
        sentences = (summary(result, self._titles()) for result in opened.report.results)
        self._lead = next(filter(None, sentences), "")
        if self._lead:
            self.column.addWidget(label(self._lead, font=theme.font(HEADING), wrap=True))
        self.column.addWidget(label(self._facts(), "muted", wrap=True))
        self.column.addWidget(self._buttons())
        for note in opened.report.notes:
            self.column.addWidget(self._remark(note, "info", "muted"))
        results = opened.report.results
        self._contents = [heading(theme, result.title) for result in results]
        if len(self._contents) > 1:
            self.column.addWidget(self._links())
        self._steps = self._add_results()
        self._grow = QTimer(self)  # a part at a time: all of them at once would hold up the window
        self._grow.timeout.connect(self._add_next)
        self._grow.start()
        self._add_next()

    @property
    def is_complete(self) -> bool:
        return not self._grow.isActive()

    def _add_next(self) -> None:
        if next(self._steps, DONE) is DONE:
            self._grow.stop()

    def _add_results(self) -> Iterator[None]:
        """Adds some more each time that it is asked."""
        from engine.evaluation.results import Points  # brings numpy, which may be loading yet

        for result, head in zip(self.opened.report.results, self._contents, strict=True):
            self._begin_result(result, head)
            numbers = self._add_fold() if any(t.rows for t in result.tables) else self.column
            for plot in result.plots:
                canvas = PlotCanvas(plot, self._theme, self._runner, list(self._titles()))
                place = self.column if isinstance(plot, Points) else numbers
                place.addWidget(self._framed(canvas))
                yield
            for table in filter(lambda table: table.rows, result.tables):
                self._add_table(table, numbers)
                yield
            self._end_result(result, numbers)
            yield
        self.column.addSpacing(14)
        self.column.addWidget(self._origin())
        self.column.addStretch()

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

    def _buttons(self) -> QWidget:
        folder = self.opened.folder
        made = []
        for text, signal, path in (
            (self.tr("Open in browser"), self.browser_requested, folder / "index.html"),
            (self.tr("Export…"), self.export_requested, folder),
            (self.tr("Show in folder"), self.reveal_requested, folder / "report.json"),
            (self.tr("Delete…"), self.delete_requested, folder),
        ):
            widget = button(text)
            widget.clicked.connect(partial(_emit, signal, path))
            made.append(widget)
        return wrapping_row(made)

    def _begin_result(self, result: Result, head: QWidget) -> None:
        theme, column = self._theme, self.column
        column.addSpacing(20)
        column.addWidget(head)
        protocol = BY_NAME.get(result.name)
        if protocol is not None:
            column.addWidget(label(protocol.shown_question, "muted", wrap=True))
        if result.reason is not None:
            text = self.tr("This could not be measured. {reason}").format(reason=result.reason)
            column.addWidget(self._remark(text, "warning", "warning"))
        for warning in result.warnings:
            column.addWidget(self._remark(warning, "warning", "warning"))
        sentence = summary(result, self._titles())
        if sentence and sentence != self._lead:
            column.addWidget(label(sentence, font=theme.font(1.08), wrap=True))
        if result.name == "listening-test" and self.opened.test is not None:
            column.addWidget(self._test_card())

    def _end_result(self, result: Result, column: QVBoxLayout) -> None:
        font = self._theme.font(SMALL)
        for note in result.notes:
            if result.name != "listening-test" or result.tables:
                column.addWidget(label(note, "muted", font, wrap=True))

    def _links(self) -> QWidget:
        """To each protocol."""
        made = []
        for result, head in zip(self.opened.report.results, self._contents, strict=True):
            widget = button(result.title, "toggle")
            widget.clicked.connect(partial(self._aim_at, head))
            made.append(widget)
        return wrapping_row(made)

    def _go_to(self, head: QWidget) -> None:
        self.verticalScrollBar().setValue(head.y() - MARGIN_PX)

    def show_protocol(self, name: str) -> None:
        """Begins to read there, wherever that comes to lie when everything has its size."""
        for result, head in zip(self.opened.report.results, self._contents, strict=True):
            if result.name == name:
                self._aim_at(head)

    def _aim_at(self, head: QWidget) -> None:
        self._target = head
        self._find_target()

    def _find_target(self) -> None:
        if self._target is not None and self._target.parent() is not None:  # it may come later
            self._go_to(self._target)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._target = None
        super().wheelEvent(event)

    def _titles(self) -> dict[str, str]:
        return {str(m["name"]): str(m.get("title") or m["name"]) for m in self.opened.report.models}

    def _add_fold(self) -> QVBoxLayout:
        """For what only those want who know these measures; closed at first."""
        fold = QWidget()
        fold.hide()
        unfold = button(self.tr("All the numbers"), "toggle")
        unfold.setCheckable(True)
        unfold.toggled.connect(fold.setVisible)
        self.folds.append(unfold)
        self.column.addWidget(wrapping_row([unfold]))
        self.column.addWidget(fold)
        return vbox(spacing=self.column.spacing(), of=fold)

    def _add_table(self, table: Table, column: QVBoxLayout) -> None:
        bold = self._theme.font(weight=QFont.Weight.DemiBold)
        column.addSpacing(4)
        column.addWidget(label(table.title, font=bold, wrap=True))
        view = ReportTable(table)
        self.tables.append(view)
        column.addWidget(self._framed(view, 0))
        if table.note:
            column.addWidget(label(table.note, "muted", self._theme.font(SMALL), wrap=True))

    def _test_card(self) -> QWidget:
        test = self.opened.test
        assert test is not None
        begin = button(self.tr("Take the test"), "primary")
        begin.clicked.connect(lambda: self.test_requested.emit(self.opened))
        text = self.tr(
            "{num} questions, blind: you hear a song and two recommendations, A and B, and say "
            "which is nearer. You may stop at any time and go on later."
        ).format(num=len(test.triplets))
        row = QHBoxLayout()
        row.setContentsMargins(16, 14, 16, 14)
        row.setSpacing(16)
        row.addWidget(label(text, wrap=True), 1)
        row.addWidget(begin)
        card = QFrame()
        card.setObjectName("card")
        card.setLayout(row)
        return card

    def _remark(self, text: str, icon: str, colour: str) -> QWidget:
        row = QHBoxLayout()
        row.setContentsMargins(14, 10, 14, 10)
        row.setSpacing(10)
        row.addWidget(IconLabel(self._theme, icon, colour, 18), 0, Qt.AlignmentFlag.AlignTop)
        said = label(text, wrap=True)
        said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(said, 1)
        card = QFrame()
        card.setObjectName("card")
        card.setLayout(row)
        return card

    def _framed(self, widget: QWidget, margin: int = 12) -> QWidget:
        layout = QVBoxLayout()
        layout.setContentsMargins(margin or 6, margin or 4, margin or 6, margin or 2)
        layout.addWidget(widget)
        card = QFrame()
        card.setObjectName("card")
        card.setLayout(layout)
        return card

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


def _emit(signal: object, path: Path) -> None:
    signal.emit(path)  # type: ignore[attr-defined]
