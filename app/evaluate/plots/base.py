"""What all plots share: a title, a legend, marks that can be pointed at, and pictures to copy.

A plot draws into a cached pixmap and returns its marks: where each thing is and what it says. The
pointer, or the arrow keys, move from mark to mark.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from app.ui.series_colours import tone
from app.ui.theme import Theme
from app.ui.widgets import SMALL

PAD = 8.0
SWATCH_PX = 10.0
MAX_LEGEND = 30
TOUCH_PX = 5.0  # so far beside a mark still counts


class Mark(NamedTuple):
    """Something that can be pointed at. ``series`` is its place in the legend, -1 for none."""

    rect: QRectF
    text: str
    series: int = -1


class PlotWidget(QWidget):
    """As wide as it may be, and as high as it then needs to be."""

    has_legend_focus = False  # whether pointing at one series picks it out

    def __init__(
        self, theme: Theme, title: str, names: Sequence[str], models: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.theme = theme
        self.title = title
        self.names = list(names)
        known = all(name in models for name in names)
        self._colours = [models.index(name) if known else i for i, name in enumerate(names)]
        self.marks: list[Mark] = []
        self.current = -1
        self.pinned = -1  # the series that stays in focus, by a click on the legend
        self._cache: QPixmap | None = None
        self._edges: np.ndarray | None = None  # (num_marks, 4), when somebody points
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(title)
        theme.changed.connect(self.redraw)

    # For each kind

    @abstractmethod
    def body_height(self, width: float) -> float:
        """Height below title and legend."""

    @abstractmethod
    def draw(self, painter: QPainter, area: QRectF) -> list[Mark]:
        """Everything below title and legend."""

    def draw_focus(self, painter: QPainter, series: int) -> None:
        """Over the drawing: one series picked out, the others pale."""

    # Layout

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        inner = max(1.0, width - 2 * PAD)
        return round(self._top(inner) + self.body_height(inner) + PAD)

    def sizeHint(self) -> QSize:
        return QSize(640, self.heightForWidth(640))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 120)

    def _top(self, width: float) -> float:
        title = QFontMetricsF(self.title_font).height() + 8
        return PAD + title + self._legend(width)[1]

    @property
    def title_font(self) -> QFont:
        return self.theme.font(weight=QFont.Weight.DemiBold)

    @property
    def small_font(self) -> QFont:
        return self.theme.font(SMALL)

    def _legend(self, width: float) -> tuple[list[QRectF], float]:
        """(a place for each name, relative to the legend; its height)."""
        if not 1 < len(self.names) <= MAX_LEGEND:
            return [], 0.0
        metrics = QFontMetricsF(self.small_font)
        places, x, y = [], 0.0, 0.0
        for name in self.names:
            needed = SWATCH_PX + 6 + min(metrics.horizontalAdvance(name), width / 2) + 18
            if x and x + needed > width:
                x, y = 0.0, y + metrics.height() + 4
            places.append(QRectF(x, y, needed - 12, metrics.height() + 2))
            x += needed
        return places, y + metrics.height() + 14

    # Drawing

    def colour(self, series: int) -> QColor:
        return tone(self.theme.palette, self._colours[series])

    @property
    def focused_series(self) -> int:
        if 0 <= self.current < len(self.marks) and self.marks[self.current].series >= 0:
            return self.marks[self.current].series
        return self.pinned

    def redraw(self) -> None:
        self._cache = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._cache is None:
            self._cache = self._render(self.devicePixelRatioF())
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._cache)
        if self.has_legend_focus and self.focused_series >= 0:
            self.draw_focus(painter, self.focused_series)
        if 0 <= self.current < len(self.marks):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_readout(painter, self.marks[self.current])
        if self.hasFocus():
            painter.setPen(QPen(self.theme.colour("accent"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)

    def _render(self, ratio: float) -> QPixmap:
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self.width() - 2 * PAD
        painter.setFont(self.title_font)
        painter.setPen(self.theme.colour("text"))
        metrics = QFontMetricsF(self.title_font)
        text = metrics.elidedText(self.title, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QPointF(PAD, PAD + metrics.ascent()), text)
        legend = self._draw_legend(painter, PAD + metrics.height() + 8, width)
        top = self._top(width)
        painter.setFont(self.small_font)
        area = QRectF(PAD, top, width, self.height() - top - PAD)
        self.marks = [*legend, *self.draw(painter, area)]
        self._edges = None
        painter.end()
        return pixmap

    def _draw_legend(self, painter: QPainter, top: float, width: float) -> list[Mark]:
        painter.setFont(self.small_font)
        metrics = QFontMetricsF(self.small_font)
        marks = []
        for series, place in enumerate(self._legend(width)[0]):
            place = place.translated(PAD, top)
            swatch = QRectF(place.left(), place.center().y() - SWATCH_PX / 2, SWATCH_PX, SWATCH_PX)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour(series))
            painter.drawRoundedRect(swatch, 3, 3)
            painter.setPen(self.theme.colour("text"))
            name = self.names[series]
            room = place.width() - SWATCH_PX - 6
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
            painter.drawText(
                place.adjusted(SWATCH_PX + 6, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), shown
            )
            if self.has_legend_focus or shown != name:
                marks.append(Mark(place, name, series))
        return marks

    def _draw_readout(self, painter: QPainter, mark: Mark) -> None:
        """A frame around the mark, and its text in a box that stays inside."""
        painter.setPen(QPen(self.theme.colour("text"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(mark.rect.adjusted(-2, -2, 2, 2), 3, 3)
        painter.setFont(self.small_font)
        metrics = QFontMetricsF(self.small_font)
        lines = [
            metrics.elidedText(line, Qt.TextElideMode.ElideRight, self.width() - 40)
            for line in mark.text.split("\n")
        ]
        width = max(metrics.horizontalAdvance(line) for line in lines) + 18
        height = metrics.height() * len(lines) + 12
        left = min(max(4.0, mark.rect.center().x() - width / 2), self.width() - width - 4)
        above = mark.rect.top() - height - 8
        box = QRectF(left, above if above > 2 else mark.rect.bottom() + 8, width, height)
        painter.setPen(self.theme.colour("line"))
        painter.setBrush(self.theme.colour("raised"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(self.theme.colour("text"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), "\n".join(lines))

    # Pointing

    def point_at(self, index: int) -> None:
        """Say what a mark says; -1: nothing."""
        if index == self.current:
            return
        self.current = index
        self.setAccessibleDescription(self.marks[index].text if index >= 0 else "")
        self.update()

    def mark_at(self, position: QPointF) -> int:
        """The nearest mark that is touched, -1 for none; of several, the first."""
        if self._edges is None:
            rects = [mark.rect for mark in self.marks]
            edges = [(r.left(), r.right(), r.top(), r.bottom()) for r in rects]
            self._edges = np.array(edges, dtype=np.float64).reshape(-1, 4)
        left, right, top, bottom = self._edges.T
        dx = np.maximum(left - position.x(), position.x() - right)
        dy = np.maximum(top - position.y(), position.y() - bottom)
        distance = np.maximum(np.maximum(dx, dy), 0.0)
        nearest = int(distance.argmin()) if len(distance) else -1
        return nearest if nearest >= 0 and distance[nearest] < TOUCH_PX else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.point_at(self.mark_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.mark_at(event.position())
        series = self.marks[index].series if index >= 0 else -1
        if self.has_legend_focus:
            self.pinned = -1 if series == self.pinned else series
            self.update()
        super().mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.point_at(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Right: self.current + 1,
            Qt.Key.Key_Left: self.current - 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: len(self.marks) - 1,
        }
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_picture()
        elif event.key() in steps and self.marks:
            self.point_at(min(max(steps[Qt.Key(event.key())], 0), len(self.marks) - 1))
        elif event.key() == Qt.Key.Key_Escape and self.current >= 0:
            self.point_at(-1)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy picture"), self.copy_picture)
        menu.popup(event.globalPos())

    def copy_picture(self) -> None:
        """At twice the size of the screen, on the theme's ground."""
        picture = QPixmap(self.size() * 2)
        picture.setDevicePixelRatio(2.0)
        picture.fill(self.theme.colour("surface"))
        painter = QPainter(picture)
        painter.drawPixmap(0, 0, self._render(2.0))
        painter.end()
        QGuiApplication.clipboard().setPixmap(picture)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._cache = None
        self.current = -1
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._cache = None
        super().changeEvent(event)
