"""What the colours mean. A click on a group lets the others fade."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from app.map.colouring import Colouring
from app.ui.language import grouped
from app.ui.layouts import clear_layout, hbox, vbox
from app.ui.text_format import num_songs, one_line
from app.ui.theme import Theme
from app.ui.widgets import SMALL, button, label, plain_tool_tip

WIDTH_PX = 210
NAME_CHARS = 80
BESIDE_NAME_PX = 54  # margins, the dot, and a gap before the number
DOT_PX = 15


class Legend(QFrame):
    picked = Signal(int)  # code of a group; -1: all again

    def __init__(self, theme: Theme, view: QWidget) -> None:
        """``view``: after which Tab comes here."""
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self._view = view
        self._rows: dict[int, QPushButton] = {}
        self._column = vbox(margins=(8, 8, 8, 8), of=self)
        self.setFixedWidth(WIDTH_PX)

    def show_colouring(
        self, colouring: Colouring, table: list[QColor], picked: int = -1, *, is_likeness: bool
    ) -> None:
        """``is_likeness``: to a song asked for, of which there may be none yet."""
        clear_layout(self._column)
        self._rows = {}
        if colouring.is_graded:
            self._show(self._scale(colouring, table))
        groups = zip(colouring.names, colouring.counts, strict=True)
        for code, (name, count) in enumerate(groups, start=1):
            self._add(code, one_line(name)[:NAME_CHARS], count, table[code])
        self._check(picked)
        if others := self._others_text(colouring, is_likeness):
            note = label(others, "muted", self._theme.font(SMALL), wrap=True)
            note.setContentsMargins(8, 4, 4, 2)
            self._show(note)
        self.setVisible(self._column.count() > 0)

    def _others_text(self, colouring: Colouring, is_likeness: bool) -> str:
        """Of the points without a colour of their own."""
        if is_likeness and not colouring.is_graded:
            return self.tr("Click a song: the others show how alike they are.")
        if colouring.num_others and colouring.names:
            return self.tr("others   {num}").format(num=grouped(colouring.num_others))
        if not colouring.is_graded and not colouring.names and len(colouring.codes):
            return self.tr("Not known of these songs.")
        return ""

    def _scale(self, colouring: Colouring, table: list[QColor]) -> QWidget:
        """The shades from low to high, with what the ends mean."""
        shades, low, high = table[1:], colouring.low, colouring.high
        stops = (f"stop:{i / len(shades)} {one.name()}" for i, one in enumerate(shades))
        bar, scale = QFrame(), QWidget()
        bar.setFixedHeight(10)
        ground = f"qlineargradient(x1:0, x2:1, {', '.join(stops)})"
        bar.setStyleSheet(f"border-radius: 5px; background: {ground};")
        ends = (label(text, "muted", self._theme.font(SMALL)) for text in (low, high))
        vbox(bar, hbox(next(ends), None, next(ends)), spacing=6, margins=(6, 6, 6, 0), of=scale)
        scale.setAccessibleName(self.tr("Colours from {low} to {high}").format(low=low, high=high))
        return scale

    def _check(self, code: int) -> None:
        for other, row in self._rows.items():
            row.setChecked(other == code)

    def _add(self, code: int, name: str, count: int, colour: QColor) -> None:
        row = button("", "legend")
        number = label(grouped(count), "muted", self._theme.font(SMALL))
        number.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        hbox(None, number, margins=(0, 0, 8, 0), of=row)
        room = WIDTH_PX - number.sizeHint().width() - BESIDE_NAME_PX
        elided = row.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, room)
        row.setText(elided.replace("&", "&&"))
        row.setToolTip(plain_tool_tip(name) if elided != name else "")
        row.setCheckable(True)
        row.setAccessibleName(f"{name}: {num_songs(count)}")
        row.setIcon(self._theme.icon("dot", colour.name(), DOT_PX))
        row.setIconSize(QSize(DOT_PX, DOT_PX))
        row.clicked.connect(lambda is_on, code=code: self._pick(code, is_on))
        last = next(reversed(self._rows.values()), self._view)
        self._rows[code] = row
        self._show(row)
        self.setTabOrder(last, row)  # or they would come after everything else in the window

    def _show(self, widget: QWidget) -> None:
        self._column.addWidget(widget)
        widget.show()

    def _pick(self, code: int, is_on: bool) -> None:
        self._check(code if is_on else -1)
        self.picked.emit(code if is_on else -1)
