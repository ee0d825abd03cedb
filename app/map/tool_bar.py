"""The bars of the map: which view and colours, how to look and pick; what to do with songs."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QComboBox, QFrame, QPushButton, QSizePolicy, QWidget

from app.map.colouring import Colour
from app.ui.layouts import hbox
from app.ui.segmented_switch import Segment, SegmentedSwitch
from app.ui.shortcuts import Keys
from app.ui.text_format import num_songs
from app.ui.theme import Theme
from app.ui.widgets import IconButton, button, key_button, label

MARGIN_PX = 14


class MapToolBar(QWidget):
    colour_chosen = Signal(object)  # Colour

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.views = SegmentedSwitch(
            self.tr("What the map goes by"),
            [
                Segment(
                    "vocals", self.tr("Voice"), self.tr("Singers who sound alike lie together")
                ),
                Segment(
                    "overall", self.tr("Overall"), self.tr("Songs that sound alike lie together")
                ),
            ],
        )
        self._colours = QComboBox()
        self._colours.setAccessibleName(self.tr("Colours show"))
        self._colours.view().setAccessibleName(self.tr("What colours can show"))
        for colour, text in self._texts().items():
            self._colours.addItem(text, colour)
        self.preview = button(self.tr("Hear while hovering"), "toggle")
        self.preview.setCheckable(True)
        self.preview.setToolTip(self.tr("A song sounds when the pointer rests on it"))
        self.lasso = key_button(theme, "lasso", Keys.MAP_LASSO)
        self.lasso.setCheckable(True)
        self.whole = key_button(theme, "fit", Keys.MAP_ALL)
        self._lay_out()
        self._colours.activated.connect(lambda _: self.colour_chosen.emit(self.colour))

    def _texts(self) -> dict[Colour, str]:
        return {
            Colour.ARTIST: self.tr("Artist"),
            Colour.GENRE: self.tr("Genre"),
            Colour.YEAR: self.tr("Year"),
            Colour.HEARD: self.tr("Kind of music that is heard"),
            Colour.MOOD: self.tr("Mood that is heard"),
            Colour.INSTRUMENTS: self.tr("Instruments that are heard"),
            Colour.LIKENESS: self.tr("Likeness to the song asked for"),
        }

    def _lay_out(self) -> None:
        colours = (label(self.tr("Colours"), "muted"), self._colours)
        picking = (self.preview, self.lasso, self.whole)
        hbox(self.views, 10, *colours, None, *picking, spacing=8, margins=(10, 6, 10, 6), of=self)

    @property
    def colour(self) -> Colour:
        return Colour(self._colours.currentData())

    def choose_colour(self, colour: str) -> None:
        self._colours.setCurrentIndex(list(Colour).index(Colour(colour)))


class SelectionBar(QFrame):
    """What can be done with songs that a line was drawn around."""

    cleared = Signal()
    dragged = Signal()  # by its number of songs

    def __init__(self, theme: Theme, view: QWidget, actions: Iterable[QPushButton]) -> None:
        super().__init__(view)
        self.setObjectName("card")
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip(self.tr("Drag these songs into the queue, a playlist or another program"))
        self._press: QPointF | None = None
        self._view = view
        self.count = label()
        clear = IconButton(theme, "close", self.tr("Let the selection go"), size=16)
        clear.clicked.connect(self.cleared)
        hbox(self.count, *actions, clear, spacing=10, margins=(16, 8, 8, 8), of=self)
        self.hide()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._press = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        way = (event.position() - self._press).manhattanLength()
        if way >= QGuiApplication.styleHints().startDragDistance():
            self._press = None
            self.dragged.emit()

    def show_count(self, num: int) -> None:
        """Nothing is shown for nothing."""
        self.count.setText(num_songs(num))
        self.setVisible(num > 0)
        self.place()

    def place(self) -> None:
        """At the top, in the middle: notices lie at the bottom."""
        self.adjustSize()
        self.move((self._view.width() - self.width()) // 2, MARGIN_PX)
