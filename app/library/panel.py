"""The left side: the table of tracks and what keeps it up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QMenu, QStackedLayout, QWidget

from app.desktop.drag_and_drop import copy_files
from app.library.table_model import SORT_KEYS, Column, TrackModel
from app.library.table_view import HIDDEN_FIRST, TrackView, dot_icon
from app.services.open_library import ListQuery, OpenLibrary, Overview
from app.settings import SORT_COLUMN, SORT_DESCENDING, TABLE_HEADER, Settings
from app.ui.layouts import hbox, vbox
from app.ui.text_format import num_songs, one_line
from app.ui.theme import Theme
from app.ui.widgets import IconButton, label
from engine.library import Track, TrackStatus

MAX_QUEUED = 50  # a table is no playlist: what follows is what was in sight
REFRESH_MS = 1500  # while indexing


class LibraryPanel(QWidget):
    num_shown_changed = Signal(int)
    all_shown = Signal()

    def __init__(
        self, open_library: OpenLibrary, settings: Settings, theme: Theme, model: TrackModel
    ) -> None:
        super().__init__()
        self.setObjectName("side")
        self._open_library = open_library
        self._settings = settings
        self._theme = theme
        self._query = ListQuery(
            sort=settings.get(SORT_COLUMN), is_descending=settings.get(SORT_DESCENDING)
        )
        self._num_tracks = -1
        self._selected_soon: int | None = None
        self.model = model
        self.view = TrackView(model, theme)
        self._empty = label(role="muted", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMargin(32)
        self._only: tuple[int, ...] | None = None
        self._is_in_order = False  # of the songs given, not of a column
        self._nothing = ""
        self._only_text = label(font=theme.font(weight=QFont.Weight.Medium))
        self._only_bar = self._build_bar(
            theme, self._only_text, self.tr("Show all songs again"), self.show_all
        )
        self._catalogue_text = label(font=theme.font(weight=QFont.Weight.Medium))
        self._catalogue_bar = self._build_bar(
            theme,
            self._catalogue_text,
            self.tr("Back to your library"),
            open_library.close_catalogue,
        )
        self._lay_out()
        self._connect()
        self._show_sort()

    def _lay_out(self) -> None:
        self._stack = QStackedLayout()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self._empty)
        vbox(self._catalogue_bar, self._only_bar, self._stack, of=self)

    def _build_bar(
        self, theme: Theme, text: QWidget, leave: str, action: Callable[[], object]
    ) -> QWidget:
        bar = QWidget()
        back = IconButton(theme, "close", leave, size=16)
        back.clicked.connect(lambda: action())
        hbox((text, 1), back, spacing=6, margins=(14, 4, 8, 4), of=bar)
        bar.hide()
        return bar

    def _connect(self) -> None:
        open_library, model, view = self._open_library, self.model, self.view
        model.rows_needed.connect(open_library.fetch_rows)
        open_library.rows_arrived.connect(model.put)
        view.copy_requested.connect(self._copy)
        open_library.listed.connect(self._listed)
        open_library.overview_changed.connect(self._overview_changed)
        open_library.songs_changed.connect(self._songs_changed)
        view.horizontalHeader().customContextMenuRequested.connect(self._columns_menu)
        self._refresh_soon = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._refresh_soon.timeout.connect(self.refresh)

    def _show_sort(self) -> None:
        header = self.view.horizontalHeader()
        state = self._settings.get(TABLE_HEADER)
        if state:
            self.view.restore_columns(state)
        column = next((c for c, key in SORT_KEYS.items() if key == self._query.sort), Column.ARTIST)
        down = Qt.SortOrder.DescendingOrder
        order = down if self._query.is_descending else Qt.SortOrder.AscendingOrder
        header.setSortIndicator(column, order)
        self.view.setSortingEnabled(True)
        self.model.sort_requested.connect(self.set_sort)

    # What it shows

    def set_text(self, text: str) -> None:
        """Search as you type; the latest text wins."""
        self._query = ListQuery(text, self._query.sort, self._query.is_descending)
        self._list()

    def show_only(self, track_ids: Sequence[int], text: str) -> None:
        """These songs alone, under a heading that lets them all come back."""
        self._only, self._is_in_order = tuple(track_ids), False
        self._only_text.setText(
            self.tr("{origin}: {songs}").format(origin=text, songs=num_songs(len(self._only)))
        )
        self._only_bar.show()
        self._list()

    def show_list(self, track_ids: Sequence[int], nothing: str) -> None:
        """These songs alone, in this order until a column is clicked; ``nothing``: if none."""
        if self._only is None or not self._is_in_order:
            self.view.horizontalHeader().setSortIndicatorShown(False)
        self._only, self._is_in_order, self._nothing = tuple(track_ids), True, nothing
        self._only_bar.hide()
        self._list()

    def show_all(self) -> None:
        """No longer some songs alone."""
        self._only, self._is_in_order, self._nothing = None, False, ""
        self._only_bar.hide()
        self.view.horizontalHeader().setSortIndicatorShown(True)
        self._list()
        self.all_shown.emit()

    @property
    def is_in_order(self) -> bool:
        """Whether rows are just the songs that were given, in their order."""
        return self._is_in_order and not self._query.text.strip()

    def set_sort(self, key: str, is_descending: bool) -> None:
        self._is_in_order = False
        self.view.horizontalHeader().setSortIndicatorShown(True)
        self._query = ListQuery(self._query.text, key, is_descending)
        self._settings.set(SORT_COLUMN, key)
        self._settings.set(SORT_DESCENDING, is_descending)
        self._list()

    def refresh(self) -> None:
        """Rows in sight and the list itself, after something in the library has changed."""
        self._list()
        self.model.refresh(*self.view.visible_rows())
        self._open_library.refresh_overview()

    def refresh_soon(self) -> None:
        """The same, at most every one and a half seconds; for the time of indexing."""
        if not self._refresh_soon.isActive():
            self._refresh_soon.start()

    def tracks_after(self, track_id: int) -> list[Track]:
        """The songs below one, as far as they are known and there."""
        row = self.model.row_of(track_id)
        if row < 0:
            return []
        below = (self.model.track_at(r) for r in range(row + 1, row + 1 + MAX_QUEUED))
        return [track for track in below if track and track.status is not TrackStatus.MISSING]

    def _copy(self, track_ids: Sequence[int]) -> None:
        self._open_library.fetch_tracks(
            track_ids, lambda tracks: copy_files([track.path for track in tracks])
        )

    def select_soon(self, track_id: int) -> None:
        """A song that is selected, and in sight, as soon as there are songs."""
        self._selected_soon = track_id

    def save_state(self) -> None:
        self._settings.set(TABLE_HEADER, self.view.save_columns())

    def _list(self) -> None:
        self._open_library.list_tracks(self._query)

    def _listed(self, ids: list[int]) -> None:
        if self._only is not None:
            listed, only = set(ids), set(self._only)
            in_order = [one for one in self._only if one in listed]
            ids = in_order if self._is_in_order else [one for one in ids if one in only]
        current = self.view.current_track()
        place = self.view.verticalScrollBar().value()
        is_same_search = self._query.text == self._listed_text
        self._listed_text = self._query.text
        self.model.set_ids(ids)
        if current is not None:
            self.view.select_track(current.id)
        self.view.verticalScrollBar().setValue(place if is_same_search else 0)
        if self._selected_soon is not None and ids:
            self.view.select_track(self._selected_soon)
            self.view.scrollTo(self.view.currentIndex())
            self._selected_soon = None
        self._show_empty()
        self.num_shown_changed.emit(len(ids))

    _listed_text = ""

    def _show_empty(self) -> None:
        if self.model.ids:
            self._stack.setCurrentWidget(self.view)
            return
        if self._query.text.strip():
            text = self.tr("No song with “{words}” in its title, artist, album or folder.").format(
                words=self._query.text.strip()
            )
        elif self._nothing:
            text = self._nothing
        else:
            text = self.tr("No songs yet. They appear here as soon as they are found.")
        self._empty.setText(text)
        self._stack.setCurrentWidget(self._empty)

    def _overview_changed(self, overview: Overview) -> None:
        if overview.counts.tracks != self._num_tracks:
            self._num_tracks = overview.counts.tracks
            self._list()

    def _songs_changed(self) -> None:
        """Of a catalogue, as many as anybody scrolls through: words find the others."""
        catalogue, self._num_tracks = self._open_library.catalogue, -1
        self._catalogue_bar.setVisible(catalogue is not None)
        if catalogue is not None:
            text = self.tr("Catalogue {place}").format(place=one_line(catalogue.table.place)[-60:])
            self._catalogue_text.setText(text)
        self.show_all()

    def _columns_menu(self, at: QPoint) -> None:
        header = self.view.horizontalHeader()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column in (*HIDDEN_FIRST, Column.LENGTH):
            text = self.model.headerData(column, Qt.Orientation.Horizontal)
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(not header.isSectionHidden(column))
            action.toggled.connect(partial(self.view.show_column, column))
        menu.addSeparator()
        dots = menu.addMenu(self.tr("What the dots mean"))
        for state, text in self.model.state_texts.items():
            dots.addAction(dot_icon(state, self._theme, self.devicePixelRatioF()), text)
        menu.popup(header.mapToGlobal(at))
