"""Bars with their intervals, in groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.evaluate.plots.axes import PercentAxis, axis_top
from app.evaluate.plots.base import Mark, PlotWidget
from app.evaluate.plots.colours import text_on
from app.evaluate.summary import input_name
from app.ui.theme import Theme

if TYPE_CHECKING:
    from engine.evaluation.bootstrap import Estimate
    from engine.evaluation.results import Bars

SEPARATOR = " · "
HEIGHT_PX = 236.0
LEFT_PX = 44.0
TOP_PX = 32.0
MAX_BAR_PX = 46.0
WHISKER_PX = 4.0


class BarsWidget(PlotWidget):
    def __init__(self, plot: Bars, theme: Theme, models: Sequence[str] = ()) -> None:
        super().__init__(theme, plot.title, list(plot.series), models)
        self.plot = plot
        known = [e for estimates in plot.series.values() for e in estimates if e is not None]
        values = [v for e in known for v in (e.value, e.high)]
        self._axis_top = axis_top([*values, plot.chance or 0.0])
        # A group that is told by several things has a line for each.
        self._groups = [[input_name(part) for part in g.split(SEPARATOR)] for g in plot.groups]

    def body_height(self, width: float) -> float:
        return HEIGHT_PX + self._names_height

    @property
    def _names_height(self) -> float:
        num_lines = max((len(parts) for parts in self._groups), default=1)
        return num_lines * QFontMetricsF(self.small_font).height() + 8

    def draw(self, painter: QPainter, area: QRectF) -> list[Mark]:
        box = area.adjusted(LEFT_PX, TOP_PX, 0, -self._names_height)
        axis = PercentAxis(box, self._axis_top)
        axis.draw(painter, self.theme, f"{self.plot.value_label}, %")
        marks = []
        slot = box.width() / max(1, len(self.plot.groups))
        for number in range(len(self._groups)):
            place = QRectF(box.left() + number * slot, box.top(), slot, box.height())
            self._draw_name(painter, place, number)
            marks += self._draw_group(painter, axis, place, number)
        if self.plot.chance is not None:
            axis.draw_chance(painter, self.theme, self.plot.chance, self.tr("chance"))
        return marks

    def _draw_name(self, painter: QPainter, place: QRectF, number: int) -> None:
        metrics = QFontMetricsF(painter.font())
        painter.setPen(self.theme.colour("text"))
        for line, part in enumerate(self._groups[number]):
            shown = metrics.elidedText(part, Qt.TextElideMode.ElideRight, place.width() - 4)
            top = place.bottom() + 5 + line * metrics.height()
            below = QRectF(place.left(), top, place.width(), metrics.height())
            painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), shown)

    def _draw_group(
        self, painter: QPainter, axis: PercentAxis, place: QRectF, number: int
    ) -> list[Mark]:
        group = SEPARATOR.join(self._groups[number])
        series = list(self.plot.series.items())
        width = min(MAX_BAR_PX, place.width() * 0.8 / max(1, len(series)))
        left = place.center().x() - width * len(series) / 2
        marks = []
        for index, (name, estimates) in enumerate(series):
            estimate = estimates[number]
            if estimate is None or not math.isfinite(estimate.value):
                continue
            bar = QRectF(left + index * width, axis.y(estimate.value), width * 0.88, 0)
            bar.setBottom(axis.box.bottom())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour(index))
            painter.drawRoundedRect(bar, 3, 3)
            self._draw_value(painter, axis, bar, estimate, self.colour(index))
            self._draw_whisker(painter, axis, bar, estimate)
            marks.append(Mark(bar, f"{name} · {group}\n{percent_text(estimate)}", index))
        return marks

    def _draw_value(
        self, painter: QPainter, axis: PercentAxis, bar: QRectF, estimate: Estimate, colour: QColor
    ) -> None:
        """At the foot of the bar, where there is room beside the whisker."""
        metrics = QFontMetricsF(painter.font())
        height = metrics.height() + 3
        text = f"{100 * estimate.value:.0f}"
        lowest = axis.y(estimate.low if math.isfinite(estimate.low) else estimate.value)
        if metrics.horizontalAdvance(text) + 4 <= bar.width() and lowest < bar.bottom() - height:
            foot = QRectF(bar.left(), bar.bottom() - height, bar.width(), metrics.height())
            painter.setPen(text_on(colour))
            painter.drawText(foot, int(Qt.AlignmentFlag.AlignCenter), text)

    def _draw_whisker(
        self, painter: QPainter, axis: PercentAxis, bar: QRectF, estimate: Estimate
    ) -> None:
        if not math.isfinite(estimate.low):
            return
        x, low, high = bar.center().x(), axis.y(estimate.low), axis.y(estimate.high)
        painter.setPen(QPen(self.theme.colour("text"), 1.4))
        painter.drawLine(QLineF(x, low, x, high))
        for y in (low, high):
            painter.drawLine(QLineF(x - WHISKER_PX, y, x + WHISKER_PX, y))


def percent_text(estimate: Estimate) -> str:
    """``12.5 % (10.0 to 20.0)``."""
    if not math.isfinite(estimate.value):
        return "–"
    text = f"{100 * estimate.value:.1f} %"
    if not math.isfinite(estimate.low):
        return text
    return f"{text} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"
