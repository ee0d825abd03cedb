"""A song's waveform: the played part in colour, matching moments marked, click or drag to move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.ui.text_format import clock
from app.ui.theme import Theme

NUM_BINS = 800
BAR_PX = 2
GAP_PX = 1
MARKER_PX = 11  # room above the bars for the markers
STEP_S = 5.0
MIN_STRETCH_S = 2.0  # less is no voice yet


class Waveform(QWidget):
    """``sought`` brings seconds, once a drag is let go; ``moment_chosen`` a marker's index.

    A drag with Shift marks a stretch.
    """

    sought = Signal(float)
    moment_chosen = Signal(int)
    stretch_marked = Signal()

    def __init__(self, theme: Theme, colour: str = "accent", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._colour = colour
        self._peaks: np.ndarray | None = None
        self._bars = np.zeros(0, dtype=np.float32)
        self._duration_s = 0.0
        self._position_s = 0.0
        self._moments_s: tuple[float, ...] = ()
        self._loop_s: tuple[float, float] | None = None
        self._hover_x: float | None = None
        self._is_drag = False
        self._marked_from_s: float | None = None  # while a stretch is being marked
        self.stretch_s: tuple[float, float] | None = None
        self.setAccessibleName(self.tr("Waveform"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(400, 64)

    def set_song(self, duration_s: float) -> None:
        """Another song, whose shape is not known yet."""
        self._peaks, self._bars = None, np.zeros(0, dtype=np.float32)
        self._duration_s, self._position_s, self._moments_s = duration_s, 0.0, ()
        self.stretch_s = None
        self.update()

    def set_peaks(self, peaks: np.ndarray) -> None:
        """(num_bins, 2) float32: lowest and highest sample of each bin."""
        self._peaks = peaks
        self._bars = self._heights()
        self.update()

    def set_duration(self, duration_s: float) -> None:
        self._duration_s = duration_s
        self.update()

    def set_moments(self, starts_s: Sequence[float]) -> None:
        self._moments_s = tuple(starts_s)
        self.update()

    def set_loop(self, loop_s: tuple[float, float] | None) -> None:
        """What is repeated, from and to."""
        if loop_s != self._loop_s:
            self._loop_s = loop_s
            self.update()

    def set_stretch(self, stretch_s: tuple[float, float] | None) -> None:
        """A part of the song, from and to; the wrong way round is turned."""
        if stretch_s is not None:
            low, high = sorted(min(max(0.0, end_s), self._duration_s) for end_s in stretch_s)
            stretch_s = (low, high) if high - low >= MIN_STRETCH_S else None
        self.stretch_s = stretch_s
        self.update()

    def set_position(self, position_s: float) -> None:
        """Repaints only where something changes: this comes 30 times a second."""
        old_x, new_x = self.x_of(self._position_s), self.x_of(position_s)
        self._position_s = position_s
        if int(old_x) != int(new_x):
            left, right = sorted((old_x, new_x))
            self.update(int(left) - 3, 0, int(right - left) + 7, self.height())

    # Geometry

    def x_of(self, seconds: float) -> float:
        return seconds / self._duration_s * self.width() if self._duration_s > 0 else 0.0

    def _played_x(self) -> float:
        """Where it is, or will be when the drag is let go."""
        if self._is_drag and self._hover_x is not None:
            return self._hover_x
        return self.x_of(self._position_s)

    def _seconds(self, x: float) -> float:
        return min(max(x / max(1, self.width()), 0.0), 1.0) * self._duration_s

    def _moment_at(self, point: QPointF) -> int | None:
        for i, start_s in enumerate(self._moments_s):
            if abs(point.x() - self.x_of(start_s)) <= 7 and point.y() <= MARKER_PX + 6:
                return i
        return None

    def _heights(self) -> np.ndarray:
        """One height in 0…1 per bar that fits, loudest sample = 1."""
        num_bars = max(1, self.width() // (BAR_PX + GAP_PX))
        if self._peaks is None or not len(self._peaks):
            return np.zeros(0, dtype=np.float32)
        amplitude = np.abs(self._peaks).max(axis=1)
        edges = np.linspace(0, len(amplitude), num_bars + 1).astype(int)[:-1]
        bars = np.maximum.reduceat(amplitude, np.minimum(edges, len(amplitude) - 1))
        loudness = bars / max(float(bars.max()), 1e-6)
        return (loudness**2).astype(np.float32)  # mastered music would be one solid block

    # Qt

    def resizeEvent(self, event: object) -> None:
        self._bars = self._heights()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(0, MARKER_PX, self.width(), self.height() - MARKER_PX)
        self._paint_band(painter, area, self.stretch_s, 0.22)
        self._paint_band(painter, area, self._loop_s, 0.14)
        self._paint_bars(painter, area, event.rect().left(), event.rect().right())
        self._paint_cursor(painter, area)
        self._paint_moments(painter, area)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.colour(self._colour), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)

    def _paint_band(
        self, painter: QPainter, area: QRectF, ends_s: tuple[float, float] | None, strength: float
    ) -> None:
        """A stretch that is marked, or repeated."""
        if ends_s is not None:
            left, right = (min(self.x_of(seconds), float(self.width())) for seconds in ends_s)
            band = self._theme.colour(self._colour)
            for end_x in (left, right):
                painter.fillRect(QRectF(end_x - 1, area.top(), 2, area.height()), band)
            band.setAlphaF(strength)
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), band)

    def _paint_bars(self, painter: QPainter, area: QRectF, left: int, right: int) -> None:
        """Only those between ``left`` and ``right``; one call per colour."""
        pitch = BAR_PX + GAP_PX
        played_x, middle = self._played_x(), area.center().y()
        num_bars = len(self._bars) or self.width() // pitch
        bars = range(max(0, left // pitch - 1), min(num_bars, right // pitch + 2))
        lines: dict[str, list[QLineF]] = {self._colour: [], "wave": []}
        for i in bars:
            height = float(self._bars[i]) * area.height() if len(self._bars) else 0.0
            half, x = max(0.0, height - BAR_PX) / 2, i * pitch + BAR_PX / 2
            colour = self._colour if x <= played_x else "wave"
            lines[colour].append(QLineF(x, middle - half, x, middle + half + 0.01))
        for name, some in lines.items():
            cap = Qt.PenCapStyle.RoundCap
            painter.setPen(QPen(self._theme.colour(name), BAR_PX, c=cap))
            painter.drawLines(some)

    def _paint_cursor(self, painter: QPainter, area: QRectF) -> None:
        if self._hover_x is not None and self._duration_s > 0:
            colour = self._theme.colour("muted")
            colour.setAlphaF(0.7)
            painter.fillRect(QRectF(self._hover_x, area.top(), 1, area.height()), colour)
        if (x := self._played_x()) > 0:
            painter.fillRect(
                QRectF(x - 0.75, area.top(), 1.5, area.height()), self._theme.colour("text")
            )

    def _paint_moments(self, painter: QPainter, area: QRectF) -> None:
        colour = self._theme.colour(self._colour)
        for start_s in self._moments_s:
            x = min(max(self.x_of(start_s), 5.0), self.width() - 5.0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            flag = [QPointF(x - 5, 1), QPointF(x + 5, 1), QPointF(x, MARKER_PX - 2)]
            painter.drawPolygon(QPolygonF(flag))
            line = self._theme.colour(self._colour)
            line.setAlphaF(0.35)
            painter.fillRect(QRectF(x - 0.5, area.top(), 1, area.height()), line)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._duration_s <= 0:
            return
        moment = self._moment_at(event.position())
        if event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self._marked_from_s = self._seconds(event.position().x())
            self.set_stretch(None)
            self.stretch_marked.emit()
        elif moment is not None:
            self.moment_chosen.emit(moment)
        else:
            self._is_drag = True
            self._hover(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._marked_from_s is not None:
            self.set_stretch((self._marked_from_s, self._seconds(event.position().x())))
        self._hover(event)

    def _hover(self, event: QMouseEvent) -> None:
        self._hover_x = min(max(event.position().x(), 0.0), float(self.width()))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._marked_from_s is not None:
            self._marked_from_s = None
            self.stretch_marked.emit()
        elif self._is_drag and event.button() == Qt.MouseButton.LeftButton:
            self._is_drag = False
            self.sought.emit(self._seconds(event.position().x()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_x = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -STEP_S, Qt.Key.Key_Right: STEP_S}
        step = steps.get(Qt.Key(event.key()))
        if step is None or event.modifiers():
            event.ignore()
            return
        self.sought.emit(min(max(0.0, self._position_s + step), self._duration_s))

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ToolTip
            and isinstance(event, QHelpEvent)
            and self._duration_s > 0
        ):
            moment = self._moment_at(QPointF(event.pos()))
            text = self.tr("{time}; drag with Shift to find voices like a stretch").format(
                time=clock(self._seconds(event.pos().x()))
            )
            if moment is not None:
                text = self.tr("Matching moment at {time}: click to hear it").format(
                    time=clock(self._moments_s[moment])
                )
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)
