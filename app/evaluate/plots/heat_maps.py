"""Square matrices as coloured cells with their numbers, one panel for each input or question."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.evaluate.plots.base import Mark, PlotWidget
from app.evaluate.plots.colours import heat_colour, text_on
from app.evaluate.summary import input_name
from app.ui.theme import Theme

if TYPE_CHECKING:
    from engine.evaluation.results import HeatMaps

CELL_PX, MIN_CELL_PX, MAX_CELL_PX = 38.0, 46.0, 120.0
TITLE_PX, NAMES_PX, GAP_PX = 24.0, 24.0, 20.0
MAX_NAME_SHARE = 0.4


class HeatMapsWidget(PlotWidget):
    def __init__(self, plot: HeatMaps, theme: Theme) -> None:
        super().__init__(theme, plot.title, ())
        self.plot = plot

    def _rows_width(self, width: float) -> float:
        metrics = QFontMetricsF(self.small_font)
        notes = [text for rows in self.plot.row_notes.values() for text in rows]
        texts = [*self.plot.labels, *notes]
        widest = max((metrics.horizontalAdvance(text) for text in texts), default=0.0) + 14
        return min(widest, width * MAX_NAME_SHARE)

    def _num_columns(self, width: float) -> int:
        least = self._rows_width(width) + MIN_CELL_PX * len(self.plot.labels) + GAP_PX
        return max(1, min(len(self.plot.panels), int(width // least)))

    @property
    def _panel_height(self) -> float:
        return TITLE_PX + NAMES_PX + CELL_PX * len(self.plot.labels) + GAP_PX

    def body_height(self, width: float) -> float:
        return self._panel_height * math.ceil(len(self.plot.panels) / self._num_columns(width))

    def draw(self, painter: QPainter, area: QRectF) -> list[Mark]:
        columns = self._num_columns(area.width())
        width = area.width() / columns
        marks = []
        for number, (name, rows) in enumerate(self.plot.panels.items()):
            place = QRectF(
                area.left() + number % columns * width,
                area.top() + number // columns * self._panel_height,
                width - GAP_PX,
                self._panel_height,
            )
            marks += self._draw_panel(painter, place, name, rows)
        return marks

    def _draw_panel(
        self, painter: QPainter, place: QRectF, name: str, rows: tuple[tuple[float, ...], ...]
    ) -> list[Mark]:
        metrics = QFontMetricsF(painter.font())
        labels = self.plot.labels
        row_names = self.plot.row_notes.get(name) or labels
        left = place.left() + self._rows_width(place.width() + GAP_PX)
        cell = min(MAX_CELL_PX, (place.right() - left) / max(1, len(labels)))
        painter.setPen(self.theme.colour("text"))
        title = QRectF(place.left(), place.top(), place.width(), TITLE_PX)
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(title, flags, panel_title(name))
        top = place.top() + TITLE_PX + NAMES_PX
        marks = []
        for i, row in enumerate(rows):
            y = top + i * CELL_PX
            painter.setPen(self.theme.colour("muted"))
            beside = QRectF(place.left(), y, left - place.left() - 10, CELL_PX)
            text = metrics.elidedText(row_names[i], Qt.TextElideMode.ElideRight, beside.width())
            painter.drawText(
                beside, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text
            )
            above = QRectF(left + i * cell, place.top() + TITLE_PX, cell - 4, NAMES_PX)
            text = metrics.elidedText(labels[i], Qt.TextElideMode.ElideRight, cell - 6)
            painter.drawText(above, int(Qt.AlignmentFlag.AlignCenter), text)
            for j, value in enumerate(row):
                rect = QRectF(left + j * cell, y, cell, CELL_PX).adjusted(1, 1, -1, -1)
                if self._draw_cell(painter, rect, value):
                    said = f"{labels[i]} · {labels[j]}\n{panel_title(name)}: {100 * value:.1f} %"
                    marks.append(Mark(rect, said))
        return marks

    def _draw_cell(self, painter: QPainter, rect: QRectF, value: float) -> bool:
        """False for an empty one."""
        painter.setPen(Qt.PenStyle.NoPen)
        if not math.isfinite(value):
            painter.setBrush(self.theme.colour("panel"))
            painter.drawRoundedRect(rect, 4, 4)
            return False
        ground = heat_colour(self.theme.palette, value, self.plot.chance)
        painter.setBrush(ground)
        painter.drawRoundedRect(rect, 4, 4)
        painter.setPen(text_on(ground))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), f"{100 * value:.0f}")
        return True


def panel_title(name: str) -> str:
    """``mixture: overall`` in words."""
    source, _, question = name.partition(": ")
    return f"{input_name(source)}: {question}" if question else input_name(source)
