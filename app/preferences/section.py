"""One section of the preferences: rows, notes, cards, and work off the UI thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.jobs import Pool
from app.services.indexing import num_workers
from app.services.services import Services
from app.settings import INDEX_SPEED
from app.ui.dialogs import confirm
from app.ui.language import grouped
from app.ui.layouts import hbox, vbox
from app.ui.text_format import duration
from app.ui.theme import Theme
from app.ui.widgets import SMALL, label
from engine.errors import SingalikeError
from engine.preferences import read_choices, write_choices

# Seconds of one core for one song of four minutes, rounded up: separated voices are heard 34 times
# as fast as songs play, whole songs 167 times (docs/results.md).
VOCALS_S, OVERALL_S = 8.0, 2.0


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

    # What is in it

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

    def add_check(self, text: str, is_on: bool, use: Callable[[bool], object]) -> QCheckBox:
        box = QCheckBox(text)
        box.setChecked(is_on)
        box.toggled.connect(use)
        self.column.addWidget(box)
        return box

    def picker(
        self, name: str, choices: Mapping[Any, str], now: Any, use: Callable[[Any], object]
    ) -> QComboBox:
        """One of these (key, what is read of it); ``use`` gets the key that a person chooses."""
        picker = QComboBox()
        picker.setAccessibleName(name)
        for key, text in choices.items():
            picker.addItem(text, key)
        picker.setCurrentIndex(max(0, picker.findData(now)))
        picker.activated.connect(lambda _: use(picker.currentData()))
        return picker

    def add_text(self, name: str, height_px: int) -> QPlainTextEdit:
        """To be read, and copied from."""
        text = QPlainTextEdit()
        text.setReadOnly(True)
        text.setMinimumHeight(height_px)
        text.setAccessibleName(name)
        self.column.addWidget(text, 1)
        return text

    def add_cards(self) -> QVBoxLayout:
        """A column for cards, which are not there yet."""
        cards = vbox(spacing=8)
        self.column.addLayout(cards)
        return cards

    # What it does

    def run(
        self,
        work: Callable[[], Any],
        use: Callable[[Any], object] = lambda result: None,
        *,
        then: Callable[[], object] = lambda: None,
        pool: Pool = Pool.MEDIA,
    ) -> None:
        """Off the UI thread. ``use`` gets the result; ``then`` comes last, also after a failure."""
        runner = self.services.open_library.runner
        runner.run(lambda *_: work(), use, self.problem, pool).finished.connect(then)

    def listen_otherwise(self, **changes: Any) -> None:
        """Other choices of the engine from now on: indexing begins anew with them."""
        try:
            write_choices(replace(read_choices(), **changes))
        except SingalikeError as error:
            self.problem.emit(str(error))
        else:
            self.services.indexing.again()
            self.services.indexing.start()

    def ask_to_listen_again(
        self, question: str, use: Callable[[], object], *, is_vocals: bool
    ) -> None:
        """What it costs is said before."""
        overview = self.services.open_library.overview
        num_songs = overview.counts.tracks - overview.counts.missing if overview is not None else 0
        cost = self.tr("There are no songs yet, so nothing has to be listened to again.")
        if num_songs:
            seconds = num_songs * (VOCALS_S if is_vocals else OVERALL_S)
            seconds /= num_workers(self.services.settings.get(INDEX_SPEED))
            cost = self.tr(
                "All {num} songs have to be listened to again, which takes about {time}. You can "
                "go on meanwhile; what was heard before serves until nearly all songs are heard "
                "anew, and is kept, so that you can change back at once."
            ).format(num=grouped(num_songs), time=duration(seconds))
        confirm(self, question, cost, self.tr("Change and listen again"), use)


class Card(QFrame):
    """Something that there is: its name, what to know of it, and what can be done with it."""

    def __init__(self, theme: Theme, title: str, texts: list[str]) -> None:
        super().__init__()
        self.setObjectName("card")
        name = label(title, font=theme.font(weight=QFont.Weight.Medium), wrap=True)
        self.mark = label("", "accent", theme.font(SMALL))
        head = hbox((name, 1), (self.mark, Qt.AlignmentFlag.AlignTop), spacing=8)
        small = theme.font(SMALL)
        lines = [label(text, "muted", small, wrap=True) for text in texts if text]
        self.row = hbox(None, spacing=8, margins=(0, 5, 0, 0))
        vbox(head, *lines, self.row, spacing=3, margins=(14, 10, 14, 10), of=self)

    def add(self, *widgets: QWidget) -> None:
        """Into the last row, from the left."""
        for widget in widgets:
            self.row.insertWidget(self.row.count() - 1, widget)
