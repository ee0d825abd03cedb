"""The left side: the table of tracks and what keeps it up to date."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QGuiApplication, QIcon
from PySide6.QtWidgets import QStackedLayout, QWidget

from app.desktop.drag_and_drop import copy_files
from app.library.covers import Covers
from app.library.groups import GroupView
from app.library.table_model import DOTS, LOOKS, Column, TrackModel, state_of
from app.library.table_view import COVER_PX, TrackView
from app.services.open_library import ListQuery, Overview
from app.services.services import Services
from app.settings import LIBRARY_WAY, SORT_COLUMN, SORT_DESCENDING, TABLE_HEADER
from app.ui.layouts import hbox, vbox
from app.ui.menus import Entry, show_menu
from app.ui.segmented_switch import Segment, SegmentedSwitch
from app.ui.shortcuts import Keys
from app.ui.text_format import num_songs, one_line
from app.ui.widgets import ElidedLabel, IconButton, button, label
from engine.library import Track, TrackStatus
from engine.library.groups import Group, GroupKind

MAX_QUEUED = 50  # a table is no playlist: what follows is what was in sight
DOT_PX = 14
REFRESH_MS = 1500  # while indexing
SONGS = "songs"


class LibraryPanel(QWidget):
    num_shown_changed = Signal(int)
    all_shown = Signal()
    scope_changed = Signal(str)  # what the words are searched in; "": the whole library

    def __init__(self, services: Services, covers: Covers) -> None:
        super().__init__()
        self.setObjectName("side")
        self._open_library, self._settings = services.open_library, services.settings
        self._theme, self._covers = services.theme, covers
        settings, theme = services.settings, services.theme
        self._query = ListQuery(
            sort=settings.get(SORT_COLUMN), is_descending=settings.get(SORT_DESCENDING)
        )
        self._num_tracks = -1
        self._selected_soon: int | None = None
        self.model = TrackModel(self._icon, self)
        self.view = TrackView(self.model, theme)
        self.groups_view = GroupView(theme, covers.pixmap)
        self.ways = self._build_ways()
        self._empty = label(role="muted", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMargin(32)
        self._only: tuple[int, ...] | None = None
        self._origin = ""  # of the songs that are shown alone
        self._is_named = False  # by the chooser above the table
        self._is_in_order = False  # of the songs given, not of a column
        self._nothing = ""
        self._bar_text = ElidedLabel(font=theme.font(weight=QFont.Weight.Medium))
        self._widen = button(self.tr("Search all songs"), "plain")
        self._widen.clicked.connect(self.show_all)
        self._leave = IconButton(theme, "close", self.tr("Back to the whole library"), size=16)
        self._leave.clicked.connect(self._go_back)
        self.bar = QWidget()
        items = ((self._bar_text, 1), self._widen, self._leave)
        hbox(*items, spacing=6, margins=(14, 4, 8, 4), of=self.bar)
        self.bar.hide()
        self._lay_out()
        self._connect()
        self._show_sort()

    def _icon(self, track: Track, column: Column) -> QIcon:
        """Its cover, or the dot of its state."""
        if column == Column.STATE:
            return self._theme.icon(*DOTS[state_of(track)], DOT_PX)
        pixmap = self._covers.of_track(track, COVER_PX, self.devicePixelRatioF())
        icon = QIcon(pixmap)
        icon.addPixmap(pixmap, QIcon.Mode.Selected)  # or Qt tints it, too
        return icon

    def _lay_out(self) -> None:
        self._stack = QStackedLayout()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.groups_view)
        self._stack.addWidget(self._empty)
        self._ways_bar = QWidget()
        hbox(self.ways, None, margins=(10, 8, 10, 6), of=self._ways_bar)
        vbox(self._ways_bar, self.bar, self._stack, of=self)

    def _build_ways(self) -> SegmentedSwitch:
        names = {
            SONGS: self.tr("Songs"),
            "artists": self.tr("Artists"),
            "albums": self.tr("Albums"),
        }
        keys = Keys.WAYS.value
        tip = f"{keys.description}  ({keys.label})"
        segments = (Segment(key, name, tip) for key, name in names.items())
        ways = SegmentedSwitch(self.tr("What the library is shown as"), segments)
        if self._settings.get(LIBRARY_WAY) in names:
            ways.show_key(self._settings.get(LIBRARY_WAY))
        return ways

    def _go_back(self) -> None:
        if self._open_library.catalogue is not None:
            self._open_library.close_catalogue()
        else:
            self.show_all()

    def _connect(self) -> None:
        open_library, model, view = self._open_library, self.model, self.view
        model.rows_needed.connect(lambda ids: open_library.fetch_tracks(ids, model.put))
        view.copy_requested.connect(self._copy)
        self.ways.chosen.connect(self._choose_way)
        self.groups_view.songs_requested.connect(self.show_group)
        open_library.listed.connect(self._listed)
        open_library.overview_changed.connect(self._overview_changed)
        open_library.songs_changed.connect(self._songs_changed)
        view.horizontalHeader().customContextMenuRequested.connect(self._columns_menu)
        self._refresh_soon = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._refresh_soon.timeout.connect(self.refresh)
        self._double_click = QTimer(self, singleShot=True)
        self._double_click.setInterval(QGuiApplication.styleHints().mouseDoubleClickInterval())
        self._double_click.timeout.connect(lambda: self._let_clicks_through(False))

    def _show_sort(self) -> None:
        header = self.view.horizontalHeader()
        self.view.restore_columns(self._settings.layout(TABLE_HEADER))
        columns = (c for c, look in LOOKS.items() if look.sort_key == self._query.sort)
        column = next(columns, Column.ARTIST)
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

    def next_way(self) -> None:
        """From songs to artists, to albums, and round."""
        keys = (SONGS, "artists", "albums")
        self.ways.show_key(keys[(keys.index(self.ways.key) + 1) % len(keys)])
        self._choose_way(self.ways.key)

    def _choose_way(self, key: str) -> None:
        self._settings.set(LIBRARY_WAY, key)
        self.show_all()

    @property
    def _kind(self) -> GroupKind | None:
        """Which groups are shown; None where songs are."""
        if self._only is not None or self._open_library.catalogue is not None:
            return None
        kinds: dict[str, GroupKind] = {"artists": "artists", "albums": "albums"}
        return kinds.get(self.ways.key)

    @property
    def focus_view(self) -> TrackView | GroupView:
        """Where the keyboard goes."""
        return self.view if self._kind is None else self.groups_view

    def show_group(self, group: Group) -> None:
        """The songs of an artist, or of an album; the heading leads back."""
        self._let_clicks_through(True)  # the second one of a double click is for no song
        self._double_click.start()
        self._show(group.track_ids, one_line(group.name), in_order=True)

    def _let_clicks_through(self, is_on: bool) -> None:
        self.view.viewport().setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, is_on)

    def show_only(self, track_ids: Sequence[int], heading: str) -> None:
        """These songs alone, under a heading that lets them all come back."""
        self.ways.show_key(SONGS)
        self._show(track_ids, heading)

    def show_list(self, track_ids: Sequence[int], name: str, nothing: str) -> None:
        """These songs alone, in this order until a column is clicked; ``nothing``: if none."""
        self.ways.show_key(SONGS)
        self._show(track_ids, name, nothing=nothing, in_order=True, is_named=True)

    def show_all(self) -> None:
        """No longer some songs alone."""
        self._show(None)
        self.all_shown.emit()

    def _show(
        self,
        track_ids: Sequence[int] | None,
        origin: str = "",
        *,
        nothing: str = "",
        in_order: bool = False,
        is_named: bool = False,
    ) -> None:
        self._only = None if track_ids is None else tuple(track_ids)
        self._origin, self._is_named = origin, is_named
        self._is_in_order, self._nothing = in_order, nothing
        self.view.horizontalHeader().setSortIndicatorShown(not in_order)
        catalogue, leave = self._open_library.catalogue, self.tr("Back to the whole library")
        if catalogue is not None:
            self._origin = one_line(catalogue.table.place)[-60:]
            leave = self.tr("Back to your library")
        self._leave.set_name(leave)
        self.scope_changed.emit(self._origin)
        self._show_bar()
        self._list()

    def _show_bar(self) -> None:
        """Which songs are shown alone; and how many of them the words are found in."""
        is_search = bool(self._query.text.strip()) and self._only is not None
        num = len(self.model.ids if is_search else self._only or ())
        text = self.tr("{songs} in “{name}”") if is_search else self.tr("{name}: {songs}")
        if self._open_library.catalogue is not None:
            text = self.tr("Catalogue {name}")
        self._bar_text.setText(text.format(name=self._origin, songs=num_songs(num)))
        self._widen.setVisible(is_search)
        self._leave.setVisible(not is_search)
        self.bar.setVisible(bool(self._origin) and (is_search or not self._is_named))

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
        self._settings.set_layout(TABLE_HEADER, self.view.save_columns())

    def _list(self) -> None:
        self._open_library.list_tracks(self._query)
        if (kind := self._kind) is not None:
            text = self._query.text
            self._open_library.list_groups(kind, text, partial(self._show_groups, kind))
        self._show_view()

    def _show_groups(self, kind: GroupKind, groups: list[Group]) -> None:
        self.groups_view.show_groups(kind, groups)
        self._show_view()

    def _listed(self, ids: list[int]) -> None:
        if self._only is not None:
            listed, only = set(ids), set(self._only)
            in_order = [one for one in self._only if one in listed]
            ids = in_order if self._is_in_order else [one for one in ids if one in only]
        current = self.view.current_id()
        place = self.view.verticalScrollBar().value()
        is_same_search = self._query.text == self._listed_text
        self._listed_text = self._query.text
        self.model.set_ids(ids)
        if current is not None:
            self.view.select_track(current)
        self.view.verticalScrollBar().setValue(place if is_same_search else 0)
        if self._selected_soon is not None and ids:
            self.view.select_track(self._selected_soon)
            self.view.scrollTo(self.view.currentIndex())
            self._selected_soon = None
        self._show_bar()
        self._show_view()
        self.num_shown_changed.emit(len(ids))

    _listed_text = ""

    def _show_view(self) -> None:
        """Songs or groups, which take over the focus, or why there are none."""
        groups = self.groups_view.groups
        if self._kind not in (None, groups.kind):
            return  # they are on their way
        is_empty = not (self.model.ids if self._kind is None else groups.items)
        if is_empty:
            self._empty.setText(self._why_empty())
        had_focus = self.view.hasFocus() or self.groups_view.hasFocus()
        self._stack.setCurrentWidget(self._empty if is_empty else self.focus_view)
        if had_focus:
            self.focus_view.setFocus()

    def _why_empty(self) -> str:
        words = self._query.text.strip()
        if not words and self._kind is not None and self.model.ids:
            return self.tr("The tags of these songs name none.")
        if not words:
            return self._nothing or self.tr(
                "No songs yet. They appear here as soon as they are found."
            )
        text = {
            None: self.tr("No song with “{words}” in its title, artist, album or folder."),
            "artists": self.tr("No artist with “{words}” in the name."),
            "albums": self.tr("No album with “{words}” in its name or its artist's."),
        }[self._kind]
        return text.format(words=words)

    def _overview_changed(self, overview: Overview) -> None:
        if overview.counts.tracks != self._num_tracks:
            self._num_tracks = overview.counts.tracks
            self._list()

    def _songs_changed(self) -> None:
        """Of a catalogue, as many as anybody scrolls through: words find the others."""
        self._num_tracks = -1
        self._ways_bar.setVisible(self._open_library.catalogue is None)
        self.show_all()

    def _columns_menu(self, at: QPoint) -> None:
        header = self.view.horizontalHeader()
        shown = [
            Entry(
                self.model.headerData(column, Qt.Orientation.Horizontal),
                partial(self.view.show_column, column, not self.view.is_wanted(column)),
                is_checked=self.view.is_wanted(column),
            )
            for column, look in LOOKS.items()
            if look.is_hidden or column == Column.LENGTH
        ]
        menu = show_menu(self, self._theme, header.mapToGlobal(at), shown)
        menu.addSeparator()
        dots = menu.addMenu(self.tr("What the dots mean"))
        for state, text in self.model.state_texts.items():
            dots.addAction(self._theme.icon(*DOTS[state], DOT_PX), text)
