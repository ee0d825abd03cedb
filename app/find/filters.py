"""The filters of a search: a button with a count, the sheet that it opens, and a chip for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QGridLayout, QLineEdit, QWidget

from app.find.tick_list import TickList
from app.services.search_service import NUM_RESULTS
from app.ui.flow import FlowLayout
from app.ui.heard import heard_word, heard_words
from app.ui.language import grouped
from app.ui.layouts import Item, clear_layout, hbox, vbox
from app.ui.shortcuts import noop
from app.ui.text_format import clock, one_line
from app.ui.theme import Theme
from app.ui.widgets import SMALL, Button, button, label
from engine.library.scope import EVERYTHING, Facets, Scope, genre_key
from engine.listening.notes import note_name, parse_note
from engine.search import SearchOptions

WIDTH_PX = 480
MAX_FOLDERS = 40
MAX_LETTERS = 24  # of a chip
NOTHING_FILTERED = SearchOptions(k=NUM_RESULTS, hide_duplicates=True)
AskFacets = Callable[[Callable[[Facets], None]], None]


@dataclass(frozen=True)
class Range:
    """What songs have more or less of: two ends, as a person writes them.

    Attributes:
        fields: of a Scope, low and high.
        read: None for what makes no sense.
    """

    name: str
    fields: tuple[str, str]
    hints: tuple[str, str]
    told: Callable[[Any], str]
    read: Callable[[str], Any]


def _year(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def _note(text: str) -> int | None:
    try:
        return parse_note(text)
    except ValueError:
        return None


def seconds_of(text: str) -> float | None:
    """``2:30`` -> 150; ``4`` (minutes) -> 240; None for anything else."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(part.isdecimal() and len(part) < 5 for part in parts):
        return None
    numbers = [int(part) for part in parts]
    if len(numbers) == 1:
        return 60.0 * numbers[0]
    return float(sum(number * 60**power for power, number in enumerate(reversed(numbers))))


RANGES = (
    Range(noop("Year"), ("first_year", "last_year"), (noop("from"), noop("to")), str, _year),
    Range(
        noop("Length"),
        ("min_duration_s", "max_duration_s"),
        (noop("from, as 2:00"), noop("to, as 6:00")),
        clock,
        seconds_of,
    ),
    Range(
        noop("Notes"),
        ("lowest_note", "highest_note"),
        (noop("lowest, as A2"), noop("highest, as E4")),
        note_name,
        _note,
    ),
)


def num_active(options: SearchOptions) -> int:
    """Filters that leave out songs one could miss; hiding duplicates does not count."""
    return options.scope.num_conditions + options.other_artists + options.one_per_artist


class FilterButton(Button):
    """Opens the sheet; while something is filtered, it is coloured and tells how much."""

    changed = Signal()

    def __init__(self, theme: Theme, ask_facets: AskFacets) -> None:
        super().__init__()
        self._ask_facets = ask_facets
        self.filters = NOTHING_FILTERED
        self.sheet = FilterSheet(theme, self)
        self.sheet.changed.connect(self.set_filters)
        self.setProperty("kind", "toggle")
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self.open_sheet)
        self._show()

    def set_filters(self, filters: SearchOptions) -> None:
        if filters != self.filters:
            self.filters = filters
            self._show()
            self.changed.emit()

    def open_sheet(self) -> None:
        self._show()  # a click must not change how the button looks
        self.sheet.open_below(self, self.filters)
        self._ask_facets(self.sheet.show_facets)

    def _show(self) -> None:
        num, text = num_active(self.filters), self.tr("Filters")
        self.setText(f"{text}  {num}" if num else f"{text}…")
        told = self.tr("{num} in force").format(num=num) if num else self.tr("none in force")
        self.setAccessibleName(f"{text}: {told}")
        self.setChecked(num > 0)


