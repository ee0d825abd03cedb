"""The main window: puts the pages together, and carries what is asked in one to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from app.actions import Actions
from app.desktop.drag_and_drop import accept_copy, dropped_files
from app.evaluate.page import EvaluatePage
from app.find.commands import Commands
from app.find.page import FindPage
from app.find.queueing import Queueing
from app.library.covers import Covers
from app.library.indexing_strip import IndexingStrip
from app.library.start_page import StartPage
from app.map.page import MapPage
from app.player.bar import PlayerBar
from app.player.player import Side
from app.services.open_library import Overview
from app.services.services import Services
from app.services.session import Session
from app.services.watched_folders import WatchedFolders
from app.settings import (
    EQUALLY_LOUD,
    OUTPUT_DEVICE,
    VOLUME,
    WATCH_FOLDERS,
    WINDOW_GEOMETRY,
)
from app.ui.layouts import vbox
from app.ui.message_page import MessagePage
from app.ui.notice import Notice
from app.ui.top_bar import Page, TopBar
from app.ui.widgets import button
from engine.library import Track
from engine.library.scan.covers import cover_bytes
from engine.paths import data_path

MIN_SIZE = QSize(860, 476)  # a screen of 1366 x 768 at 150 %, but for the desktop's own bars
MAIN = 2  # of the pages: the one with songs; before it nothing yet, and the first start


class MainWindow(QMainWindow):
    def __init__(self, services: Services, paths: list[Path] | None = None) -> None:
        """``paths``: of folders to add, or files to hear, as soon as the library is open."""
        super().__init__()
        self.services = services
        self._paths = paths or []
        self._has_looked = False  # for new songs, at the start
        self.has_stopped = True  # False once closing had to leave work behind
        for part in (services.open_library, services.player, services.indexing, services.search):
            part.setParent(self)
        self.covers = Covers(services.theme, services.open_library.runner, cover_bytes, self)
        self.setWindowTitle("Singalike")
        self.setMinimumSize(MIN_SIZE)
        self.setAcceptDrops(True)
        self.watch = WatchedFolders(services.open_library.runner, self)
        self.watch.set_on(services.settings.get(WATCH_FOLDERS))
        self.commands = Commands(self, services)
        self._build()
        self._session = self._keep_session()
        self._connect_session()
        self._connect_bar()
        self._actions = Actions(self)
        self._restore()
        services.open_library.open()

    # Building

    def _build(self) -> None:
        theme, whole = self.services.theme, QWidget()
        # Tab goes round in the order in which widgets came into the window: with the player first,
        # what pages make later comes before it, and not after.
        self.player_bar = PlayerBar(self.services.player, theme)
        self.player_bar.setParent(whole)
        self.pages = QStackedWidget(whole)
        self.notice = Notice(theme, self.pages)
        self.start_page = StartPage(theme)
        retry = button(self.tr("Try again"), "primary")
        retry.clicked.connect(self.services.open_library.open)
        self.problem_page = MessagePage(theme, "warning", "warning", retry)
        self.find_page = FindPage(self.services, self.covers, self.commands)
        self.library = self.find_page.library
        self.results = self.find_page.results
        self.comparison = self.find_page.comparison
        self.indexing_strip = IndexingStrip(self.services.indexing, theme)
        blank = QWidget()
        blank.setObjectName("page")
        for page in (blank, self.start_page, self._build_main(), self.problem_page):
            self.pages.addWidget(page)
        vbox(self.pages, self.indexing_strip, self.player_bar, of=whole)
        self.setCentralWidget(whole)
        self.pages.currentChanged.connect(self._show_playing)
        self._show_playing()

    def _build_main(self) -> QWidget:
        """The pages of the switch, below the bar at the top."""
        self.map_page = MapPage(self.services, self.covers)
        self.sections: dict[Page, QWidget] = {
            Page.LIBRARY: self.find_page,
            Page.MAP: self.map_page,
            Page.EVALUATE: EvaluatePage(self.services),
        }
        self.top_bar = TopBar(self.services.theme, tuple(self.sections))
        self.section_stack = QStackedWidget()
        for page in self.sections.values():
            self.section_stack.addWidget(page)
        whole = QWidget()
        self.queueing = Queueing(
            self.services, self.commands, self.covers, self.find_page, self._selected_ids
        )
        area = self.queueing.area_around(self.section_stack, self.player_bar)
        vbox(self.top_bar, (area, 1), of=whole)
        return whole

    # Connecting

    def _connect_session(self) -> None:
        open_library = self.services.open_library
        open_library.opened.connect(self._library_opened)
        open_library.open_failed.connect(self._library_failed)
        open_library.overview_changed.connect(self._show_overview)
        open_library.overview_changed.connect(self.indexing_strip.show_overview)
        self.indexing_strip.failed_requested.connect(self.commands.show_failed)
        open_library.folders_added.connect(self.services.indexing.start)
        open_library.songs_changed.connect(self._songs_changed)
        self.watch.changed.connect(self.services.indexing.look)
        open_library.problem.connect(self.notice.show_text)
        self.services.player.problem.connect(self._show_player_problem)
        self.services.player.solved.connect(self.notice.withdraw)
        for signal in (self.services.player.state_changed, self.services.player.loaded):
            signal.connect(self._show_playing)
        self.start_page.folder_requested.connect(self.commands.add_folder)
        self.start_page.demo_requested.connect(self._make_demo)

    def _connect_bar(self) -> None:
        bar, search = self.top_bar, self.services.search
        self.library.num_shown_changed.connect(bar.show_count)
        self.library.scope_changed.connect(bar.show_scope)
        bar.search.textChanged.connect(self.library.set_text)
        bar.pages.chosen.connect(self.show_page)
        self.services.kept.told.connect(lambda text, undo: self.notice.show_text(text, undo=undo))
        self.player_bar.favourite_requested.connect(
            lambda track_id: self.services.kept.toggle_favourites([track_id])
        )
        self.find_page.keeping.favourites_changed.connect(self.player_bar.set_favourites)
        self.comparison.vocals.progressed.connect(self.player_bar.show_separating)
        self.comparison.vocals.problem.connect(self.notice.show_text)
        self._connect_map()
        search.history_changed.connect(self._question_changed)
        self._show_history()

    def _connect_map(self) -> None:
        page = self.map_page
        page.find_requested.connect(self._find_on_map)
        page.play_requested.connect(self.commands.play_all)
        page.playlist_requested.connect(
            lambda ids: self.find_page.keeping.show_playlists_by_artist(
                ids, self.tr("Songs from the map")
            )
        )
        page.list_requested.connect(self._list_only)
        self.services.open_library.listed.connect(self._show_matches)

    def _restore(self) -> None:
        settings = self.services.settings
        frame = QSize(8, 40)  # which the desktop draws around
        self.resize(QSize(1200, 780).boundedTo(self.screen().availableSize() - frame))
        self.restoreGeometry(settings.layout(WINDOW_GEOMETRY))
        self.services.player.set_volume(settings.get(VOLUME))
        self.services.player.set_levelled(settings.get(EQUALLY_LOUD))
        self.services.player.device.choose(settings.get(OUTPUT_DEVICE))
        if settings.notice:
            self.notice.show_text(settings.notice)

    def _keep_session(self) -> Session:
        """What goes on after a restart."""
        open_library = self.services.open_library
        path = self.services.settings.path.with_name("session.json")
        session = Session(path, open_library.library_path)
        session.keep("queue", self.queueing.state, self.queueing.restore)
        session.keep(
            "page", lambda: {"page": str(self.page), **self.find_page.state()}, self._restore_page
        )
        return session

    def _restore_page(self, state: dict[str, Any]) -> None:
        page = Page(state["page"])

        def then() -> None:
            self.services.player.pick(None)  # what was in the queue goes on
            self.show_page(page)

        self.find_page.restore(state, then)

    # The library

    def _library_opened(self) -> None:
        open_library = self.services.open_library
        open_library.refresh_overview()
        self.library.set_text(self.top_bar.search.text())
        self.commands.open_paths(self._paths)
        if not self._paths:
            self._session.restore()

    def _library_failed(self, reason: str) -> None:
        self.problem_page.show_text(self.tr("The library cannot be opened"), reason)
        self.pages.setCurrentWidget(self.problem_page)

    def _show_overview(self, overview: Overview) -> None:
        question = self.services.search.question
        if overview.folders or (question is not None and not question.is_known):
            self.start_page.show_idle()
            if self.pages.currentIndex() != MAIN:
                self.pages.setCurrentIndex(MAIN)
                self.find_page.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.pages.setCurrentWidget(self.start_page)
        if self.services.open_library.catalogue is not None:
            return
        self.watch.show_overview(overview)
        is_first, self._has_looked = not self._has_looked, True
        if is_first and overview.folders:
            self.services.indexing.look()

    def _songs_changed(self) -> None:
        """A catalogue is shown, or the library again; map and evaluation are the library's."""
        is_library = self.services.open_library.catalogue is None
        for page in (Page.MAP, Page.EVALUATE):
            self.top_bar.pages.segment(page).setEnabled(is_library)
        self.results.show_welcome()
        self.services.search.start_over()

    def _make_demo(self) -> None:
        path = self.services.demo_path or data_path() / "demo"
        job = self.services.open_library.make_demo(path, self.start_page.show_progress)
        job.failed.connect(lambda _: self.start_page.show_idle())
        job.cancelled.connect(self.start_page.show_idle)
        self.start_page.stop_requested.connect(job.cancel)

    # Pages

    @property
    def page(self) -> Page:
        """The page of the switch that is shown."""
        shown = self.section_stack.currentWidget()
        return next(page for page, widget in self.sections.items() if widget is shown)

    def show_page(self, page: Page) -> None:
        if page in self.sections and self.top_bar.pages.segment(page).isEnabled():
            if page != self.page:
                shown = self.sections[page]
                self.section_stack.setCurrentWidget(shown)
                (shown.focusWidget() or shown).setFocus(Qt.FocusReason.OtherFocusReason)
            self.top_bar.show_page(page)

    def _find_on_map(self, track: Track) -> None:
        self.services.search.find_track(track)
        self.show_page(Page.LIBRARY)

    def _list_only(self, track_ids: list[int]) -> None:
        self.top_bar.search.clear()
        self.library.show_only(track_ids, self.tr("From the map"))
        self.show_page(Page.LIBRARY)

    def _show_matches(self, track_ids: list[int]) -> None:
        is_searched = bool(self.top_bar.search.text().strip())
        self.map_page.show_matches(track_ids if is_searched else None)

    def show_preferences(self) -> None:
        from app.preferences.dialog import PreferencesDialog  # not needed for the first window

        dialog = PreferencesDialog(self, self.services)
        dialog.folders_requested.connect(self.commands.show_folders)
        dialog.folders.watch_changed.connect(self.watch.set_on)
        dialog.log.reveal_requested.connect(self.commands.reveal_path)
        dialog.open()

    def _show_player_problem(self, text: str) -> None:
        """Not where the pointer has only passed over the map."""
        if not self.map_page.preview.is_on:
            self.notice.show_text(text)

    def _show_playing(self) -> None:
        """As window lists and task bars show it; the bar is there wherever it can be stopped."""
        player = self.services.player
        is_loaded = any(player.sound(side) for side in Side)
        self.player_bar.setVisible(is_loaded or self.pages.currentIndex() == MAIN)
        sound = player.playing
        names = (sound.title[:80], sound.artist[:80]) if sound is not None else ()
        self.setWindowTitle(" · ".join(filter(None, (*names, "Singalike"))))

    # Finding

    def _question_changed(self) -> None:
        self.pages.setCurrentIndex(MAIN)
        self.show_page(Page.LIBRARY)
        self._show_history()

    def _show_history(self) -> None:
        self.top_bar.back.setEnabled(self.services.search.can_go_back)
        self.top_bar.forward.setEnabled(self.services.search.can_go_forward)

    def _selected_ids(self) -> list[int]:
        """Of the songs selected on the page that is looked at."""
        if self.page == Page.MAP:
            return self.map_page.selected_ids
        return self.find_page.selected_ids() if self.page == Page.LIBRARY else []

    def come_forward(self, paths: list[Path]) -> None:
        """The program was started once more."""
        if self.isMinimized():
            self.showNormal()
        self.raise_()
        self.activateWindow()
        self.commands.open_paths(paths)

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self._actions.left_over(event)
        if event.key() == Qt.Key.Key_Escape:
            self.notice.hide()
        elif action is None or self.player_bar.isHidden() or self.services.player.is_plain:
            super().keyPressEvent(event)
        else:
            action()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.source() is None and dropped_files(event.mimeData()):
            accept_copy(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        accept_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:
        accept_copy(event)
        self.commands.open_paths(dropped_files(event.mimeData()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.watch.focused()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.hide()  # stopping may take a moment that nobody should have to watch
        self.stop()
        event.accept()

    def stop(self) -> None:
        """Ends all work, and keeps what goes on after a restart. Draws nothing."""
        self.save()
        self.find_page.stop()
        self.services.player.close()
        self.has_stopped = self.services.open_library.close()

    def save(self) -> None:
        """What goes on after a restart."""
        settings = self.services.settings
        settings.set_layout(WINDOW_GEOMETRY, self.saveGeometry())
        settings.set(VOLUME, self.services.player.volume)
        settings.set(OUTPUT_DEVICE, self.services.player.device.name)
        self.find_page.save_state()
        self.queueing.save_state()
        if self.services.open_library.is_open:  # else the session before has not come back yet
            self._session.save()
        settings.save()
