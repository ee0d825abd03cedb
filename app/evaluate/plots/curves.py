"""Curves with their bands, one panel for each input, over a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from app.evaluate.plots.axes import PercentAxis, axis_top
from app.evaluate.plots.bars import percent_text
from app.evaluate.plots.base import Mark, PlotWidget
from app.evaluate.summary import input_name
from app.ui.theme import Theme

if TYPE_CHECKING:
    from engine.evaluation.bootstrap import Estimate
    from engine.evaluation.results import Curves

PANEL_PX = 300.0  # at least so wide, or panels go below each other
HEIGHT_PX = 276.0
LEFT_PX, TOP_PX, BOTTOM_PX, GAP_PX = 40.0, 52.0, 44.0, 16.0
DOT_PX = 3.2
BAND_ALPHA = 0.14

Series = Mapping[str, "tuple[Estimate, ...]"]


class CurvesWidget(PlotWidget):
    def __init__(self, plot: Curves, theme: Theme, models: Sequence[str] = ()) -> None:
        names = dict.fromkeys(name for series in plot.panels.values() for name in series)
        super().__init__(theme, plot.title, list(names), models)
        self.plot = plot
        highs = [e.high for s in plot.panels.values() for es in s.values() for e in es]
        values = [e.value for s in plot.panels.values() for es in s.values() for e in es]
        self._axis_top = axis_top([*highs, *values, plot.chance or 0.0])

    def _num_columns(self, width: float) -> int:
        return max(1, min(len(self.plot.panels), int(width // PANEL_PX)))

    def body_height(self, width: float) -> float:
        return HEIGHT_PX * math.ceil(len(self.plot.panels) / self._num_columns(width))

    def draw(self, painter: QPainter, area: QRectF) -> list[Mark]:
        columns = self._num_columns(area.width())
        width = (area.width() - GAP_PX * (columns - 1)) / columns
        marks = []
        for number, (name, series) in enumerate(self.plot.panels.items()):
            place = QRectF(
                area.left() + number % columns * (width + GAP_PX),
                area.top() + number // columns * HEIGHT_PX,
                width,
                HEIGHT_PX,
            )
            marks += self._draw_panel(painter, place, name, series)
        return marks

    def _draw_panel(
        self, painter: QPainter, place: QRectF, name: str, series: Series
    ) -> list[Mark]:
        box = place.adjusted(LEFT_PX, TOP_PX, -8, -BOTTOM_PX)
        metrics = QFontMetricsF(painter.font())
        painter.setPen(self.theme.colour("text"))
        title = metrics.elidedText(input_name(name), Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(QPointF(place.left() + 4, place.top() + metrics.ascent() + 2), title)
        axis = PercentAxis(box, self._axis_top)
        axis.draw(painter, self.theme, f"{self.plot.value_label}, %")
        xs = self._draw_x_axis(painter, box)
        marks = []
        for curve_name, estimates in series.items():
            marks += self._draw_curve(painter, axis, xs, curve_name, estimates)
        if self.plot.chance is not None:
            axis.draw_chance(painter, self.theme, self.plot.chance, self.tr("chance"))
        return marks

    def _draw_x_axis(self, painter: QPainter, box: QRectF) -> list[float]:
        logs = [math.log(x) for x in self.plot.x]
        span = max(logs[-1] - logs[0], 1e-9)
        inset = 14.0
        xs = [
            box.left() + inset + (box.width() - 2 * inset) * (value - logs[0]) / span
            for value in logs
        ]
        metrics = QFontMetricsF(painter.font())
        painter.setPen(self.theme.colour("muted"))
        free_from = -math.inf
        for x, value in zip(xs, self.plot.x, strict=True):
            text = f"{value:g}"
            half = metrics.horizontalAdvance(text) / 2
            if x - half >= free_from:
                painter.drawText(QPointF(x - half, box.bottom() + metrics.ascent() + 5), text)
                free_from = x + half + 6
        below = QRectF(box.left(), box.bottom() + metrics.height() + 5, box.width(), 20)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), self.plot.x_label)
        return xs

    def _draw_curve(
        self,
        painter: QPainter,
        axis: PercentAxis,
        xs: list[float],
        name: str,
        estimates: tuple[Estimate, ...],
    ) -> list[Mark]:
        index = self.names.index(name)
        colour, band = self.colour(index), self.colour(index)
        band.setAlphaF(BAND_ALPHA)
        known = [
            (x, value, estimate)
            for x, value, estimate in zip(xs, self.plot.x, estimates, strict=True)
            if math.isfinite(estimate.value)
        ]
        outer = [(x, e) for x, _, e in known if math.isfinite(e.low)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(band)
        painter.drawPolygon(
            QPolygonF(
                [QPointF(x, axis.y(e.high)) for x, e in outer]
                + [QPointF(x, axis.y(e.low)) for x, e in reversed(outer)]
            )
        )
        points = [QPointF(x, axis.y(e.value)) for x, _, e in known]
        painter.setPen(QPen(colour, 2, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
        for start, end in pairwise(points):
            painter.drawLine(QLineF(start, end))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        marks = []
        unit = self.plot.x_label.rpartition(", ")[2]
        for point, (_, value, estimate) in zip(points, known, strict=True):
            painter.drawEllipse(point, DOT_PX, DOT_PX)
            rect = QRectF(point.x() - 5, point.y() - 5, 10, 10)
            marks.append(Mark(rect, f"{name} · {value:g} {unit}\n{percent_text(estimate)}", index))
        return marks
