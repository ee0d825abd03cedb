"""Songs as points on a plane, coloured by their label; pointing at one picks out its label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from app.evaluate.plots.base import Mark, PlotWidget
from app.evaluate.plots.heat_maps import panel_title
from app.theme import Theme

if TYPE_CHECKING:
    from engine.evaluation.results import Points

MIN_PANEL_PX, MAX_PANEL_PX = 220.0, 420.0
TITLE_PX, GAP_PX, INSET_PX = 40.0, 16.0, 12.0


class PointsWidget(PlotWidget):
    has_legend_focus = True

    def __init__(self, plot: Points, theme: Theme) -> None:
        labels = {label for _, own in plot.panels.values() for label in own}
        super().__init__(theme, plot.title, sorted(labels))
        self.plot = plot
        self._series = {name: number for number, name in enumerate(self.names)}

    def _num_columns(self, width: float) -> int:
        fit = max(1, int((width + GAP_PX) // (MIN_PANEL_PX + GAP_PX)))
        return min(fit, max(1, self.plot.num_columns), max(1, len(self.plot.panels)))

    def _side(self, width: float) -> float:
        columns = self._num_columns(width)
        return min(MAX_PANEL_PX, (width - GAP_PX * (columns - 1)) / columns)

    def body_height(self, width: float) -> float:
        num_rows = math.ceil(len(self.plot.panels) / self._num_columns(width))
        return num_rows * (self._side(width) + TITLE_PX + GAP_PX)

    def draw(self, painter: QPainter, area: QRectF) -> list[Mark]:
        columns, side = self._num_columns(area.width()), self._side(area.width())
        marks = []
        for number, (name, (points, labels)) in enumerate(self.plot.panels.items()):
            place = QRectF(
                area.left() + number % columns * (side + GAP_PX),
                area.top() + number // columns * (side + TITLE_PX + GAP_PX),
                side,
                side + TITLE_PX,
            )
            marks += self._draw_panel(painter, place, name, points, labels)
        return marks

    def _draw_panel(
        self,
        painter: QPainter,
        place: QRectF,
        name: str,
        points: np.ndarray,
        labels: tuple[str, ...],
    ) -> list[Mark]:
        box = place.adjusted(0, TITLE_PX, 0, 0)
        self._draw_title(painter, place, name)
        painter.setPen(QPen(self.theme.colour("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 6, 6)
        if not len(points):
            return []
        low, span = points.min(0), max(float(np.ptp(points, axis=0).max()), 1e-9)
        slack = (span - np.ptp(points, axis=0)) / 2  # both axes at one scale, in the middle
        scaled = (points - low + slack) / span
        room = box.width() - 2 * INSET_PX
        radius = 4.5 if len(points) <= 300 else 2.6
        painter.setPen(Qt.PenStyle.NoPen)
        names = self.plot.names.get(name, ())
        marks = []
        for index, (x, y) in enumerate(scaled):
            at = QPointF(box.left() + INSET_PX + x * room, box.bottom() - INSET_PX - y * room)
            series = self._series[labels[index]]
            painter.setBrush(self.colour(series))
            painter.drawEllipse(at, radius, radius)
            text = names[index] if index < len(names) else labels[index]
            if labels[index] not in text:
                text = f"{text}\n{labels[index]}"
            rect = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
            marks.append(Mark(rect, text, series))
        return marks

    def _draw_title(self, painter: QPainter, place: QRectF, name: str) -> None:
        metrics = QFontMetricsF(painter.font())
        for line, (text, colour) in enumerate(
            ((panel_title(name), "text"), (self.plot.captions.get(name, ""), "muted"))
        ):
            painter.setPen(self.theme.colour(colour))
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
            y = place.top() + metrics.ascent() + line * (metrics.height() + 1)
            painter.drawText(QPointF(place.left() + 2, y), shown)
