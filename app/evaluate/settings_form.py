"""The numbers behind a run, with the paper's values as defaults; most people never open this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QSpinBox, QWidget

from app.evaluate.run import Request
from app.ui.shortcuts import noop
from app.ui.theme import Theme
from app.ui.widgets import SMALL, label


class Field(NamedTuple):
    """Of a request: what it is called, and for numbers the smallest and the largest."""

    name: str
    title: str
    hint: str
    low: int = 0
    high: int = 0


FIELDS = (
    Field("clip_s", noop("Listen to"), noop("seconds of the middle of each song; 0: all of it"),
          0, 3600),
    Field("max_singers", noop("Artists at most"), noop("drawn at random from a larger library"),
          2, 10**6),
    Field("max_songs", noop("Songs of each"), noop("drawn at random"), 1, 10**6),
    Field("num_triplets", noop("Questions of a listening test"), noop("about half a minute each"),
          1, 500),
    Field("label", noop("Colours of the picture"), noop("which label tells songs apart")),
    Field("gender_column", noop("Column of genders"),
          noop("of the table; any label of artists will do")),
    Field("num_trials", noop("Trials"), noop("of artist similarity; the paper has 100"), 1, 10_000),
    Field("num_artists", noop("Artists in a trial"), noop("or repeat; the paper has 50"),
          2, 10_000),
    Field("num_repeats", noop("Repeats"), noop("of artist identification; the paper has 5"),
          1, 100),
    Field("separator", noop("Separator"), noop("makes the separated vocals")),
    Field("seed", noop("Seed"), noop("the same seed gives the same numbers"), 0, 2**31 - 1),
)  # fmt: skip


class Number(QSpinBox):
    """The wheel scrolls the page, unless the field was clicked before."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Pick(QComboBox):
    """Never turned by the wheel: the page scrolls."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class SettingsForm(QWidget):
    """``apply`` writes its values into a request."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.numbers: dict[str, QSpinBox] = {}
        self.choices: dict[str, QComboBox] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(2, 1)
        for row, field in enumerate(FIELDS):
            box = self._number(field) if field.high else self._choice(field)
            name, hint = self.tr(field.title), self.tr(field.hint)
            box.setMinimumWidth(120)
            box.setAccessibleName(name)
            box.setAccessibleDescription(hint)
            text = label(name)
            text.setBuddy(box)
            grid.addWidget(text, row, 0)
            grid.addWidget(box, row, 1)
            grid.addWidget(label(hint, "muted", theme.font(SMALL), wrap=True), row, 2)
        self._is_separator_chosen = False
        self.choices["separator"].activated.connect(self._separator_chosen)
        self.set_columns({})

    def _number(self, field: Field) -> QSpinBox:
        box = Number()
        box.setRange(field.low, field.high)
        box.setValue(int(getattr(Request, field.name)))
        box.valueChanged.connect(self.changed)
        self.numbers[field.name] = box
        return box

    def _choice(self, field: Field) -> QComboBox:
        box = Pick()
        box.currentIndexChanged.connect(self.changed)
        self.choices[field.name] = box
        return box

    def set_separators(self, names: Sequence[str], default: str) -> None:
        """``default`` is shown until somebody chooses here."""
        if not self._is_separator_chosen:
            self.choices["separator"].setCurrentIndex(-1)
        _refill(self.choices["separator"], names, default)

    def _separator_chosen(self) -> None:
        self._is_separator_chosen = True

    def set_columns(self, columns: Mapping[str, int]) -> None:
        """Columns of the data that a label can be taken from."""
        telling = [name for name, num in columns.items() if num > 1]
        _refill(self.choices["label"], ["singer", *telling], "singer")
        _refill(self.choices["gender_column"], sorted({"gender", *telling}), "gender")

    def apply(self, request: Request) -> Request:
        numbers = {name: box.value() for name, box in self.numbers.items()}
        chosen = {name: box.currentText() for name, box in self.choices.items()}
        known = {name: text for name, text in chosen.items() if text}
        clip_s = float(numbers.pop("clip_s")) or None
        return replace(request, clip_s=clip_s, **numbers, **known)  # type: ignore[arg-type]


def _refill(box: QComboBox, names: Sequence[str], default: str) -> None:
    """What was chosen stays chosen where it still exists."""
    before = box.currentText()
    box.blockSignals(True)
    box.clear()
    box.addItems(list(names))
    box.setCurrentText(before if before in names else default)
    box.blockSignals(False)
