"""A calm switch: one of a few, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton

from app.ui.layouts import hbox
from app.ui.widgets import button


@dataclass(frozen=True)
class Segment:
    key: str
    text: str
    tip: str = ""


class SegmentedSwitch(QFrame):
    """Left and Right move within it, as the buttons exclude each other."""

    chosen = Signal(str)  # key, when a person has chosen

    def __init__(self, name: str, segments: Iterable[Segment]) -> None:
        """``name`` is for screen readers. The first segment is chosen at first."""
        super().__init__()
        self.setObjectName("segments")
        self.setAccessibleName(name)
        self._buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        for segment in segments:
            one = button(segment.text, "segment")
            one.setCheckable(True)
            one.setToolTip(segment.tip)
            one.clicked.connect(lambda _=False, key=segment.key: self.chosen.emit(key))
            group.addButton(one)
            self._buttons[segment.key] = one
        hbox(*self._buttons.values(), spacing=2, margins=(3, 3, 3, 3), of=self)
        next(iter(self._buttons.values())).setChecked(True)

    def show_key(self, key: str) -> None:
        self._buttons[key].setChecked(True)

    @property
    def key(self) -> str:
        return next(key for key, one in self._buttons.items() if one.isChecked())

    def segment(self, key: str) -> QPushButton:
        return self._buttons[key]