class FilterSheet(QFrame):
    """Open until a click elsewhere, which does nothing else, or Escape.

    Every change takes effect at once.
    """

    changed = Signal(object)  # SearchOptions

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)
        self.setObjectName("sheet")
        self.setFixedWidth(WIDTH_PX)
        self._theme = theme
        self._filters = NOTHING_FILTERED
        self._facets = Facets((), None, None, ())
        self.other_artists = QCheckBox(self.tr("Other artists only"))
        self.one_per_artist = QCheckBox(self.tr("One song of each artist"))
        self.hide_duplicates = QCheckBox(self.tr("Hide copies of the same recording"))
        self._boxes = {  # by the field of SearchOptions
            "other_artists": self.other_artists,
            "one_per_artist": self.one_per_artist,
            "hide_duplicates": self.hide_duplicates,
        }
        self.genres = TickList(
            theme, self.tr("Genres"), self.tr("Search genres"), self.tr("The files do not say.")
        )
        self.heard = TickList(
            theme, self.tr("Sounds like"), self.tr("Search what is heard"), self.tr("Nothing yet")
        )
        self.heard.setToolTip(self.tr("Heard in the songs, not written in their files"))
        self.years, self.lengths, self.notes = self._ends = [self._fields(one) for one in RANGES]
        self.my_range = button(self.tr("As I sing"), "plain")
        self.folder = QComboBox()
        self.folder.setAccessibleName(self.tr("Folder"))
        self.folder.view().setAccessibleName(self.tr("Folder"))
        as_there_is_room = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.folder.setSizeAdjustPolicy(as_there_is_room)
        self.reset = button(self.tr("Reset"), "plain")
        self.set_my_range(None)
        self._lay_out()
        self._connect()

    def _fields(self, one: Range) -> tuple[QLineEdit, QLineEdit]:
        low, high = QLineEdit(), QLineEdit()
        for field, hint in zip((low, high), one.hints, strict=True):
            field.setPlaceholderText(self.tr(hint))
            field.setAccessibleName(f"{self.tr(one.name)}: {self.tr(hint)}")
            field.editingFinished.connect(self._tell)
        return low, high

    def _lay_out(self) -> None:
        heading = label(self.tr("Filters"), font=self._theme.font(weight=QFont.Weight.Bold))
        words, ranges = _grid(12), _grid(8)
        columns = ((self.tr("Genre"), self.genres), (self.tr("Sounds like"), self.heard))
        for column, (name, one) in enumerate(columns):
            words.addWidget(self._caption(name), 0, column)
            words.addWidget(one, 1, column)
        for row, (of, fields) in enumerate(zip(RANGES, self._ends, strict=True)):
            ranges.addWidget(self._caption(self.tr(of.name)), row, 0)
            for column, field in enumerate(fields, start=1):
                ranges.addWidget(field, row, column)
        ranges.addWidget(self.my_range, 3, 1, 1, 2, Qt.AlignmentFlag.AlignRight)
        ranges.addWidget(self._caption(self.tr("Folder")), 4, 0)
        ranges.addWidget(self.folder, 4, 1, 1, 2)
        items: list[Item] = [hbox(heading, None, self.reset), *self._boxes.values()]
        vbox(*items, 4, words, 2, ranges, spacing=6, margins=(16, 12, 16, 14), of=self)

    def _caption(self, text: str) -> QWidget:
        return label(text, "muted", self._theme.font(SMALL, QFont.Weight.DemiBold))

    def _connect(self) -> None:
        for box in self._boxes.values():
            box.setAccessibleName(box.text())
            box.toggled.connect(self._tell)
        for words in (self.genres, self.heard):
            words.changed.connect(self._tell)
        self.folder.activated.connect(self._tell)
        self.my_range.clicked.connect(self._take_my_range)
        self.reset.clicked.connect(self._reset_all)

    def open_below(self, anchor: QWidget, filters: SearchOptions) -> None:
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

    def _fill(self, filters: SearchOptions) -> None:
        self._filters, scope, known = filters, filters.scope, self._facets
        with QSignalBlocker(self):
            for name, box in self._boxes.items():
                box.setChecked(getattr(filters, name))
            for one, fields in zip(RANGES, self._ends, strict=True):
                for field, name in zip(fields, one.fields, strict=True):
                    value = getattr(scope, name)
                    field.setText("" if value is None else one.told(value))
            self._offer_folders(next(iter(scope.folders), None))
            genres = [(genre_key(name), name, num) for name, num in known.genres]
            self.genres.fill(genres, scope.genres)
            heard = [(name, heard_word(name), num) for name, _, num in known.heard]
            self.heard.fill(heard, scope.sounds_like)
            if known.first_year is not None:
                self.years[0].setPlaceholderText(str(known.first_year))
                self.years[1].setPlaceholderText(str(known.last_year))

    def filters(self) -> SearchOptions:
        """As the sheet shows it now. Ranges that are the wrong way round are turned."""
        folder = self.folder.currentData()
        ends: dict[str, Any] = {}
        for one, fields in zip(RANGES, self._ends, strict=True):
            low, high = (one.read(field.text()) for field in fields)
            if low is not None and high is not None:
                low, high = sorted((low, high))
            ends |= zip(one.fields, (low, high), strict=True)
        scope = Scope(
            genres=self.genres.chosen,
            sounds_like=self.heard.chosen,
            folders=frozenset() if folder is None else frozenset({folder}),
            **ends,
        )
        checked: dict[str, Any] = {name: box.isChecked() for name, box in self._boxes.items()}
        return replace(self._filters, scope=scope, **checked)

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
        self._fill(NOTHING_FILTERED)
        self._tell()

    def _offer_folders(self, chosen: Path | None) -> None:
        known = self._facets.folders[:MAX_FOLDERS]
        folders = {path: f"{one_line(str(path))[-60:]}   {grouped(num)}" for path, num in known}
        if chosen is not None:
            folders.setdefault(chosen, one_line(str(chosen))[-60:])
        self.folder.clear()
        self.folder.addItem(self.tr("All folders"), None)
        for path, text in folders.items():
            self.folder.addItem(text, path)
        self.folder.setCurrentIndex(0 if chosen is None else 1 + list(folders).index(chosen))


