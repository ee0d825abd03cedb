"""The numbers behind a run, with the paper's values as defaults; most people never open this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QSpinBox, QWidget

from app.evaluate.run import Request
from app.ui.theme import Theme
from app.ui.widgets import SMALL, label

MAX_SEED = 2**31 - 1


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
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(2, 1)
        self.clip_s = self._number(
            self.tr("Listen to"), self.tr("the middle of each song; 0: all of it"), 0, 3600, 30,
            self.tr(" s"),
        )  # fmt: skip
        self.max_singers = self._number(
            self.tr("Artists at most"), self.tr("drawn at random from a larger library"), 2, 10**6,
            100,
        )  # fmt: skip
        self.max_songs = self._number(
            self.tr("Songs of each"), self.tr("drawn at random"), 1, 10**6, 10
        )
        self.num_triplets = self._number(
            self.tr("Questions of a listening test"), self.tr("about half a minute each"), 1, 500,
            20,
        )  # fmt: skip
        self.label = self._choice(
            self.tr("Colours of the picture"), self.tr("which label tells songs apart")
        )
        self.gender_column = self._choice(
            self.tr("Column of genders"), self.tr("of the table; any label of artists will do")
        )
        self.num_trials = self._number(
            self.tr("Trials"), self.tr("of artist similarity; the paper has 100"), 1, 10_000, 100
        )
        self.num_artists = self._number(
            self.tr("Artists in a trial"), self.tr("or repeat; the paper has 50"), 2, 10_000, 50
        )
        self.num_repeats = self._number(
            self.tr("Repeats"), self.tr("of artist identification; the paper has 5"), 1, 100, 5
        )
        self.separator = self._choice(self.tr("Separator"), self.tr("makes the separated vocals"))
        self.seed = self._number(
            self.tr("Seed"), self.tr("the same seed gives the same numbers"), 0, MAX_SEED, 0
        )
        self._is_separator_chosen = False
        self.separator.activated.connect(self._separator_chosen)
        self.set_columns({})

    def _number(
        self, name: str, hint: str, low: int, high: int, value: int, suffix: str = ""
    ) -> QSpinBox:
        box = Number()
        box.setRange(low, high)
        box.setValue(value)
        box.setSuffix(suffix)
        box.setMinimumWidth(120)
        box.valueChanged.connect(self.changed)
        self._add(name, hint, box)
        return box

    def _choice(self, name: str, hint: str) -> QComboBox:
        box = Pick()
        box.setMinimumWidth(120)
        box.currentIndexChanged.connect(self.changed)
        self._add(name, hint, box)
        return box

    def _add(self, name: str, hint: str, box: QWidget) -> None:
        row = self._grid.rowCount()
        box.setAccessibleName(name)
        box.setAccessibleDescription(hint)
        text = label(name)
        text.setBuddy(box)
        self._grid.addWidget(text, row, 0)
        self._grid.addWidget(box, row, 1)
        self._grid.addWidget(label(hint, "muted", self._theme.font(SMALL), wrap=True), row, 2)

    def set_separators(self, names: Sequence[str], default: str) -> None:
        """``default`` is shown until somebody chooses here."""
        if not self._is_separator_chosen:
            self.separator.setCurrentIndex(-1)
        _refill(self.separator, names, default)

    def _separator_chosen(self) -> None:
        self._is_separator_chosen = True

    def set_columns(self, columns: Mapping[str, int]) -> None:
        """Columns of the data that a label can be taken from."""
        telling = [name for name, num in columns.items() if num > 1]
        _refill(self.label, ["singer", *telling], "singer")
        _refill(self.gender_column, sorted({"gender", *telling}), "gender")

    def apply(self, request: Request) -> Request:
        return replace(
            request,
            seed=self.seed.value(),
            clip_s=float(self.clip_s.value()) or None,
            max_singers=self.max_singers.value(),
            max_songs=self.max_songs.value(),
            num_triplets=self.num_triplets.value(),
            num_trials=self.num_trials.value(),
            num_artists=self.num_artists.value(),
            num_repeats=self.num_repeats.value(),
            label=self.label.currentText(),
            gender_column=self.gender_column.currentText(),
            separator=self.separator.currentText() or request.separator,
        )


def _refill(box: QComboBox, names: Sequence[str], default: str) -> None:
    """What was chosen stays chosen where it still exists."""
    before = box.currentText()
    box.blockSignals(True)
    box.clear()
    box.addItems(list(names))
    box.setCurrentText(before if before in names else default)
    box.blockSignals(False)
