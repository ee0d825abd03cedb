"""The row above the map: which view, which colours, and how to look and pick."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget

from app.map.colouring import Colour
from app.ui.segmented_switch import Segment, SegmentedSwitch
from app.ui.shortcuts import Keys
from app.ui.theme import Theme
from app.ui.widgets import button, key_button, label


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
            Colour.HEARD: self.tr("Sounds like"),
            Colour.LIKENESS: self.tr("Likeness to the song asked for"),
        }

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 10, 6)
        row.setSpacing(8)
        row.addWidget(self.views)
        row.addSpacing(10)
        row.addWidget(label(self.tr("Colours"), "muted"))
        row.addWidget(self._colours)
        row.addStretch()
        for widget in (self.preview, self.lasso, self.whole):
            row.addWidget(widget)

    @property
    def colour(self) -> Colour:
        return Colour(self._colours.currentData())

    def choose_colour(self, colour: str) -> None:
        self._colours.setCurrentIndex(list(Colour).index(Colour(colour)))
