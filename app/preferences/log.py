"""What the program wrote down, to read and to copy into a report."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit

from app.crash import report
from app.desktop.log import tail
from app.preferences.section import Section
from app.services.services import Services
from app.ui.widgets import button
from engine.paths import log_path


class LogSection(Section):
    reveal_requested = Signal(object)  # Path

    def __init__(self, services: Services, path: Path | None = None) -> None:
        super().__init__(services)
        self._path = path or log_path()
        self.add_heading(self.tr("Log"))
        self.add_note(
            self.tr("It stays on this computer, and holds no more of you than paths of your files.")
        )
        self.text = self.add_text(self.tr("Log"), 300)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        copy = button(self.tr("Copy report"))
        refresh = button(self.tr("Read again"))
        show = button(self.tr("Show the file"))
        copy.clicked.connect(self._copy)
        refresh.clicked.connect(self.read)
        show.clicked.connect(lambda: self.reveal_requested.emit(self._path))
        self.add_row(copy, refresh, show)
        self.read()

    def read(self) -> None:
        self.run(lambda: tail(self._path), self._show)

    def _copy(self) -> None:
        """With the versions of what runs here, which whoever reads it would ask for."""
        QGuiApplication.clipboard().setText(report("", self.text.toPlainText()))

    def _show(self, text: str) -> None:
        self.text.setPlainText(text or self.tr("Nothing was logged yet."))
        self.text.moveCursor(QTextCursor.MoveOperation.End)
