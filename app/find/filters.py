"""The filters of a search: a button with a count, and the sheet that it opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QFont, QHideEvent, QIntValidator, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFrame,
    QGraphicsDropShadowEffect,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.find.genre_list import GenreList
from app.library.table_model import shown
from app.ui.number_format import clock
from app.ui.theme import Theme
from app.ui.widgets import SMALL, button, label, press_focused
from engine.library.scope import EVERYTHING, Facets, Scope
from engine.search import SearchOptions

WIDTH_PX = 340
MAX_FOLDERS = 40
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

    def applied_to(self, options: SearchOptions) -> SearchOptions:
        return replace(
            options,
            other_artists=self.other_artists,
            one_per_artist=self.one_per_artist,
            hide_duplicates=self.hide_duplicates,
            scope=self.scope,
        )


class FilterButton(QPushButton):
    """Opens the sheet; while something is filtered, it is coloured and tells how much."""

    changed = Signal()

    def __init__(self, theme: Theme, ask_facets: AskFacets) -> None:
        super().__init__()
        self._theme = theme
        self._ask_facets = ask_facets
        self._filters = Filters()
        self._sheet: FilterSheet | None = None
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

    def open_sheet(self) -> None:
        self._show()  # a click must not change how the button looks
        if self._sheet is None:
            self._sheet = FilterSheet(self._theme, self.window())
            self._sheet.changed.connect(self.set_filters)
        if self._sheet.isVisible():
            self._sheet.hide()
            return
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
    """Lies over the window until a click elsewhere or Escape. Every change takes effect at once."""

    changed = Signal(object)  # Filters

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("sheet")
        self.setFixedWidth(WIDTH_PX)
        self.hide()
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(32)
        shadow.setOffset(0, 6)
        self.setGraphicsEffect(shadow)
        self._theme = theme
        self._window = window
        self._is_closing = False
        self._is_filling = False
        self._facets: Facets | None = None
        self._folder: Path | None = None
        self._anchor: QWidget | None = None
        self._other = QCheckBox(self.tr("Other artists only"))
        self._each = QCheckBox(self.tr("One song of each artist"))
        self._copies = QCheckBox(self.tr("Hide copies of the same recording"))
        self._genres = GenreList(theme)
        self._years = (self._number(self.tr("from")), self._number(self.tr("to")))
        self._lengths = (self._time(self.tr("from, as 2:00")), self._time(self.tr("to, as 6:00")))
        self._folder_button = button(self.tr("All folders"), "field")
        self._reset = button(self.tr("Reset"), "plain")
        self._lay_out()
        self._connect()

    def _number(self, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setValidator(QIntValidator(0, 9999, field))
        field.setPlaceholderText(hint)
        field.setAccessibleName(self.tr("Year: {hint}").format(hint=hint))
        return field

    def _time(self, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(hint)
        field.setAccessibleName(self.tr("Length: {hint}").format(hint=hint))
        return field

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 14)
        layout.setSpacing(6)
        head = QHBoxLayout()
        head.addWidget(label(self.tr("Filters"), font=self._theme.font(weight=QFont.Weight.Bold)))
        head.addStretch()
        head.addWidget(self._reset)
        layout.addLayout(head)
        for box in (self._other, self._each, self._copies):
            box.setAccessibleName(box.text())
            layout.addWidget(box)
        layout.addSpacing(4)
        layout.addWidget(self._caption(self.tr("Genre")))
        layout.addWidget(self._genres)
        layout.addSpacing(2)
        layout.addLayout(self._ranges())

    def _ranges(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        rows = ((self.tr("Year"), self._years), (self.tr("Length"), self._lengths))
        for row, (name, fields) in enumerate(rows):
            grid.addWidget(self._caption(name), row, 0)
            for column, field in enumerate(fields, start=1):
                grid.addWidget(field, row, column)
        grid.addWidget(self._caption(self.tr("Folder")), 2, 0)
        grid.addWidget(self._folder_button, 2, 1, 1, 2)
        return grid

    def _caption(self, text: str) -> QWidget:
        return label(text, "muted", self._theme.font(SMALL, QFont.Weight.DemiBold))

    def _connect(self) -> None:
        for box in (self._other, self._each, self._copies):
            box.toggled.connect(self._tell)
        for field in (*self._years, *self._lengths):
            field.editingFinished.connect(self._tell)
        self._genres.changed.connect(self._tell)
        self._folder_button.clicked.connect(self._choose_folder)
        self._reset.clicked.connect(self._reset_all)

    # Opening and closing

    def open_below(self, anchor: QWidget, filters: Filters) -> None:
        self._anchor = anchor
        self._fill(filters)
        self.adjustSize()
        window = self._window
        corner = anchor.mapTo(window, QPoint(anchor.width() - self.width(), anchor.height() + 6))
        x = min(max(8, corner.x()), window.width() - self.width() - 8)
        y = min(corner.y(), window.height() - self.height() - 8)
        self.move(x, max(8, y))
        self.show()
        self.raise_()
        self._other.setFocus(Qt.FocusReason.PopupFocusReason)
        self._is_closing = False
        _app().installEventFilter(self)

    def hideEvent(self, event: QHideEvent) -> None:
        if not self._is_closing:
            _app().removeEventFilter(self)
        if self._anchor is not None and self.isAncestorOf(QApplication.focusWidget() or self):
            self._anchor.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A click elsewhere closes the sheet, and does nothing else."""
        if event.type() == QEvent.Type.Resize and watched is self._window:
            self.hide()
        if not isinstance(watched, QWidget) or watched.window() is not self._window:
            return False
        if event.type() == QEvent.Type.MouseButtonPress and not self._holds(event):
            self._is_closing = True  # its release is still to come
            self.hide()
            return True
        if event.type() == QEvent.Type.MouseButtonRelease and self._is_closing:
            _app().removeEventFilter(self)
            return True
        return False

    def _holds(self, event: QEvent) -> bool:
        assert isinstance(event, QMouseEvent)
        return self.rect().contains(self.mapFromGlobal(event.globalPosition().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            press_focused(event)
        event.accept()  # the window's plain keys play music

    # What it shows and tells

    def show_facets(self, facets: Facets) -> None:
        """What there is to choose from, once it has been read."""
        filters = self.filters()
        self._facets = facets
        self._fill(filters)

    def _fill(self, filters: Filters) -> None:
        self._is_filling = True
        scope = filters.scope
        self._other.setChecked(filters.other_artists)
        self._each.setChecked(filters.one_per_artist)
        self._copies.setChecked(filters.hide_duplicates)
        for fields, values, told in (
            (self._years, (scope.first_year, scope.last_year), str),
            (self._lengths, (scope.min_duration_s, scope.max_duration_s), clock),
        ):
            for field, value in zip(fields, values, strict=True):
                field.setText("" if value is None else told(value))
        self._set_folder(next(iter(scope.folders), None))
        known = self._facets.genres if self._facets is not None else ()
        self._genres.fill(known, scope.genres)
        if self._facets is not None and self._facets.first_year is not None:
            self._years[0].setPlaceholderText(str(self._facets.first_year))
            self._years[1].setPlaceholderText(str(self._facets.last_year))
        self._is_filling = False

    def filters(self) -> Filters:
        """As the sheet shows it now. Ranges that are the wrong way round are turned."""
        first, last = _in_order(*(_year(field.text()) for field in self._years))
        low, high = _in_order(*(seconds_of(field.text()) for field in self._lengths))
        folders = frozenset() if self._folder is None else frozenset({self._folder})
        return Filters(
            self._other.isChecked(),
            self._each.isChecked(),
            self._copies.isChecked(),
            Scope(self._genres.chosen, first, last, folders, low, high),
        )

    def _tell(self) -> None:
        if not self._is_filling:
            self.changed.emit(self.filters())

    def _reset_all(self) -> None:
        self._genres.show_all()
        self._fill(Filters())
        self._tell()

    def _choose_folder(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folders = self._facets.folders[:MAX_FOLDERS] if self._facets is not None else ()
        menu.addAction(self.tr("All folders"), lambda: self._use_folder(None))
        menu.addSeparator()
        for path, num in folders:
            text = f"{shown(str(path))[-60:]}   {num:,}".replace("&", "&&")
            menu.addAction(text, partial(self._use_folder, path))
        menu.popup(self._folder_button.mapToGlobal(QPoint(0, self._folder_button.height())))

    def _use_folder(self, path: Path | None) -> None:
        self._set_folder(path)
        self._tell()

    def _set_folder(self, path: Path | None) -> None:
        self._folder = path
        name = self.tr("All folders") if path is None else shown(path.name)[:28]
        self._folder_button.setText(name.replace("&", "&&"))
        self._folder_button.setAccessibleName(self.tr("Folder: {name}").format(name=name))


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


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