class FilterChips(QWidget):
    """The filters in force, each with an × that takes it away; hidden while nothing is filtered."""

    def __init__(self, filter_button: FilterButton) -> None:
        super().__init__()
        self._button = filter_button
        self._row = FlowLayout(6, self)
        filter_button.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        clear_layout(self._row)
        for text, without in self._in_force(self._button.filters):
            chip = button(f"{one_line(text)[:MAX_LETTERS]}  ×".replace("&", "&&"), "chip")
            chip.setAccessibleName(self.tr("Take away: {filter}").format(filter=text))
            chip.setToolTip(chip.accessibleName())
            chip.clicked.connect(lambda _=False, left=without: self._button.set_filters(left))
            self._row.addWidget(chip)
            chip.show()  # at once: what is shown later has no room in the layout now
        self.setVisible(num_active(self._button.filters) > 0)

    def _in_force(self, filters: SearchOptions) -> Iterator[tuple[str, SearchOptions]]:
        """(what it says, the filters without it)."""
        if filters.other_artists:
            yield self.tr("Other artists only"), replace(filters, other_artists=False)
        if filters.one_per_artist:
            yield self.tr("One song of each artist"), replace(filters, one_per_artist=False)
        for text, fields in self._conditions(filters.scope):
            without = {field: getattr(EVERYTHING, field) for field in fields}
            yield text, replace(filters, scope=replace(filters.scope, **without))

    def _conditions(self, scope: Scope) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(what it says, its fields), as ``Scope.num_conditions`` counts them."""
        if scope.genres:
            yield ", ".join(sorted(scope.genres)), ("genres",)
        if scope.sounds_like:
            tags = heard_words(sorted(scope.sounds_like))
            yield self.tr("sounds like {tags}").format(tags=tags), ("sounds_like",)
        for one in RANGES:
            low, high = (getattr(scope, field) for field in one.fields)
            if low is not None and high is not None:
                yield f"{one.told(low)}–{one.told(high)}", one.fields
            elif low is not None:
                yield self.tr("from {start}").format(start=one.told(low)), one.fields
            elif high is not None:
                yield self.tr("up to {end}").format(end=one.told(high)), one.fields
        if scope.folders:
            yield ", ".join(sorted(path.name or str(path) for path in scope.folders)), ("folders",)


def _grid(spacing: int) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(spacing)
    grid.setVerticalSpacing(6)
    return grid
