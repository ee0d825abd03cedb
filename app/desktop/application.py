"""The application: its numbers inside, and files that macOS opens with it or drops on its icon."""

from __future__ import annotations

import locale
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication


class Application(QApplication):
    files_opened = Signal(object)  # list[Path]

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(arguments)
        # Qt takes over the system's way of writing numbers for all of C. With a comma in it, what
        # FFmpeg says of loudness ("-14,2") is no number to anyone; QLocale does not need it.
        locale.setlocale(locale.LC_NUMERIC, "C")

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            self.files_opened.emit([Path(event.file())])
            return True
        return super().event(event)
