"""One section of the preferences: rows, notes, cards, and work off the UI thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.jobs import Job, Pool
from app.services.services import Services
from app.ui.layouts import hbox, vbox
from app.ui.widgets import label


class Section(QScrollArea):
    """A column of rows that scrolls where it does not fit."""

    problem = Signal(str)  # a sentence

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self.theme = services.theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        content.setObjectName("page")
        self.column = vbox(spacing=8, margins=(0, 0, 12, 0), of=content)
        self.setWidget(content)

    def add_heading(self, text: str) -> QLabel:
        if self.column.count():
            self.column.addSpacing(10)
        heading = label(text, font=self.theme.font(weight=QFont.Weight.DemiBold))
        self.column.addWidget(heading)
        return heading

    def add_note(self, text: str = "") -> QLabel:
        note = label(text, "muted", wrap=True)
        self.column.addWidget(note)
        return note

    def add_row(self, *widgets: QWidget) -> None:
        """Side by side, from the left."""
        self.column.addLayout(hbox(*widgets, None, spacing=8))

    def add_cards(self) -> QVBoxLayout:
        """A column for cards, which are not there yet."""
        cards = vbox(spacing=8)
        self.column.addLayout(cards)
        return cards

    def run(
        self,
        work: Callable[[], Any],
        use: Callable[[Any], object] = lambda result: None,
        *,
        then: Callable[[], object] = lambda: None,
        pool: Pool = Pool.MEDIA,
    ) -> None:
        """Off the UI thread. ``use`` gets the result; ``then`` comes last, also after a failure."""
        job = Job(lambda progress, cancel: work())
        job.succeeded.connect(use)
        job.failed.connect(self.problem)
        job.finished.connect(then)
        self.services.open_library.runner.start(job, pool)
