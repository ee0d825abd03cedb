"""A figure of a report in the window: as wide as it may be, and as high as it then needs to be.

The engine draws it into pixels, in a job; with them come its marks: where each thing is and what
it says. The pointer, or the arrow keys, move from mark to mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFontInfo,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.evaluate.summary import INPUT_NAMES, input_name
from app.jobs import Job, JobRunner, LatestJob, Pool
from app.ui.palette import DARK
from app.ui.theme import Theme
from app.ui.widgets import SMALL, plain_tool_tip

if TYPE_CHECKING:
    from engine.evaluation.figure_layout import Style
    from engine.evaluation.figures import Mark, Picture
    from engine.evaluation.results import Plot

TOUCH_PX = 5.0  # so far beside a mark still counts


class PlotCanvas(QWidget):
    """``models``: of the whole report, so that each has one colour in all of its plots."""

    def __init__(
        self, plot: Plot, theme: Theme, runner: JobRunner, models: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.plot = plot
        self.theme = theme
        self.marks: tuple[Mark, ...] = ()
        self.current = -1
        self._models = tuple(models)
        self._drawing = LatestJob(runner, Pool.MEDIA)
        self._asked: tuple[Style, int, float] | None = None
        self._image = QImage()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(plot.title)
        theme.changed.connect(self.update)

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

    def _draw(self, style: Style, width: int, ratio: float) -> None:
        plot, models = self.plot, self._models

        def work(*_: object) -> Picture:
            from engine.evaluation.figures import picture

            return picture(plot, models, style, width, ratio)

        job = Job(work)
        job.succeeded.connect(self._use)
        self._drawing.start(job)

    def _use(self, picture: Picture) -> None:
        height, width = picture.pixels.shape[:2]
        form = QImage.Format.Format_RGBA8888
        image = QImage(picture.pixels.data, width, height, 4 * width, form)
        self._image = image.copy()  # with pixels of its own
        self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.point_at(-1)
        self.marks = picture.marks
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._asked != (wanted := self._wanted()):
            self._asked = wanted
            self._draw(*wanted)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawImage(0, 0, self._image)
        painter.setPen(QPen(self.theme.colour("text"), 1.5))
        for mark in self._picked():
            painter.drawRoundedRect(QRectF(*mark[:4]).adjusted(-2, -2, 2, 2), 3, 3)
        if self.hasFocus():
            painter.setPen(QPen(self.theme.colour("accent"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)

    def _picked(self) -> list[Mark]:
        """What is pointed at; with a point of a map, or a name of its legend, all of that name."""
        from engine.evaluation.results import Points

        if self.current < 0:
            return []
        chosen = self.marks[self.current]
        if isinstance(self.plot, Points):
            return [mark for mark in self.marks if mark.series == chosen.series]
        return [chosen]

    # Pointing

    def point_at(self, index: int) -> None:
        """Say what a mark says; -1: nothing."""
        if index == self.current:
            return
        self.current = index
        text = self.marks[index].text if index >= 0 else ""
        self.setAccessibleDescription(text)
        place = QRectF(*self.marks[index][:4]).bottomRight() if text else QPointF()
        shown = plain_tool_tip(text).replace("\n", "<br>") if text else ""
        QToolTip.showText(self.mapToGlobal(place.toPoint()), shown, self)
        self.update()

    def mark_at(self, position: QPointF) -> int:
        """The first mark that is touched, else the first that nearly is; -1 for none."""
        for far in (0.0, TOUCH_PX):
            for index, mark in enumerate(self.marks):
                if QRectF(*mark[:4]).adjusted(-far, -far, far, far).contains(position):
                    return index
        return -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.point_at(self.mark_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self.point_at(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = int(event.key() == Qt.Key.Key_Right) - int(event.key() == Qt.Key.Key_Left)
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setImage(self._image)
        elif step and self.marks:
            self.point_at(min(max(self.current + step, 0), len(self.marks) - 1))
        elif event.key() == Qt.Key.Key_Escape and self.current >= 0:
            self.point_at(-1)
        else:
            super().keyPressEvent(event)


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
