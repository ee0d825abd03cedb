"""The bar at the top: back and forward, search, the page switch, and what concerns all of it."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from app.ui.layouts import hbox, keep_room
from app.ui.segmented_switch import Segment, SegmentedSwitch
from app.ui.shortcuts import Keys
from app.ui.text_format import num_songs
from app.ui.theme import Theme
from app.ui.widgets import SMALL, key_button, label

SEARCH_PX, NUMBER_PX = 300, 200  # at most
AROUND_PX = 44  # around the parts, and between them


class SearchField(QLineEdit):
    """Down and Enter go on to the list, Escape empties the field."""

    left_downwards = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.show_scope("")
        self.setClearButtonEnabled(True)
        self._icon = self.addAction(
            theme.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition
        )
        for child in self.findChildren(QToolButton):
            if not child.accessibleName():
                child.setAccessibleName(self.tr("Empty the search field"))
        theme.changed.connect(lambda: self._icon.setIcon(theme.icon("search", "muted")))

    def show_scope(self, name: str) -> None:
        """What is searched; "": all of the library."""
        text = self.tr("Search in “{name}”") if name else self.tr("Search library")
        self.setPlaceholderText(text.format(name=name))
        self.setAccessibleName(self.placeholderText())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left_downwards.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.clear()
        else:
            super().keyPressEvent(event)


class Page(StrEnum):
    """What the switch switches between."""

    LIBRARY = "library"
    MAP = "map"
    EVALUATE = "evaluate"


SEARCHABLE = (Page.LIBRARY, Page.MAP)
PAGE_KEYS = {
    Page.LIBRARY: Keys.PAGE_LIBRARY,
    Page.MAP: Keys.PAGE_MAP,
    Page.EVALUATE: Keys.PAGE_EVALUATE,
}


class TopBar(QWidget):
    def __init__(self, theme: Theme, pages: tuple[Page, ...]) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.back = key_button(theme, "back", Keys.BACK)
        self.forward = key_button(theme, "forward", Keys.FORWARD)
        self.search = SearchField(theme)
        self._scope = ""
        self._count = label(role="muted", font=theme.font(SMALL))
        self.pages = SegmentedSwitch(self.tr("Pages"), [_segment(page) for page in pages])
        self.record = key_button(theme, "voice", Keys.RECORD)
        self.folders = key_button(theme, "folder", Keys.FOLDERS)
        self.rescan = key_button(theme, "retry", Keys.RESCAN)
        self.preferences = key_button(theme, "settings", Keys.PREFERENCES)
        self.help = key_button(theme, "help", Keys.HELP)
        keep_room(self.search, self._count)  # or the switch would move
        self._lay_out()

    def _lay_out(self) -> None:
        """The switch stays in the middle whatever is to its left and right."""
        self.search.setMinimumWidth(140)
        self.search.setMaximumWidth(SEARCH_PX)
        find = (self.back, self.forward, 6, (self.search, 1), 6, self._count, None)
        others = (self.folders, self.rescan, self.preferences, self.help)
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 7, 10, 7)
        grid.setHorizontalSpacing(12)
        self._find = hbox(*find, spacing=4)
        self._others = hbox(None, self.record, 8, *others, spacing=4)
        grid.addLayout(self._find, 0, 0)
        grid.addWidget(self.pages, 0, 1)
        grid.addLayout(self._others, 0, 2)
        for side in (0, 2):
            grid.setColumnStretch(side, 1)
            grid.setColumnMinimumWidth(side, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """The number of songs gives way before the switch does."""
        sides = (self._find.minimumSize().width(), self._others.minimumSize().width())
        number, room = self._count.sizeHint().width(), min(self._count.maximumWidth(), NUMBER_PX)
        least = sum(sides) - min(number, room) + number + self.pages.sizeHint().width()
        self._count.setMaximumWidth(0 if self.width() < least + AROUND_PX else NUMBER_PX)

    def show_page(self, page: Page) -> None:
        """Search and number of songs are shown where they concern the page."""
        self.pages.show_key(page)
        self.search.setVisible(page in SEARCHABLE)
        self.show_scope(self._scope)

    def show_scope(self, name: str) -> None:
        """Of the table's songs; "": all of the library, as on the map, where no others count."""
        self._scope = name
        is_table = self.pages.key == Page.LIBRARY
        self.search.show_scope(name if is_table else "")
        self._count.setVisible(is_table or (self.pages.key == Page.MAP and not name))

    def show_count(self, num: int) -> None:
        self._count.setText(num_songs(num))
        self._make_room()


def _segment(page: Page) -> Segment:
    keys = PAGE_KEYS[page].value
    return Segment(page, keys.description, f"{keys.description}  ({keys.label})")
