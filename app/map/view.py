"""The map itself: points in the plane to look at, to hover over, to pick, to draw a line around."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.map.camera import Camera
from app.map.colouring import NO_VALUE, packed
from app.map.names import Names
from app.map.picking import inside, nearest, nearest_towards
from app.map.raster import draw_discs, radius_for
from app.ui.theme import Theme

GRASP_PX = 14  # how far from a point the pointer still means it
CLICK_PX = 5  # a press that moves less is a click
ZOOM_STEP = 1.25
BY_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
DIM = 0.22  # how much of its colour a point keeps that is not meant


class MapView(QWidget):
    """Rows are places in ``positions``. The pointer, the wheel and the keyboard do the same."""

    hovered = Signal(int)  # row, -1 for none
    chosen = Signal(int)
    encircled = Signal(object)  # rows (n,) int64
    lasso_changed = Signal(bool)

    def __init__(self, theme: Theme, names: Names) -> None:
        super().__init__()
        self._theme = theme
        self._names = names
        names.changed.connect(self._redraw)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Map of songs"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.positions = np.empty((0, 2), np.float32)
        self._codes = np.empty(0, np.uint8)
        self._table: list[QColor] = [QColor()]
        self._is_meant: np.ndarray | None = None
        self._order = np.empty(0, np.int64)
        self._layers = np.empty(0, np.int8)
        self.camera = Camera.fit(1, 1)
        self.row = -1  # under the pointer or the keyboard
        self.query_row = -1
        self._is_lasso = False
        self._is_framed = False  # the keyboard has brought the focus here
        self._line: list[QPointF] | None = None
        self._press: QPointF | None = None
        self._last: QPointF | None = None
        self._is_drag = False
        self._image = QImage()
        self._drawn: Camera | None = None  # where one looked when the image was drawn
        theme.changed.connect(self._redraw)

    # What is shown

    def show_points(self, positions: np.ndarray, codes: np.ndarray, row: int = -1) -> None:
        """(n, 2) float32 places and (n,) uint8 codes of colours; one looks where one looked before.

        ``row``: where the song is now that was pointed to.
        """
        self.positions, self._codes = positions, codes
        self._is_meant = None
        self.row, self.query_row = row, -1
        self._sort()

    def show_colours(self, codes: np.ndarray, table: list[QColor]) -> None:
        """(n,) uint8 places in a table of colours; code 0 is drawn below all others."""
        self._codes, self._table = codes, table
        self._sort()

    def mean_only(self, is_meant: np.ndarray | None) -> None:
        """(n,) bool: the others fade; None: all are meant."""
        self._is_meant = is_meant
        self._sort()

    def mark_query(self, row: int) -> None:
        self.query_row = row
        self.update()

    def point_to(self, row: int) -> None:
        """As if the pointer were there; -1 for nowhere."""
        if row != self.row:
            self.row = row
            self.setCursor(Qt.CursorShape.PointingHandCursor if row >= 0 else self._idle_cursor())
            self.hovered.emit(row)
            self.update()

    def pixel_of(self, row: int) -> QPoint:
        x, y = self.camera.pixels(self.positions[row])
        return QPoint(round(float(x)), round(float(y)))

    def _sort(self) -> None:
        """Drawn last, and so on top: what is meant, then what has a colour of its own."""
        rank = (self._codes != NO_VALUE).astype(np.int8)
        if self._is_meant is not None:
            rank += 2 * self._is_meant.astype(np.int8)
        self._order = np.argsort(rank, kind="stable")
        self._layers = rank[self._order]
        self._redraw()

    def _redraw(self) -> None:
        self._drawn = None
        self.update()

    # Moving about

    def look(self, camera: Camera) -> None:
        self.camera = camera
        self.update()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        at = at if at is not None else QPointF(self.rect().center())
        self.look(self.camera.zoomed(factor, at.x(), at.y()))

    def show_all(self) -> None:
        tall = float(np.abs(self.positions[:, 1]).max()) if len(self.positions) else 1.0
        width, height = max(1, self.width()), max(1, self.height())
        self.look(Camera.fit(width, height, tall))

    def set_lasso(self, is_on: bool) -> None:
        """While on, dragging draws a line around songs instead of moving the map."""
        if is_on != self._is_lasso:
            self._is_lasso = is_on
            self._line = None
            self.setCursor(self._idle_cursor())
            self.lasso_changed.emit(is_on)
            self.update()

    def _idle_cursor(self) -> Qt.CursorShape:
        return Qt.CursorShape.CrossCursor if self._is_lasso else Qt.CursorShape.OpenHandCursor

    # Pointer

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y() / 120
        if turns:
            self.zoom(ZOOM_STEP**turns, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._press = self._last = event.position()
        self._is_drag = False
        if self._is_lasso or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._line = [event.position()]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._press is None or self._last is None:
            self.point_to(nearest(self.camera.pixels(self.positions), at.x(), at.y(), GRASP_PX))
            return
        if self._line is not None:
            self._line.append(at)
            self.update()
        elif self._is_drag or (at - self._press).manhattanLength() > CLICK_PX:
            self._is_drag = True
            step = at - self._last
            self.point_to(-1)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.look(self.camera.moved(step.x(), step.y()))
        self._last = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, line = self._press, self._line
        self._press = self._last = self._line = None
        if press is None:
            return
        was_click = not self._is_drag and (event.position() - press).manhattanLength() <= CLICK_PX
        if line is not None and not was_click:
            self._encircle(line)
        elif was_click and self.row >= 0:
            self.chosen.emit(self.row)
        self.setCursor(self._idle_cursor())
        self.update()

    def _encircle(self, line: list[QPointF]) -> None:
        corners = np.array([[point.x(), point.y()] for point in line], np.float32)
        is_in = inside(self.camera.pixels(self.positions), corners)
        self.encircled.emit(np.flatnonzero(is_in))
        self.set_lasso(False)

    def leaveEvent(self, event: QEvent) -> None:
        if self._press is None:
            self.point_to(-1)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.setCursor(self._idle_cursor())

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        arrows = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        key = Qt.Key(event.key())
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in arrows and modifiers in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
        ):
            self._step(*arrows[key], is_map=bool(modifiers))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(ZOOM_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / ZOOM_STEP)
        elif key in (Qt.Key.Key_0, Qt.Key.Key_Home):
            self.show_all()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.row >= 0:
            self.chosen.emit(self.row)
        elif key == Qt.Key.Key_L and not modifiers:
            self.set_lasso(not self._is_lasso)
        elif key == Qt.Key.Key_Escape:
            self._give_up()
        else:
            super().keyPressEvent(event)

    def _step(self, right: int, down: int, *, is_map: bool) -> None:
        """To the next song in a direction, or the map itself (with Shift)."""
        if is_map:
            self.look(self.camera.moved(-60 * right, -60 * down))
            return
        pixels = self.camera.pixels(self.positions)
        if self.row >= 0:
            row = nearest_towards(pixels, self.row, right, down)
        else:
            row = nearest(pixels, self.width() / 2, self.height() / 2, np.inf)
        if row < 0:
            return
        x, y = pixels[row]
        if not (0.1 < x / self.width() < 0.9 and 0.1 < y / self.height() < 0.9):
            self.look(self.camera.centred_on(*self.positions[row].tolist()))
        self.point_to(row)

    def _give_up(self) -> None:
        if self._is_lasso or self._line is not None:
            self.set_lasso(False)
        else:
            self.point_to(-1)
            self.encircled.emit(np.empty(0, np.int64))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._is_framed = event.reason() in BY_KEYBOARD
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._is_framed = False
        self.update()

    # Painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.camera = self.camera.resized(max(1, self.width()), max(1, self.height()))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._drawn != self.camera:
            self._draw()
        painter = QPainter(self)
        painter.drawImage(0, 0, self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.query_row >= 0:
            self._ring(painter, self.query_row, "text", 10)
        if self.row >= 0:
            self._ring(painter, self.row, "accent", 8)
        if self._is_framed:
            painter.setPen(QPen(self._theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 8, 8)
        if self._line:
            colour = self._theme.colour("accent")
            painter.setPen(QPen(colour, 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(QColor(colour.red(), colour.green(), colour.blue(), 28))
            painter.drawPolygon(QPolygonF(self._line))

    def _draw(self) -> None:
        """All points anew at every step of a movement, at the screen's own resolution.

        100,000 points take 9 ms at 1920 x 1080, 18 at 3840 x 2160.
        """
        ratio = self.devicePixelRatioF()
        size = (max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
        places = self.camera.pixels(self.positions)
        pixels = places[self._order] * np.float32(ratio)
        num_visible = int(((pixels >= 0) & (pixels < np.array(size, np.float32))).all(1).sum())
        table, codes = packed(self._table), self._codes[self._order]
        ground = self._theme.colour("window")
        if self._is_meant is not None:
            faded = packed([_faded(colour, ground) for colour in self._table])
            table = np.concatenate([table, faded])
            table[NO_VALUE] = packed([self._theme.colour("text")])[0]  # bright among the faded
            codes = codes + np.where(self._is_meant[self._order], 0, len(faded)).astype(np.uint8)
        radius = radius_for(num_visible, ratio)
        image = draw_discs(
            size, ground.rgb() & 0xFFFFFFFF, pixels, codes, table, radius, self._layers
        )
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        self._names.paint(painter, self.camera, places, self._is_meant)
        painter.end()
        self._image, self._drawn = image, self.camera

    def _ring(self, painter: QPainter, row: int, colour: str, radius: int) -> None:
        at = self.pixel_of(row)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._theme.colour("window"), 4))
        painter.drawEllipse(at, radius, radius)
        painter.setPen(QPen(self._theme.colour(colour), 2))
        painter.drawEllipse(at, radius, radius)


def _faded(colour: QColor, ground: QColor) -> QColor:
    def mixed(over: float, under: float) -> float:
        return under + DIM * (over - under)

    return QColor.fromRgbF(
        mixed(colour.redF(), ground.redF()),
        mixed(colour.greenF(), ground.greenF()),
        mixed(colour.blueF(), ground.blueF()),
    )
