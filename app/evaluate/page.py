"""The Evaluate page: ask, run, read, compare, and take the listening test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.desktop.reveal import file_url, reveal
from app.evaluate import run as evaluation
from app.evaluate import saved_reports
from app.evaluate.blind_test.page import BlindTestPage
from app.evaluate.report_comparison import ReportComparison
from app.evaluate.report_view import ReportView
from app.evaluate.reports_panel import ReportsPanel
from app.evaluate.run import Request
from app.evaluate.saved_reports import SavedReport
from app.evaluate.setup_panel import SetupPanel
from app.jobs import Job, LatestJob, Pool
from app.services.services import Services
from app.ui.dialogs import confirm
from app.ui.layouts import hbox
from app.ui.widgets import divider
from engine.paths import data_path
from engine.progress import CancelToken, ProgressCallback


class EvaluatePage(QWidget):
    """Made empty, and filled when it is shown first: the start of the window is not held up.

    Args:
        reports_path: folder of earlier reports; by default among the user's data.
    """

    problem = Signal(str)

    def __init__(
        self, services: Services, reports_path: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAccessibleName(self.tr("Evaluate"))  # it has the focus when it comes
        self.services = services
        self.reports_path = reports_path or data_path() / "evaluations"
        self._runner = services.open_library.runner
        self._looking = LatestJob(self._runner, Pool.COUNTING)
        self._listing = LatestJob(self._runner, Pool.INTERACTIVE)
        self._run: Job | None = None
        self._is_built = False
        self.reports: list[SavedReport] = []

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._is_built:
            self._build()
            self._job(lambda *_: evaluation.find_models(), self.setup.set_models)
            self.refresh_reports()
        # At every visit: another one may have been chosen in the preferences.
        form = self.setup.form
        self._job(
            lambda *_: evaluation.find_separators(), lambda found: form.set_separators(*found)
        )
        if self._run is None:
            self.setup.look_again()

    def _build(self) -> None:
        self._is_built = True
        theme = self.services.theme
        self.panel = ReportsPanel(theme)
        self.setup = SetupPanel(theme, self.services.open_library.library_path)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.setup)
        self._divider = divider(is_vertical=True)
        hbox(self.panel, self._divider, (self.pages, 1), of=self)
        self.panel.new_requested.connect(self.show_setup)
        self.panel.test_requested.connect(self._new_test)
        self.panel.chosen.connect(self.show_reports)
        self.panel.delete_requested.connect(self._ask_to_delete)
        self.panel.run_card.cancel_requested.connect(self.cancel)
        self.setup.start_requested.connect(self.start)
        self.setup.data_requested.connect(self._look)
        self.problem.connect(self.services.open_library.problem)  # shown at the top of the window

    def _job(
        self,
        task: Callable[[ProgressCallback, CancelToken], Any],
        use: Callable[[Any], object],
        queue: Pool | LatestJob = Pool.INTERACTIVE,
        fail: Callable[[str], object] | None = None,
    ) -> None:
        """Short work; what goes wrong is told at the top of the window."""
        self._runner.run(task, use, fail or self.problem, queue)

    # What there is to work on

    def _look(self, table: Path | None) -> None:
        path = table or self.services.open_library.library_path
        use, fail = self.setup.set_facts, self.setup.set_data_problem
        self._job(lambda *_: evaluation.look_at(path), use, self._looking, fail)

    def refresh_reports(self, select: Path | None = None) -> None:
        root = self.reports_path

        def use(reports: list[SavedReport]) -> None:
            self.reports = reports
            self.panel.show_reports(reports, select)

        self._job(lambda *_: saved_reports.list_reports(root), use, self._listing)

    # Running

    @property
    def is_running(self) -> bool:
        return self._run is not None

    def start(self, request: Request) -> None:
        if self._run is not None:
            return
        root = self.reports_path
        job = Job(lambda progress, cancel: evaluation.run(request, root, progress, cancel))
        job.progressed.connect(self.panel.run_card.show_progress)
        job.succeeded.connect(lambda folder: self.refresh_reports(select=folder))
        job.failed.connect(self.problem)
        job.finished.connect(self._finished)
        self._run = job
        self.panel.run_card.begin()
        self.setup.set_busy(True)
        self._runner.start(job, Pool.EVALUATION)

    def cancel(self) -> None:
        if self._run is not None:
            self._run.cancel()

    def _finished(self) -> None:
        self._run = None
        self.panel.run_card.hide()
        self.setup.set_busy(False)

    # Showing

    def show_setup(self) -> None:
        self.panel.clear_selection()
        self._show(None)
        self.setup.look_again()

    def _new_test(self) -> None:
        self.show_setup()
        self.setup.choose_listening_test()

    def show_reports(self, reports: list[SavedReport]) -> None:
        """One is read, several are compared."""
        if len(reports) > 1:
            self._show(ReportComparison(self.services.theme, self._runner, reports))
        else:
            self.show_report(reports[0])

    def show_report(self, opened: SavedReport) -> ReportView:
        actions = (
            (self.tr("Open in browser"), partial(self._open, opened.folder / "index.html")),
            (self.tr("Show in folder"), partial(self._reveal, opened.folder / "report.json")),
            (self.tr("Delete…"), partial(self._ask_to_delete, [opened])),
        )
        view = ReportView(self.services.theme, self._runner, opened, actions)
        view.test_requested.connect(self.show_test)
        self._show(view)
        return view

    def show_test(self, opened: SavedReport) -> None:
        blind_test = BlindTestPage(self.services.theme, self.services.player, opened, self._job)
        blind_test.full_page.connect(self._show_alone)
        blind_test.report_requested.connect(self._show_scored)
        blind_test.problem.connect(self.problem)
        self._show(blind_test)

    def _show_scored(self, opened: SavedReport) -> None:
        """With all answers that there are by now; the report on disk follows."""

        def use(fresh: SavedReport) -> None:
            self.show_report(fresh).show_protocol(saved_reports.TEST_FOLDER)
            job = Job(lambda *_: saved_reports.save(fresh))
            job.succeeded.connect(lambda _: self.refresh_reports())
            job.failed.connect(self.problem)
            self._runner.start(job, Pool.EVALUATION)

        self._job(lambda *_: saved_reports.scored(opened), use)

    def _show(self, view: QWidget | None) -> None:
        """Instead of what was shown before; None: the setup."""
        while (old := self.pages.widget(1)) is not None:
            self.pages.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._show_alone(False)
        if view is not None:
            self.pages.addWidget(view)
        self.pages.setCurrentIndex(self.pages.count() - 1)

    def _show_alone(self, is_alone: bool) -> None:
        for widget in (self.panel, self._divider):
            widget.setHidden(is_alone)

    # What can be done with a report

    def _open(self, path: Path, *_: object) -> None:
        if not QDesktopServices.openUrl(QUrl(file_url(path))):
            text = self.tr("No browser could be opened. The page is {path}")
            self.problem.emit(text.format(path=path))

    def _reveal(self, path: Path, *_: object) -> None:
        if not reveal(path):
            text = self.tr("No file manager could be opened. The folder is {path}")
            self.problem.emit(text.format(path=path.parent))

    def _ask_to_delete(self, reports: Sequence[SavedReport], *_: object) -> None:
        if not reports:
            return
        question = self.tr("Delete this report?")
        if len(reports) > 1:
            question = self.tr("Delete these {num} reports?").format(num=len(reports))
        cost = self.tr("Answers to its listening test go with it. This cannot be undone.")
        folders = [opened.folder for opened in reports]
        confirm(self, question, cost, self.tr("Delete"), lambda: self.delete(folders))

    def delete(self, folders: Sequence[Path]) -> None:
        def task(*_: object) -> None:
            for folder in folders:
                saved_reports.delete(folder)

        def use(_: object) -> None:
            self.show_setup()
            self.refresh_reports()

        self._job(task, use)
