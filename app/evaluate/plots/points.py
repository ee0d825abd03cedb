"""Songs as points on a plane, coloured by their label; pointing at one picks out its label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPixmap

from app.evaluate.plots.base import Mark, PlotWidget
from app.evaluate.plots.heat_maps import panel_title
from app.ui.theme import Theme

if TYPE_CHECKING:
    from engine.evaluation.results import Points

MIN_PANEL_PX, MAX_PANEL_PX = 220.0, 420.0
TITLE_PX, GAP_PX, INSET_PX = 40.0, 16.0, 12.0
RADIUS_PX, SMALL_RADIUS_PX = 4.5, 2.6
MANY = 300  # points of a panel; above, they are small
VEIL = 0.82  # how much of the others is hidden while one label is picked out


class Panel(NamedTuple):
    """``dots``: (x, y, series) each."""

    box: QRectF
    dots: list[tuple[float, float, int]]
    radius: float


class PointsWidget(PlotWidget):
    has_legend_focus = True

    def __init__(self, plot: Points, theme: Theme) -> None:
        labels = {label for _, own in plot.panels.values() for label in own}
        super().__init__(theme, plot.title, sorted(labels))
        self.plot = plot
        self._panels: list[Panel] = []
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
        self._panels = []
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
        painter.setPen(Qt.PenStyle.NoPen)
        if not len(points):
            return []
        low, span = points.min(0), max(float(np.ptp(points, axis=0).max()), 1e-9)
        slack = (span - np.ptp(points, axis=0)) / 2  # both axes at one scale, in the middle
        scaled = (points - low + slack) / span
        room = box.width() - 2 * INSET_PX
        xs = (box.left() + INSET_PX + scaled[:, 0] * room).tolist()
        ys = (box.bottom() - INSET_PX - scaled[:, 1] * room).tolist()
        series = [self._series[label] for label in labels]
        radius = RADIUS_PX if len(points) <= MANY else SMALL_RADIUS_PX
        panel = Panel(box, list(zip(xs, ys, series, strict=True)), radius)
        self._panels.append(panel)
        self._draw_dots(painter, panel, -1)
        names = self.plot.names.get(name, labels)
        size = 2 * radius
        return [
            Mark(QRectF(x - radius, y - radius, size, size), said(names[i], labels[i]), own)
            for i, (x, y, own) in enumerate(panel.dots)
        ]

    def _draw_dots(self, painter: QPainter, panel: Panel, only: int) -> None:
        """Of one series, or all of them (-1). Many are stamped, which is ten times as fast."""
        stamps: dict[int, QPixmap] = {}
        for x, y, series in panel.dots:
            if only not in (-1, series):
                continue
            if len(panel.dots) <= MANY:
                painter.setBrush(self.colour(series))
                painter.drawEllipse(QPointF(x, y), panel.radius, panel.radius)
                continue
            if series not in stamps:
                stamps[series] = self._stamp(series, panel.radius)
            painter.drawPixmap(QPointF(x - panel.radius - 1, y - panel.radius - 1), stamps[series])

    def _stamp(self, series: int, radius: float) -> QPixmap:
        ratio = self.devicePixelRatioF()
        side = 2 * radius + 2
        stamp = QPixmap(round(side * ratio), round(side * ratio))
        stamp.setDevicePixelRatio(ratio)
        stamp.fill(Qt.GlobalColor.transparent)
        painter = QPainter(stamp)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour(series))
        painter.drawEllipse(QPointF(side / 2, side / 2), radius, radius)
        painter.end()
        return stamp

    def draw_focus(self, painter: QPainter, series: int) -> None:
        veil = self.theme.colour("surface")
        veil.setAlphaF(VEIL)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for panel in self._panels:
            painter.setBrush(veil)
            painter.drawRoundedRect(panel.box.adjusted(1, 1, -1, -1), 5, 5)
            self._draw_dots(painter, panel, series)

    def _draw_title(self, painter: QPainter, place: QRectF, name: str) -> None:
        metrics = QFontMetricsF(painter.font())
        for line, (text, colour) in enumerate(
            ((panel_title(name), "text"), (self.plot.captions.get(name, ""), "muted"))
        ):
            painter.setPen(self.theme.colour(colour))
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
            y = place.top() + metrics.ascent() + line * (metrics.height() + 1)
            painter.drawText(QPointF(place.left() + 2, y), shown)


def said(name: str, label: str) -> str:
    """What a point is; its label too, where the name does not tell."""
    return name if label in name else f"{name}\n{label}"
