"""The filters of a search: a button with a count, and the sheet that it opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont, QIntValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QLineEdit,
    QWidget,
)

from app.find.tick_list import TickList
from app.ui.heard import heard_word
from app.ui.language import grouped
from app.ui.layouts import hbox, vbox
from app.ui.text_format import clock, one_line
from app.ui.theme import Theme
from app.ui.widgets import SMALL, Button, button, label
from engine.library.scope import EVERYTHING, Facets, Scope, genre_key
from engine.listening.notes import note_name, parse_note
from engine.search import SearchOptions

WIDTH_PX = 480
MAX_FOLDERS = 40
AS_WIDE_AS_THERE_IS_ROOM = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
N = TypeVar("N", int, float)
AskFacets = Callable[[Callable[[Facets], None]], None]


@dataclass(frozen=True)
class Filters:
    """What the results are narrowed to."""

    other_artists: bool = False
    one_per_artist: bool = False
    hide_duplicates: bool = True
    scope: Scope = EVERYTHING

    @property
    def num_active(self) -> int:
        """Those that leave out songs one could miss; hiding duplicates does not count."""
        return self.scope.num_conditions + self.other_artists + self.one_per_artist

    @classmethod
    def of(cls, options: SearchOptions) -> Filters:
        return cls(
            options.other_artists, options.one_per_artist, options.hide_duplicates, options.scope
        )

    def applied_to(self, options: SearchOptions) -> SearchOptions:
        return replace(
            options,
            other_artists=self.other_artists,
            one_per_artist=self.one_per_artist,
            hide_duplicates=self.hide_duplicates,
            scope=self.scope,
        )


class FilterButton(Button):
    """Opens the sheet; while something is filtered, it is coloured and tells how much."""

    changed = Signal()

    def __init__(self, theme: Theme, ask_facets: AskFacets) -> None:
        super().__init__()
        self._theme = theme
        self._ask_facets = ask_facets
        self._filters = Filters()
        self._sheet: FilterSheet | None = None
        self._my_range: tuple[float, float] | None = None
        self.setProperty("kind", "toggle")
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self.open_sheet)
        self._show()

    @property
    def filters(self) -> Filters:
        return self._filters

    @property
    def sheet(self) -> FilterSheet | None:
        """The sheet while it is open."""
        return self._sheet if self._sheet is not None and self._sheet.isVisible() else None

    def set_filters(self, filters: Filters) -> None:
        if filters != self._filters:
            self._filters = filters
            self._show()
            self.changed.emit()

    def set_my_range(self, notes: tuple[float, float]) -> None:
        """What the person sang last: (lowest, highest) in semitones."""
        self._my_range = notes

    def open_sheet(self) -> None:
        self._show()  # a click must not change how the button looks
        if self._sheet is None:
            self._sheet = FilterSheet(self._theme, self)
            self._sheet.changed.connect(self.set_filters)
        self._sheet.set_my_range(self._my_range)
        self._sheet.open_below(self, self._filters)
        self._ask_facets(self._sheet.show_facets)

    def _show(self) -> None:
        num = self._filters.num_active
        text = self.tr("Filters")
        self.setText(f"{text}  {num}" if num else f"{text}…")
        told = self.tr("{num} in force").format(num=num) if num else self.tr("none in force")
        self.setAccessibleName(f"{text}: {told}")
        self.setChecked(num > 0)


class FilterSheet(QFrame):
    """Open until a click elsewhere, which does nothing else, or Escape.

    Every change takes effect at once.
    """

    changed = Signal(object)  # Filters

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)
        self.setObjectName("sheet")
        self.setFixedWidth(WIDTH_PX)
        self._theme = theme
        self._facets: Facets | None = None
        self.other_artists = QCheckBox(self.tr("Other artists only"))
        self.one_per_artist = QCheckBox(self.tr("One song of each artist"))
        self.hide_duplicates = QCheckBox(self.tr("Hide copies of the same recording"))
        self.genres = TickList(
            theme, self.tr("Genres"), self.tr("Search genres"), self.tr("The files do not say.")
        )
        self.heard = TickList(
            theme, self.tr("Sounds like"), self.tr("Search what is heard"), self.tr("Nothing yet")
        )
        self.heard.setToolTip(self.tr("Heard in the songs, not written in their files"))
        self.years = (self._number(self.tr("from")), self._number(self.tr("to")))
        self.notes = (self._note(self.tr("lowest, as A2")), self._note(self.tr("highest, as E4")))
        self.my_range = button(self.tr("As I sing"), "plain")
        self.lengths = (self._time(self.tr("from, as 2:00")), self._time(self.tr("to, as 6:00")))
        self.folder = QComboBox()
        self.folder.setAccessibleName(self.tr("Folder"))
        self.folder.setSizeAdjustPolicy(AS_WIDE_AS_THERE_IS_ROOM)
        self.reset = button(self.tr("Reset"), "plain")
        self.set_my_range(None)
        self._lay_out()
        self._connect()

    def _number(self, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setValidator(QIntValidator(0, 9999, field))
        field.setPlaceholderText(hint)
        field.setAccessibleName(self.tr("Year: {hint}").format(hint=hint))
        return field

    def _note(self, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(hint)
        field.setAccessibleName(self.tr("Note: {hint}").format(hint=hint))
        return field

    def _time(self, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(hint)
        field.setAccessibleName(self.tr("Length: {hint}").format(hint=hint))
        return field

    def _lay_out(self) -> None:
        heading = label(self.tr("Filters"), font=self._theme.font(weight=QFont.Weight.Bold))
        boxes = (self.other_artists, self.one_per_artist, self.hide_duplicates)
        for box in boxes:
            box.setAccessibleName(box.text())
        vbox(
            hbox(heading, None, self.reset),
            *boxes,
            4,
            self._words(),
            2,
            self._ranges(),
            spacing=6,
            margins=(16, 12, 16, 14),
            of=self,
        )

    def _words(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        columns = ((self.tr("Genre"), self.genres), (self.tr("Sounds like"), self.heard))
        for column, (name, words) in enumerate(columns):
            grid.addWidget(self._caption(name), 0, column)
            grid.addWidget(words, 1, column)
        return grid

    def _ranges(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        rows = (
            (self.tr("Year"), self.years),
            (self.tr("Length"), self.lengths),
            (self.tr("Notes"), self.notes),
        )
        for row, (name, fields) in enumerate(rows):
            grid.addWidget(self._caption(name), row, 0)
            for column, field in enumerate(fields, start=1):
                grid.addWidget(field, row, column)
        grid.addWidget(self.my_range, 3, 1, 1, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._caption(self.tr("Folder")), 4, 0)
        grid.addWidget(self.folder, 4, 1, 1, 2)
        return grid

    def _caption(self, text: str) -> QWidget:
        return label(text, "muted", self._theme.font(SMALL, QFont.Weight.DemiBold))

    def _connect(self) -> None:
        for box in (self.other_artists, self.one_per_artist, self.hide_duplicates):
            box.toggled.connect(self._tell)
        for field in (*self.years, *self.lengths, *self.notes):
            field.editingFinished.connect(self._tell)
        for words in (self.genres, self.heard):
            words.changed.connect(self._tell)
        self.folder.activated.connect(self._tell)
        self.my_range.clicked.connect(self._take_my_range)
        self.reset.clicked.connect(self._reset_all)

    # Opening and closing

    def open_below(self, anchor: QWidget, filters: Filters) -> None:
        """Below ``anchor``, its right edge below that one's, and all of it on the screen."""
        self._fill(filters)
        self.adjustSize()
        corner = anchor.mapToGlobal(QPoint(anchor.width() - self.width(), anchor.height() + 6))
        screen = anchor.screen().availableGeometry()
        x = max(screen.left(), min(corner.x(), screen.right() - self.width()))
        y = max(screen.top(), min(corner.y(), screen.bottom() - self.height()))
        self.move(x, y)
        self.show()
        self.other_artists.setFocus(Qt.FocusReason.PopupFocusReason)

    # What it shows and tells

    def show_facets(self, facets: Facets) -> None:
        """What there is to choose from, once it has been read."""
        filters = self.filters()
        self._facets = facets
        self._fill(filters)

    def _fill(self, filters: Filters) -> None:
        with QSignalBlocker(self):
            self._show(filters)

    def _show(self, filters: Filters) -> None:
        scope = filters.scope
        self.other_artists.setChecked(filters.other_artists)
        self.one_per_artist.setChecked(filters.one_per_artist)
        self.hide_duplicates.setChecked(filters.hide_duplicates)
        for fields, values, told in (
            (self.years, (scope.first_year, scope.last_year), str),
            (self.lengths, (scope.min_duration_s, scope.max_duration_s), clock),
            (self.notes, (scope.lowest_note, scope.highest_note), note_name),
        ):
            for field, value in zip(fields, values, strict=True):
                field.setText("" if value is None else told(value))
        self._offer_folders(next(iter(scope.folders), None))
        self._offer_words(scope)
        if self._facets is not None and self._facets.first_year is not None:
            self.years[0].setPlaceholderText(str(self._facets.first_year))
            self.years[1].setPlaceholderText(str(self._facets.last_year))

    def _offer_words(self, scope: Scope) -> None:
        known = self._facets or Facets((), None, None, ())
        genres = [(genre_key(name), name, num) for name, num in known.genres]
        self.genres.fill(genres, scope.genres)
        heard = [(name, heard_word(name), num) for name, _, num in known.heard]
        self.heard.fill(heard, scope.sounds_like)

    def filters(self) -> Filters:
        """As the sheet shows it now. Ranges that are the wrong way round are turned."""
        first, last = _in_order(*(_year(field.text()) for field in self.years))
        low, high = _in_order(*(seconds_of(field.text()) for field in self.lengths))
        lowest, highest = _in_order(*(_note(field.text()) for field in self.notes))
        folder = self.folder.currentData()
        folders = frozenset[Path]() if folder is None else frozenset({folder})
        return Filters(
            self.other_artists.isChecked(),
            self.one_per_artist.isChecked(),
            self.hide_duplicates.isChecked(),
            Scope(
                *(self.genres.chosen, first, last, folders, low, high, lowest, highest),
                self.heard.chosen,
            ),
        )

    def set_my_range(self, notes: tuple[float, float] | None) -> None:
        """What the person sang last: (lowest, highest) in semitones; None: nothing yet."""
        self._my_range = notes
        self.my_range.setEnabled(notes is not None)
        how = self.tr("Sing a low and a high note first: the microphone is in the bar above.")
        known = self.tr("The notes that you sang last")
        self.my_range.setToolTip(how if notes is None else known)

    def _take_my_range(self) -> None:
        if self._my_range is not None:
            for field, note in zip(self.notes, self._my_range, strict=True):
                field.setText(note_name(note))
            self._tell()

    def _tell(self) -> None:
        self.changed.emit(self.filters())

    def _reset_all(self) -> None:
        for words in (self.genres, self.heard):
            words.show_all()
        self._fill(Filters())
        self._tell()

    def _offer_folders(self, chosen: Path | None) -> None:
        known = self._facets.folders[:MAX_FOLDERS] if self._facets is not None else ()
        folders = {path: f"{one_line(str(path))[-60:]}   {grouped(num)}" for path, num in known}
        if chosen is not None:
            folders.setdefault(chosen, one_line(str(chosen))[-60:])
        self.folder.clear()
        self.folder.addItem(self.tr("All folders"), None)
        for path, text in folders.items():
            self.folder.addItem(text, path)
        self.folder.setCurrentIndex(0 if chosen is None else 1 + list(folders).index(chosen))


def _note(text: str) -> int | None:
    try:
        return parse_note(text)
    except ValueError:
        return None


def _year(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def seconds_of(text: str) -> float | None:
    """``2:30`` -> 150; ``4`` (minutes) -> 240; None for anything else."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(part.isdecimal() and len(part) < 5 for part in parts):
        return None
    numbers = [int(part) for part in parts]
    if len(numbers) == 1:
        return 60.0 * numbers[0]
    return float(sum(number * 60**power for power, number in enumerate(reversed(numbers))))


def _in_order(low: N | None, high: N | None) -> tuple[N | None, N | None]:
    return (high, low) if low is not None and high is not None and low > high else (low, high)
