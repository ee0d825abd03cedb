"""What the colours mean. A click on a group lets the others fade."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QLinearGradient, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.map.colouring import Colouring, shade
from app.ui.language import grouped
from app.ui.text_format import num_songs, one_line
from app.ui.theme import Theme
from app.ui.widgets import SMALL, button, label, plain_tool_tip

WIDTH_PX = 210
NAME_CHARS = 80
BESIDE_NAME_PX = 54  # margins, the dot, and a gap before the number
DOT_PX = 10


class Legend(QFrame):
    picked = Signal(int)  # code of a group; -1: all again

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._theme = theme
        self._view = parent
        self._rows: dict[int, QPushButton] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(0)
        self.setFixedWidth(WIDTH_PX)

    def show_colouring(
        self, colouring: Colouring, table: list[QColor], picked: int = -1, *, is_likeness: bool
    ) -> None:
        """``is_likeness``: to a song asked for, of which there may be none yet."""
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._rows = {}
        if colouring.is_graded:
            self._show(_Scale(self._theme, colouring.low, colouring.high))
        groups = zip(colouring.names, colouring.counts, strict=True)
        for code, (name, count) in enumerate(groups, start=1):
            self._add(code, one_line(name)[:NAME_CHARS], count, table[code])
        self._check(picked)
        if others := self._others_text(colouring, is_likeness):
            note = label(others, "muted", self._theme.font(SMALL), wrap=True)
            note.setContentsMargins(8, 4, 4, 2)
            self._show(note)
        self.setVisible(self._column.count() > 0)
        self.adjustSize()
        if self._column.hasHeightForWidth():  # of which that makes nothing
            self.resize(WIDTH_PX, self._column.totalHeightForWidth(WIDTH_PX))

    def _others_text(self, colouring: Colouring, is_likeness: bool) -> str:
        """Of the points without a colour of their own."""
        if is_likeness and not colouring.is_graded:
            return self.tr("Click a song: the others show how alike they are.")
        if colouring.num_others and colouring.names:
            return self.tr("others   {num}").format(num=grouped(colouring.num_others))
        if not colouring.is_graded and not colouring.names and len(colouring.codes):
            return self.tr("Not known of these songs.")
        return ""

    def _check(self, code: int) -> None:
        for other, row in self._rows.items():
            row.setChecked(other == code)

    def _add(self, code: int, name: str, count: int, colour: QColor) -> None:
        row = button("", "legend")
        number = label(grouped(count), "muted", self._theme.font(SMALL))
        number.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 8, 0)
        line.addStretch()
        line.addWidget(number)
        room = WIDTH_PX - number.sizeHint().width() - BESIDE_NAME_PX
        elided = row.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, room)
        row.setText(elided.replace("&", "&&"))
        row.setToolTip(plain_tool_tip(name) if elided != name else "")
        row.setCheckable(True)
        row.setAccessibleName(f"{name}: {num_songs(count)}")
        row.setIcon(_dot(colour, self.devicePixelRatioF()))
        row.setIconSize(QSize(DOT_PX, DOT_PX))
        row.clicked.connect(lambda is_on, code=code: self._pick(code, is_on))
        last = next(reversed(self._rows.values()), self._view)
        self._rows[code] = row
        self._show(row)
        self.setTabOrder(last, row)  # or they would come after everything else in the window

    def _show(self, widget: QWidget) -> None:
        self._column.addWidget(widget)
        widget.show()  # at once: what is shown later does not count for the height now

    def _pick(self, code: int, is_on: bool) -> None:
        self._check(code if is_on else -1)
        self.picked.emit(code if is_on else -1)


class _Scale(QWidget):
    """The shades from low to high, with what the ends mean."""

    def __init__(self, theme: Theme, low: str, high: str) -> None:
        super().__init__()
        self._theme = theme
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 22, 6, 0)
        for text, place in ((low, Qt.AlignmentFlag.AlignLeft), (high, Qt.AlignmentFlag.AlignRight)):
            end = label(text, "muted", theme.font(SMALL))
            row.addWidget(end, 1, place)
        self.setAccessibleName(self.tr("Colours from {low} to {high}").format(low=low, high=high))

    def paintEvent(self, event: QPaintEvent) -> None:
        bar = QRect(6, 6, self.width() - 12, 10)
        shades = QLinearGradient(bar.topLeft(), bar.topRight())
        for step in range(11):
            shades.setColorAt(step / 10, shade(self._theme.palette, step / 10))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shades)
        painter.drawRoundedRect(bar, 5, 5)


def _dot(colour: QColor, ratio: float) -> QIcon:
    pixmap = QPixmap(round(DOT_PX * ratio), round(DOT_PX * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(pixmap.rect())
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return QIcon(pixmap)
