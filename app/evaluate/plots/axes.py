"""A box with a percent axis, as bars and curves have it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from app.ui.theme import Theme

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
MAX_LINES = 6


@dataclass(frozen=True)
class PercentAxis:
    """From 0 to ``top`` (fractions), upwards in ``box``."""

    box: QRectF
    top: float

    def y(self, value: float) -> float:
        return self.box.bottom() - self.box.height() * min(value, self.top) / self.top

    def line_y(self, value: float) -> float:
        """Where a thin line is sharp."""
        return math.floor(self.y(value)) + 0.5

    @property
    def step(self) -> float:
        return next((step for step in STEPS if self.top / step <= MAX_LINES), 0.5)

    def draw(self, painter: QPainter, theme: Theme, label: str = "") -> None:
        """Grid lines with their numbers, and what they count."""
        metrics = QFontMetricsF(painter.font())
        for number in range(math.floor(self.top / self.step + 1e-9) + 1):
            y = self.line_y(number * self.step)
            painter.setPen(QPen(theme.colour("line"), 1))
            painter.drawLine(QLineF(self.box.left(), y, self.box.right(), y))
            painter.setPen(theme.colour("muted"))
            text = f"{100 * number * self.step:.0f}"
            place = QRectF(self.box.left() - 46, y - metrics.height() / 2, 40, metrics.height())
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, int(flags), text)
        if label:
            painter.setPen(theme.colour("muted"))
            painter.drawText(QPointF(self.box.left() - 36, self.box.top() - 14), label)

    def draw_chance(self, painter: QPainter, theme: Theme, chance: float, text: str) -> None:
        """Over everything else: a dashed line, and what it is."""
        y = self.line_y(chance)
        painter.setPen(QPen(theme.colour("muted"), 1.2, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(self.box.left(), y, self.box.right(), y))
        metrics = QFontMetricsF(painter.font())
        width = metrics.horizontalAdvance(text) + 8
        ground = QRectF(self.box.right() - width, y - metrics.height() - 1, width, metrics.height())
        painter.setPen(theme.colour("muted"))
        painter.drawText(ground, int(Qt.AlignmentFlag.AlignCenter), text)


def axis_top(values: list[float]) -> float:
    """A round number above all values: 10 % to 100 %."""
    largest = max((value for value in values if math.isfinite(value)), default=1.0)
    return next((t for t in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if largest <= t), 1.0)
