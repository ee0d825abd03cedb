"""Above the table: which list of songs it shows. All of them, the favourites, or a playlist."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QWidget,
)

from app.desktop.drag_and_drop import accept_copy, dragged_tracks
from app.services.kept import Kept, Kind, SongList
from app.ui.dialogs import Mode, ask_text, open_file_dialog
from app.ui.layouts import hbox, vbox
from app.ui.menus import Entry, show_menu
from app.ui.text_format import num_songs
from app.ui.theme import Theme
from app.ui.widgets import IconButton, button

ICONS = {
    Kind.ALL: "overall",
    Kind.FAVOURITES: "heart",
    Kind.PLAYLIST: "playlist",
    Kind.SEARCH: "find",
}
TARGETS = (Kind.FAVOURITES, Kind.PLAYLIST)  # what songs are dropped on
MAX_ROWS = 6  # in sight; the others are scrolled to
ROW_PX = 32
ListRole = Qt.ItemDataRole.UserRole


class ListView(QListWidget):
    """The lists by name."""

    menu_requested = Signal(object, QPoint)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lists: list[SongList] = []
        self.setObjectName("sections")
        self.setAccessibleName(self.tr("Lists of songs"))
        self.setIconSize(QSize(18, 18))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._paint_icons)

    def show_lists(self, lists: Sequence[SongList]) -> None:
        self._lists = list(lists)
        self.clear()
        for one in lists:
            item = QListWidgetItem(one.name)
            item.setData(ListRole, one)
            told = self.tr("Saved search") if one.kind == Kind.SEARCH else num_songs(one.num_songs)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{one.name}, {told}")
            item.setToolTip(told)
            self.addItem(item)
        self._paint_icons()
        rows = min(self.count(), MAX_ROWS) * max(self.sizeHintForRow(0), 1)
        self.setFixedHeight(rows + 2 * self.frameWidth() + 4)

    def show_current(self, current: SongList) -> None:
        for row, one in enumerate(self._lists):
            if (one.kind, one.id) == (current.kind, current.id):
                self.setCurrentRow(row)

    def _paint_icons(self) -> None:
        for row in range(self.count()):
            item = self.item(row)
            item.setIcon(self._theme.icon(ICONS[item.data(ListRole).kind]))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        item = self.currentItem()
        if item is not None:
            self.menu_requested.emit(item.data(ListRole), event.globalPos())


class ListChooser(QWidget):
    """The list that is shown, and on a click, or while songs are dragged here, all the others."""

    chosen = Signal(object)  # SongList
    play_requested = Signal(object)
    find_requested = Signal(object)
    save_requested = Signal(object)
    search_requested = Signal(str)  # name of a saved search

    def __init__(self, theme: Theme, kept: Kept) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setAcceptDrops(True)
        self._theme = theme
        self._kept = kept
        self._num_all = self._num_lost = 0
        self.current = SongList(Kind.ALL, self.tr("All songs"), 0)
        self.opener = button("", "list")
        self.opener.setIconSize(QSize(14, 14))
        self.adder = IconButton(theme, "add", self.tr("New playlist"), size=16)
        self.view = ListView(theme)
        self._was_open = False  # before songs were dragged here
        bar = hbox((self.opener, 1), self.adder, margins=(8, 4, 8, 4))
        vbox(bar, self.view, of=self)
        self.view.hide()
        self._connect()
        self._show()

    def _connect(self) -> None:
        self.opener.clicked.connect(lambda: self.set_open(self.view.isHidden()))
        self.adder.clicked.connect(self._add_menu)
        self._theme.changed.connect(self._show)
        self._kept.changed.connect(self._show)
        self.view.itemClicked.connect(lambda item: self.choose(item.data(ListRole)))
        self.view.itemActivated.connect(lambda item: self.choose(item.data(ListRole)))
        self.view.itemDoubleClicked.connect(lambda item: self._play(item.data(ListRole)))
        self.view.menu_requested.connect(self._menu)

    def lists(self) -> list[SongList]:
        favourites = self.tr("Favourites")
        return [
            SongList(Kind.ALL, self.tr("All songs"), self._num_all),
            SongList(Kind.FAVOURITES, favourites, len(self._kept.favourites)),
            *self._kept.playlists,
            *self._kept.searches,
        ]

    def show_num_all(self, num: int) -> None:
        self._num_all = num
        self._show()

    def set_open(self, is_open: bool) -> None:
        self.view.setVisible(is_open)
        self._show_opener()

    def choose(self, one: SongList) -> None:
        """A search is asked again; the table stays as it is."""
        if one.kind == Kind.SEARCH:
            self.search_requested.emit(one.name)
            self._show_opener()
            return
        self.choose_quietly(one)
        self.chosen.emit(one)

    def choose_quietly(self, one: SongList) -> None:
        """It is shown already."""
        if (one.kind, one.id) != (self.current.kind, self.current.id):
            self._num_lost = 0
        self.current = one
        self._show_opener()

    def show_num_lost(self, num: int) -> None:
        """So many songs of the playlist on show are not in the library."""
        self._num_lost = num
        self._show_opener()

    def _show(self) -> None:
        lists = self.lists()
        known = {(one.kind, one.id): one for one in lists}
        now = known.get((self.current.kind, self.current.id))
        if now is None:  # the playlist was deleted
            self.choose(lists[0])
        elif now != self.current:
            self.current = now
        self.view.show_lists(lists)
        self._show_opener()

    def _show_opener(self) -> None:
        one, is_open = self.current, not self.view.isHidden()
        self.view.show_current(one)
        name = self.fontMetrics().elidedText(one.name, Qt.TextElideMode.ElideRight, 220)
        if self._num_lost:
            name += "   " + self.tr("{num} not in the library").format(num=self._num_lost)
        self.opener.setText(name.replace("&", "&&"))
        self.opener.setIcon(self._theme.icon("chevron-up" if is_open else "chevron"))
        self.opener.setAccessibleName(
            self.tr("List of songs: {name}, {songs}").format(
                name=one.name, songs=num_songs(one.num_songs)
            )
        )
        self.opener.setToolTip(self.tr("Favourites and playlists"))

    def _play(self, one: SongList) -> None:
        if one.kind != Kind.SEARCH:
            self.play_requested.emit(one)

    def _delete(self, one: SongList) -> None:
        if one.kind == Kind.PLAYLIST:
            self._kept.delete(one)
        elif one.kind == Kind.SEARCH:
            self._kept.delete_search(one.name)

    # Menus

    def _add_menu(self) -> None:
        at = self.adder.mapToGlobal(QPoint(0, self.adder.height() + 2))
        new = Entry(self.tr("New playlist…"), self.ask_new, "playlist")
        files = Entry(self.tr("Import playlists…"), self._ask_for_files, "folder")
        show_menu(self.window(), self._theme, at, [new, files])

    def ask_new(self, track_ids: Sequence[int] = (), name: str = "") -> None:
        """Asks for the name of a new playlist, which begins with these songs."""

        def use(text: str) -> None:
            self._kept.create(text, track_ids)
            self.set_open(True)

        parent = QApplication.activeModalWidget() or self.window()
        ask_text(parent, self.tr("New playlist"), self.tr("Its name"), name, use)

    def _ask_for_files(self) -> None:
        filters = (self.tr("Playlists (*.m3u8 *.m3u)"), self.tr("All files") + " (*)")
        dialog = open_file_dialog(
            self.window(), self.tr("Import playlists"), Mode.ExistingFiles, filters=filters
        )
        dialog.filesSelected.connect(
            lambda paths: self._kept.import_files([Path(path) for path in paths])
        )
        self.set_open(True)

    def _menu(self, one: SongList, at: QPoint) -> None:
        has_songs, delete = one.num_songs > 0, partial(self._delete, one)
        songs = [
            Entry(text, partial(signal.emit, one), icon, is_enabled=can)
            for text, signal, icon, can in (
                (self.tr("Play"), self.play_requested, "play", has_songs),
                (
                    *(self.tr("Find songs like these"), self.find_requested, "find"),
                    has_songs and one.kind != Kind.ALL,
                ),
                (self.tr("Save for other programs…"), self.save_requested, "share", has_songs),
            )
        ]
        own = [
            Entry(self.tr("Rename…"), partial(self._ask_name, one)),
            Entry(self.tr("Delete playlist"), delete, "close"),
        ]
        if one.kind == Kind.SEARCH:
            songs = [
                Entry(self.tr("Search again"), partial(self.choose, one), "find"),
                Entry(self.tr("Delete search"), delete, "close"),
            ]
        own = own if one.kind == Kind.PLAYLIST else []
        menu = show_menu(self.window(), self._theme, at, songs, own)
        menu.aboutToHide.connect(self._show_opener)  # a click for a menu chose nothing

    def _ask_name(self, one: SongList) -> None:
        ask_text(
            self.window(),
            self.tr("Rename “{name}”").format(name=one.name),
            self.tr("Its name"),
            one.name,
            lambda text: self._kept.rename(one, text),
        )

    # Songs that are dragged here

    def _target(self, event: QDropEvent) -> QListWidgetItem | None:
        """What the songs would be added to."""
        ground = self.view.viewport()
        place = ground.mapFrom(self, event.position().toPoint())
        item = self.view.itemAt(place) if ground.rect().contains(place) else None
        return item if item is not None and item.data(ListRole).kind in TARGETS else None

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Songs are coming: here are the lists."""
        if dragged_tracks(event.mimeData()):
            event.acceptProposedAction()
            self._was_open = not self.view.isHidden()
            self.set_open(True)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        accept_copy(event)
        if (item := self._target(event)) is not None:
            self.view.setCurrentItem(item)
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.set_open(self._was_open)

    def dropEvent(self, event: QDropEvent) -> None:
        if (item := self._target(event)) is not None:
            accept_copy(event)
            target, track_ids = item.data(ListRole), dragged_tracks(event.mimeData())
            if target.kind == Kind.PLAYLIST:
                self._kept.add(target, track_ids)
            elif new := [one for one in track_ids if one not in self._kept.favourites]:
                self._kept.toggle_favourites(new)
        self.set_open(self._was_open)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.view.isHidden():
            self.set_open(False)
            self.opener.setFocus()
        elif event.key() == Qt.Key.Key_Delete and self.view.hasFocus():
            if (item := self.view.currentItem()) is not None:
                self._delete(item.data(ListRole))
        else:
            super().keyPressEvent(event)
