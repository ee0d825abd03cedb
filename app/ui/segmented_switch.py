"""A calm switch: one of a few, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton

from app.ui.layouts import hbox
from app.ui.widgets import button, set_look

SPACING, MARGIN = 2, 3
ROOMY_PAD, TIGHT_PAD = 16, 6  # beside a text, as the style sheet has it


@dataclass(frozen=True)
class Segment:
    key: str
    text: str
    tip: str = ""


class SegmentedSwitch(QFrame):
    """Left and Right move within it, as the buttons exclude each other.

    Where it is crowded, its texts come nearer to each other before one is cut.
    """

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
        hbox(*self._buttons.values(), spacing=SPACING, margins=(MARGIN,) * 4, of=self)
        next(iter(self._buttons.values())).setChecked(True)

    def _width(self, pad: int) -> int:
        between = 2 * MARGIN + SPACING * (len(self._buttons) - 1)
        widths = (one.fontMetrics().horizontalAdvance(one.text()) for one in self._buttons.values())
        return between + sum(width + 2 * (pad + 1) for width in widths)

    def sizeHint(self) -> QSize:
        return QSize(self._width(ROOMY_PAD), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._width(TIGHT_PAD), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_tight = event.size().width() < self._width(ROOMY_PAD)
        for one in self._buttons.values():
            set_look(one, "tight", is_tight)

    def show_key(self, key: str) -> None:
        self._buttons[key].setChecked(True)

    @property
    def key(self) -> str:
        return next(key for key, one in self._buttons.items() if one.isChecked())

    def segment(self, key: str) -> QPushButton:
        return self._buttons[key]
