"""Where a listening test is begun, taken, gone on with, and ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QPushButton, QStackedWidget, QWidget

from app.evaluate import saved_reports
from app.evaluate.blind_test.answer_sheet import AnswerSheet, answer_sheets, new_sheet
from app.evaluate.blind_test.view import BlindTestView
from app.evaluate.columns import ScrollColumn, heading, title
from app.evaluate.saved_reports import SavedReport
from app.player.player import Player
from app.ui.dialogs import open_file_dialog
from app.ui.flow import wrapping_row
from app.ui.theme import Theme
from app.ui.widgets import button, label

# (task of (progress, cancel), use of its result): off the UI thread
RunJob = Callable[[Callable[[Any, Any], Any], Callable[[Any], object]], None]


class BlindTestStart(ScrollColumn):
    """What will happen, and who was here before; after a test thanks to who took it."""

    begin_requested = Signal(object)  # AnswerSheet, or None for a new listener
    report_requested = Signal()
    copy_requested = Signal()
    answers_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        opened: SavedReport,
        begun: Sequence[AnswerSheet],
        done: AnswerSheet | None = None,
    ) -> None:
        """``done``: of the listener who has just answered everything."""
        super().__init__(self.tr("Listening test"))
        self._theme = theme
        assert opened.test is not None
        if done is not None:
            name, text = self.tr("Thank you for listening"), self.tr("All {num} answers are saved.")
            self.back = button(self.tr("See the results"), "primary")
            self.begin = button(self.tr("Another listener"), "large")
            text = text.format(num=done.num_answered)
        else:
            name, text = self.tr("Listening test"), self._explanation(len(opened.test.triplets))
            self.back = button(self.tr("Back to the report"), "large")
            self.begin = button(self.tr("Begin as a new listener"), "primary")
        self.begin.clicked.connect(lambda: self.begin_requested.emit(None))
        self.back.clicked.connect(self.report_requested)
        self.column.addWidget(title(theme, name))
        self.column.addWidget(label(text, wrap=True))
        self.column.addSpacing(6)
        self.choices = (self.begin, self.back) if done is None else (self.back, self.begin)
        self.column.addWidget(wrapping_row(self.choices, 12))
        open_ones = [sheet for sheet in begun if sheet.current is not None]
        self.resume_buttons = [self._resume_button(sheet) for sheet in open_ones]
        if open_ones:
            self._section(self.tr("Go on where somebody paused"))
            for widget in self.resume_buttons:
                self.column.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft)
        self._section(self.tr("Listeners so far"))
        self.column.addWidget(label(self._listeners_text(begun), "muted", wrap=True))
        copy = button(self.tr("Copy the test for others…"))
        copy.clicked.connect(self.copy_requested)
        answers = button(self.tr("Add answers of others…"))
        answers.clicked.connect(self.answers_requested)
        self.column.addWidget(wrapping_row((copy, answers)))
        self.column.addStretch()

    def _explanation(self, num: int) -> str:
        return self.tr(
            "You will hear {num} songs. To each, two models have recommended another song, A and "
            "B; which is whose stays hidden. Say which one is more like the song, and whose voice "
            "is more like its voice. “Both alike” is a good answer.\n\n"
            "It takes about {minutes} minutes. Every answer is saved at once: pause whenever you "
            "like, and go on later. Nothing is asked about you; answers are kept under a random "
            "name. Headphones help."
        ).format(num=num, minutes=max(1, round(num * 0.75)))

    def _section(self, text: str) -> None:
        self.column.addSpacing(14)
        self.column.addWidget(heading(self._theme, text))

    def _resume_button(self, sheet: AnswerSheet) -> QPushButton:
        text = self.tr("Listener {name}: {done} of {total} answers given").format(
            name=sheet.listener, done=sheet.num_answered, total=len(sheet.steps)
        )
        widget = button(text)
        widget.clicked.connect(lambda: self.begin_requested.emit(sheet))
        return widget

    def _listeners_text(self, begun: Sequence[AnswerSheet]) -> str:
        if not begun:
            return self.tr(
                "Nobody yet. The test can be taken here by several people, one after the other, or "
                "copied for others: they listen in their browser and send you a file of answers."
            )
        num_answers = sum(sheet.num_answered for sheet in begun)
        if len(begun) == 1:
            return self.tr("One listener; answers given: {num}.").format(num=num_answers)
        return self.tr("{listeners} listeners; answers given: {num}.").format(
            listeners=len(begun), num=num_answers
        )


class BlindTestPage(QStackedWidget):
    """``full_page`` says whether everything beside the test should be put away."""

    full_page = Signal(bool)
    report_requested = Signal(object)  # SavedReport
    problem = Signal(str)

    def __init__(self, theme: Theme, player: Player, opened: SavedReport, run_job: RunJob) -> None:
        super().__init__()
        assert opened.test is not None
        self._theme = theme
        self._player = player
        self._run_job = run_job
        self.opened = opened
        self.show_start()

    def show_start(self, done: AnswerSheet | None = None) -> None:
        """Answers are read afresh: other people may have added theirs."""
        opened, test = self.opened, self.opened.test
        assert test is not None

        def use(begun: list[AnswerSheet]) -> None:
            start = BlindTestStart(self._theme, opened, begun, done)
            start.begin_requested.connect(self._begin)
            start.report_requested.connect(lambda: self.report_requested.emit(opened))
            start.copy_requested.connect(self._choose_copy)
            start.answers_requested.connect(self._choose_answers)
            self._show(start)
            start.choices[0].setFocus(Qt.FocusReason.OtherFocusReason)

        self.full_page.emit(False)
        self._run_job(lambda *_: answer_sheets(opened.test_folder, test), use)

    def _begin(self, sheet: AnswerSheet | None) -> None:
        assert self.opened.test is not None
        if sheet is None:
            sheet = new_sheet(self.opened.test_folder, self.opened.test)
        test = BlindTestView(self._theme, self._player, sheet)
        test.paused.connect(lambda: self.show_start())
        test.done.connect(lambda: self.show_start(done=sheet))
        test.problem.connect(self.problem)
        self.full_page.emit(True)
        self._show(test)

    def _show(self, view: QWidget) -> None:
        while (old := self.widget(0)) is not None:
            self.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.addWidget(view)

    # Other listeners

    def _choose_copy(self) -> None:
        text, mode = self.tr("Copy the test for others"), QFileDialog.FileMode.AnyFile
        dialog = open_file_dialog(self, text, mode, name="listening-test.zip")
        dialog.setDefaultSuffix("zip")
        dialog.fileSelected.connect(lambda path: self.copy_to(Path(path)))

    def copy_to(self, path: Path) -> None:
        folder = self.opened.test_folder
        text = self.tr("The test is in {path}. Listeners unpack it and open listen.html.")
        self._run_job(
            lambda *_: saved_reports.export_test(folder, path),
            lambda _: self.problem.emit(text.format(path=path)),
        )

    def _choose_answers(self) -> None:
        text, mode = self.tr("Add answers of others"), QFileDialog.FileMode.ExistingFiles
        dialog = open_file_dialog(self, text, mode, filters=(self.tr("Answers (*.json)"),))
        dialog.filesSelected.connect(lambda paths: self.add_answers([Path(p) for p in paths]))

    def add_answers(self, paths: Sequence[Path]) -> None:
        opened = self.opened

        def use(notes: list[str]) -> None:
            if notes:
                self.problem.emit(" ".join(notes))
            self.show_start()

        self._run_job(lambda *_: saved_reports.add_answers(opened, paths), use)
