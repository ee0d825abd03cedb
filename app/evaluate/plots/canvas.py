"""A figure of a report in the window: as wide as it may be, and as high as it then needs to be.

The engine draws it into pixels, in a job; with them come its marks: where each thing is and what
it says. The pointer, or the arrow keys, move from mark to mark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontInfo,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from app.evaluate.summary import INPUT_NAMES, input_name
from app.jobs import Job, JobRunner, LatestJob, Pool
from app.ui.palette import DARK
from app.ui.theme import Theme
from app.ui.widgets import SMALL

if TYPE_CHECKING:
    from engine.evaluation.figure_layout import Style
    from engine.evaluation.figure_sheet import Mark
    from engine.evaluation.figures import Picture
    from engine.evaluation.results import Plot

TOUCH_PX = 5.0  # so far beside a mark still counts
VEIL = 0.82  # how much of the other series is hidden while one is picked out
COPY_RATIO = 2.0


class PlotCanvas(QWidget):
    """``models``: of the whole report, so that each has one colour in all of its plots."""

    def __init__(
        self, plot: Plot, theme: Theme, runner: JobRunner, models: Sequence[str] = ()
    ) -> None:
        super().__init__()
        from engine.evaluation.results import Points

        self.plot = plot
        self.theme = theme
        self.marks: tuple[Mark, ...] = ()
        self.current = -1
        self.pinned = -1  # the series that stays picked out, by a click on the legend
        self._models = tuple(models)
        self._picks_out = isinstance(plot, Points)  # pointing at one of a series, all of them
        self._runner = runner
        self._drawing = LatestJob(runner, Pool.MEDIA)
        self._asked: tuple[Style, int, float] | None = None
        self._image = QImage()
        self._panels: list[QRectF] = []
        self._edges = np.empty((0, 4))  # (num_marks, 4): left, right, top, bottom
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(plot.title)
        theme.changed.connect(self.update)

    # Layout

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        from engine.evaluation import figure_layout

        return round(figure_layout.height(self.plot, max(1, width), style_of(self.theme)))

    def sizeHint(self) -> QSize:
        return QSize(640, self.heightForWidth(640))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 120)

    # Drawing

    @property
    def is_drawn(self) -> bool:
        """Whether what is seen is as it should be at this size and in these colours."""
        return self._asked == self._wanted() and not self._drawing.is_running

    def _wanted(self) -> tuple[Style, int, float]:
        return style_of(self.theme), self.width(), self.devicePixelRatioF()

    def _draw(self, ratio: float, use: Callable[[Picture], None]) -> Job:
        plot, models, width = self.plot, self._models, self.width()
        style = style_of(self.theme)

        def work(*_: object) -> Picture:
            from engine.evaluation.figures import picture

            return picture(plot, models, style, width, ratio)

        job = Job(work)
        job.succeeded.connect(use)
        return job

    def _use(self, picture: Picture) -> None:
        self._image = image_of(picture)
        self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.marks = picture.marks
        self._panels = [QRectF(*frame) for frame in picture.panels]
        boxes = np.array([mark[:4] for mark in picture.marks]).reshape(-1, 4)
        left, top, width, height = boxes.T
        self._edges = np.stack([left, left + width, top, top + height], axis=1)
        if self.current >= len(self.marks):
            self.point_at(-1)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._asked != (wanted := self._wanted()):
            self._asked = wanted
            self._drawing.start(self._draw(self.devicePixelRatioF(), self._use))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawImage(0, 0, self._image)
        if self._picks_out and self.focused_series >= 0:
            self._pick_out(painter, self.focused_series)
        if 0 <= self.current < len(self.marks):
            self._draw_readout(painter, self.marks[self.current])
        if self.hasFocus():
            painter.setPen(QPen(self.theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)

    @property
    def focused_series(self) -> int:
        if 0 <= self.current < len(self.marks) and self.marks[self.current].series >= 0:
            return self.marks[self.current].series
        return self.pinned

    def _pick_out(self, painter: QPainter, series: int) -> None:
        """One series as it is, the others pale."""
        veil = self.theme.colour("surface")
        veil.setAlphaF(VEIL)
        own = QPainterPath()
        for mark in self.marks:
            if mark.series == series:
                own.addEllipse(QRectF(*mark[:4]).adjusted(-1, -1, 1, 1))
        own.setFillRule(Qt.FillRule.WindingFill)
        for panel in self._panels:
            painter.fillRect(panel.adjusted(1, 1, -1, -1), veil)
        painter.save()
        painter.setClipPath(own)
        painter.drawImage(0, 0, self._image)
        painter.restore()

    def _draw_readout(self, painter: QPainter, mark: Mark) -> None:
        """A frame around the mark, and its text in a box that stays inside what is in sight."""
        rect, font = QRectF(*mark[:4]), self.theme.font(SMALL)
        painter.setPen(QPen(self.theme.colour("text"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(-2, -2, 2, 2), 3, 3)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        lines = [
            metrics.elidedText(line, Qt.TextElideMode.ElideRight, self.width() - 40)
            for line in mark.text.split("\n")
        ]
        width = max(metrics.horizontalAdvance(line) for line in lines) + 18
        size = QSizeF(width, metrics.height() * len(lines) + 12)
        seen = self.visibleRegion().boundingRect()
        box = readout_box(rect, size, QRectF(self.rect() if seen.isEmpty() else seen))
        painter.setPen(self.theme.colour("line"))
        painter.setBrush(self.theme.colour("raised"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(self.theme.colour("text"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), "\n".join(lines))

    # Pointing

    def point_at(self, index: int) -> None:
        """Say what a mark says; -1: nothing."""
        if index != self.current:
            self.current = index
            self.setAccessibleDescription(self.marks[index].text if index >= 0 else "")
            self.update()

    def mark_at(self, position: QPointF) -> int:
        """The nearest mark that is touched, -1 for none; of several, the first."""
        left, right, top, bottom = self._edges.T
        dx = np.maximum(left - position.x(), position.x() - right)
        dy = np.maximum(top - position.y(), position.y() - bottom)
        distance = np.maximum(np.maximum(dx, dy), 0.0)
        nearest = int(distance.argmin()) if len(distance) else -1
        return nearest if nearest >= 0 and distance[nearest] < TOUCH_PX else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.point_at(self.mark_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._picks_out:
            index = self.mark_at(event.position())
            series = self.marks[index].series if index >= 0 else -1
            self.pinned = -1 if series == self.pinned else series
            self.update()
        super().mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.point_at(-1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.point_at(-1)
        super().resizeEvent(event)

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
        """At twice the size of the screen."""
        clipboard = QGuiApplication.clipboard()
        job = self._draw(COPY_RATIO, lambda picture: clipboard.setImage(image_of(picture)))
        self._runner.start(job, Pool.MEDIA)


def readout_box(mark: QRectF, size: QSizeF, room: QRectF) -> QRectF:
    """Above a mark, or below it where there is no room; inside of ``room`` in any case."""
    inner = room.adjusted(4, 2, -4, -2)
    box = QRectF(QPointF(), size)
    box.moveCenter(mark.center())
    box.moveBottom(mark.top() - 8)
    if box.top() < inner.top():
        box.moveTop(mark.bottom() + 8)
    box.moveBottom(min(box.bottom(), inner.bottom()))
    box.moveTop(max(box.top(), inner.top()))
    box.moveRight(min(box.right(), inner.right()))
    box.moveLeft(max(box.left(), inner.left()))
    return box


def image_of(picture: Picture) -> QImage:
    height, width = picture.pixels.shape[:2]
    image = QImage(picture.pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.copy()  # with pixels of its own


def style_of(theme: Theme) -> Style:
    """The window's colours and letters."""
    from engine.evaluation.figure_layout import Style

    palette, font = theme.palette, QFontInfo(theme.font(SMALL))
    return Style(
        text=palette.text,
        muted=palette.muted,
        line=palette.line,
        ground=palette.surface,
        raised=palette.raised,
        empty=palette.panel,
        accent=palette.accent,
        against=palette.overall,
        is_dark=palette is DARK,
        font_family=font.family(),
        font_pt=float(font.pixelSize()),
        names={name: input_name(name) for name in INPUT_NAMES},
        chance=theme.tr("chance"),
    )
