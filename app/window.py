"""The main window: puts the parts together, and carries what is asked in one to another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QIcon,
    QKeyEvent,
    QPixmap,
    QShortcut,
)
from PySide6.QtWidgets import QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.actions import Actions
from app.comparison import Comparison, cover_seed
from app.covers import Covers
from app.dialogs import ProblemPage
from app.index_strip import IndexStrip
from app.library_panel import LibraryPanel
from app.media import Waveforms
from app.notice import NoticeBar
from app.parts import Parts
from app.player import Side
from app.player_bar import PlayerBar
from app.result_delegate import ResultDelegate
from app.results_panel import ResultList, ResultsPanel
from app.session import Overview
from app.settings import (
    HIDE_DUPLICATES,
    OTHER_ARTISTS,
    SPLITTER,
    THEME,
    VOLUME,
    WINDOW_GEOMETRY,
)
from app.shortcuts import Keys, plain_key
from app.song_row import SongRow
from app.start_page import StartPage
from app.top_bar import TopBar
from app.track_model import TrackModel
from app.track_view import COVER_PX
from engine.library import Track
from engine.library.covers import cover_bytes
from engine.paths import data_path

SKIP_S = 5.0
VOLUME_STEP = 0.05


class MainWindow(QMainWindow):
    def __init__(self, parts: Parts, folders: list[Path] | None = None) -> None:
        super().__init__()
        self.parts = parts
        self._folders_to_add = folders or []
        self._overview: Overview | None = None
        self.has_stopped = True  # False once closing had to leave work behind
        for part in (parts.session, parts.player, parts.indexing, parts.finder):
            part.setParent(self)
        self.covers = Covers(parts.theme, parts.session.runner, cover_bytes, self)
        self.setWindowTitle("Singalike")
        self.setMinimumSize(QSize(860, 560))
        self.setAcceptDrops(True)
        self.commands = Actions(self, parts.session, parts.settings, parts.theme)
        self._build()
        self._connect_session()
        self._connect_finding()
        self._connect_playing()
        self._bind_shortcuts()
        self._restore()
        parts.session.open()

    # Building

    def _build(self) -> None:
        theme, player = self.parts.theme, self.parts.player
        self.notice = NoticeBar(theme)
        self.start_page = StartPage(theme)
        self.problem_page = ProblemPage(theme)
        self.top_bar = TopBar(theme)
        self.library = LibraryPanel(
            self.parts.session, self.parts.settings, theme, TrackModel(self._table_cover, self)
        )
        self.index_strip = IndexStrip(self.parts.indexing, theme)
        self.results = self._build_results()
        self.player_bar = PlayerBar(player, theme)
        self.comparison = Comparison(
            self.results,
            self.parts.finder,
            player,
            Waveforms(self.parts.session.runner, self),
            self,
        )
        self.pages = QStackedWidget()
        blank = QWidget()
        blank.setObjectName("page")
        for page in (blank, self.start_page, self._build_main(), self.problem_page):
            self.pages.addWidget(page)
        self.setCentralWidget(_column(self.notice, self.pages))

    def _build_results(self) -> ResultsPanel:
        theme, player = self.parts.theme, self.parts.player
        draw = self.covers.pixmap
        query = (self.tr("The song asked for"), "")
        result = (self.tr("The result"), self.tr("Choose a result below"))
        return ResultsPanel(
            theme,
            SongRow(theme, player, draw, Side.QUERY, query),
            SongRow(theme, player, draw, Side.RESULT, result),
            ResultList(
                theme,
                ResultDelegate(theme, "accent", self._cover),
                self.tr("By voice"),
                self.tr("who sings alike"),
                ("voice", "accent"),
            ),
            ResultList(
                theme,
                ResultDelegate(theme, "overall", self._cover),
                self.tr("Overall"),
                self.tr("the whole sound"),
                ("overall", "overall"),
            ),
        )

    def _build_main(self) -> QWidget:
        side = _column(self.library, self.index_strip)
        side.setObjectName("side")
        side.setMinimumWidth(300)
        self.results.setMinimumWidth(500)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(side)
        self.splitter.addWidget(self.results)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 3)
        self.splitter.setSizes([430, 640])
        return _column(self.top_bar, self.splitter, self.player_bar)

    def _cover(self, track: Track, size: int, ratio: float) -> QPixmap:
        return self.covers.pixmap(track.path, cover_seed(track), size, ratio)

    def _table_cover(self, track: Track) -> QIcon:
        pixmap = self._cover(track, COVER_PX, self.devicePixelRatioF())
        icon = QIcon(pixmap)
        icon.addPixmap(pixmap, QIcon.Mode.Selected)  # or Qt tints covers of selected rows
        return icon

    # Connecting

    def _connect_session(self) -> None:
        session, indexing, strip = self.parts.session, self.parts.indexing, self.index_strip
        session.opened.connect(self._library_opened)
        session.open_failed.connect(self._library_failed)
        session.overview_changed.connect(self._show_overview)
        session.overview_changed.connect(strip.show_overview)
        session.folders_added.connect(self._rescan)
        indexing.progressed.connect(lambda _: self.library.refresh_soon())
        indexing.ended.connect(self._index_ended)
        for source in (session, indexing, self.parts.player, self.commands):
            source.problem.connect(self.notice.show_text)
        strip.failed_requested.connect(self.commands.show_failed)
        self.problem_page.retry_requested.connect(session.open)
        self.start_page.folder_requested.connect(self.commands.add_folder)
        self.start_page.demo_requested.connect(self._make_demo)
        self.covers.arrived.connect(self._covers_arrived)

    def _connect_finding(self) -> None:
        finder, bar, settings = self.parts.finder, self.top_bar, self.parts.settings
        panel = self.results
        panel.other_artists.setChecked(settings.get(OTHER_ARTISTS))
        panel.hide_duplicates.setChecked(settings.get(HIDE_DUPLICATES))
        panel.filters_changed.connect(self._set_filters)
        self._set_filters()
        for source in (self.library, self.commands):
            source.find_requested.connect(finder.find_track)
        self.library.num_shown_changed.connect(bar.show_count)
        self.library.menu_requested.connect(self.commands.show_track_menu)
        self.comparison.menu_requested.connect(self.commands.show_track_menu)
        bar.search.textChanged.connect(self.library.set_text)
        bar.search.left_downwards.connect(self._enter_table)
        bar.back.clicked.connect(lambda: finder.go(-1))
        bar.forward.clicked.connect(lambda: finder.go(1))
        finder.history_changed.connect(self._show_history)
        self._show_history()

    def _connect_playing(self) -> None:
        bar, theme = self.top_bar, self.parts.theme
        for source in (self.library, self.commands):
            source.play_requested.connect(self.comparison.play_track)
        bar.add_folder.clicked.connect(self.commands.add_folder)
        bar.folders.clicked.connect(self.commands.show_folders)
        bar.rescan.clicked.connect(self._rescan)
        bar.help.clicked.connect(self.commands.show_help)
        for choice, action in bar.theme_actions.items():
            action.triggered.connect(lambda _=False, choice=choice: theme.choose(choice))

    def _bind_shortcuts(self) -> None:
        """All but the plain keys, which come to ``keyPressEvent`` when nobody else wants them."""
        player, finder = self.parts.player, self.parts.finder
        actions: dict[Keys, Callable[[], object]] = {
            Keys.SEARCH: self._focus_search,
            Keys.BACK: lambda: finder.go(-1),
            Keys.FORWARD: lambda: finder.go(1),
            Keys.TO_TABLE: self._enter_table,
            Keys.TO_VOICES: lambda: _enter(self.results.voices),
            Keys.TO_OVERALL: lambda: _enter(self.results.overall),
            Keys.LOUDER: lambda: player.set_volume(player.volume + VOLUME_STEP),
            Keys.SOFTER: lambda: player.set_volume(player.volume - VOLUME_STEP),
            Keys.REVEAL: self._reveal_selected,
            Keys.ADD_FOLDER: self.commands.add_folder,
            Keys.FOLDERS: self.commands.show_folders,
            Keys.RESCAN: self._rescan,
            Keys.HELP: self.commands.show_help,
            Keys.QUIT: self.close,
        }
        for keys, action in actions.items():
            QShortcut(keys.value.keys, self).activated.connect(lambda action=action: action())

    def _restore(self) -> None:
        settings = self.parts.settings
        self.resize(1200, 780)
        if geometry := settings.get(WINDOW_GEOMETRY):
            self.restoreGeometry(geometry)
        if state := settings.get(SPLITTER):
            self.splitter.restoreState(state)
            self.splitter.setHandleWidth(1)
        self.parts.player.set_volume(settings.get(VOLUME))
        if settings.notice:
            self.notice.show_text(settings.notice)

    # The library

    def _library_opened(self) -> None:
        session = self.parts.session
        session.refresh_overview()
        self.library.set_text(self.top_bar.search.text())
        if self._folders_to_add:
            session.add_folders(self._folders_to_add)

    def _library_failed(self, reason: str) -> None:
        self.problem_page.show_reason(reason)
        self.pages.setCurrentWidget(self.problem_page)

    def _show_overview(self, overview: Overview) -> None:
        is_first = self._overview is None
        self._overview = overview
        if overview.folders:
            self.start_page.show_idle()
            self.pages.setCurrentIndex(2)
        else:
            self.pages.setCurrentWidget(self.start_page)
        if is_first and overview.folders and not self._folders_to_add:
            self.parts.indexing.look(self.parts.session.library)

    def _make_demo(self) -> None:
        path = self.parts.demo_path or data_path() / "demo"
        job = self.parts.session.make_demo(path, self.start_page.show_progress)
        job.failed.connect(lambda _: self.start_page.show_idle())

    def _rescan(self) -> None:
        if self.parts.session.is_open:
            self.parts.indexing.start(self.parts.session.library)

    def _index_ended(self, summary: object) -> None:
        self.library.refresh()
        if self.parts.finder.question is not None:
            self.parts.finder.ask_again()

    def _covers_arrived(self) -> None:
        for view in (self.library.view, self.results.voices.view, self.results.overall.view):
            view.viewport().update()
        for row in (self.results.query_row, self.results.result_row):
            row.refresh_cover()

    # Finding

    def _set_filters(self) -> None:
        other, hide = self.results.other_artists, self.results.hide_duplicates
        self.parts.finder.set_filters(
            other_artists=other.isChecked(), hide_duplicates=hide.isChecked()
        )

    def _show_history(self) -> None:
        self.top_bar.back.setEnabled(self.parts.finder.can_go_back)
        self.top_bar.forward.setEnabled(self.parts.finder.can_go_forward)

    def _focus_search(self) -> None:
        self.top_bar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.top_bar.search.selectAll()

    def _enter_table(self) -> None:
        view = self.library.view
        view.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not view.currentIndex().isValid() and self.library.model.ids:
            view.setCurrentIndex(self.library.model.index(0, 0))

    def _selected_track(self) -> Track | None:
        """Of the list that has the focus; else the result chosen, else the song of the table."""
        if self.library.view.hasFocus():
            return self.library.view.current_track()
        chosen = self.results.chosen()
        return chosen.track if chosen is not None else self.library.view.current_track()

    def _reveal_selected(self) -> None:
        if (track := self._selected_track()) is not None:
            self.commands.reveal(track.path)

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = None if event.modifiers() else plain_key(event.key())
        player = self.parts.player
        actions: dict[Keys, Callable[[], object]] = {
            Keys.PLAY_PAUSE: self.comparison.toggle,
            Keys.SKIP_BACK: lambda: player.skip(-SKIP_S),
            Keys.SKIP_FORWARD: lambda: player.skip(SKIP_S),
            Keys.NEXT_MOMENT: self.comparison.play_next_moment,
            Keys.COMPARE: player.swap,
        }
        if keys is None or self.pages.currentIndex() != 2:
            super().keyPressEvent(event)
        else:
            actions[keys]()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        if paths and self.parts.session.is_open:
            self.parts.session.sort_out(paths, self._dropped)

    def _dropped(self, dropped: tuple[list[Path], list[Path]]) -> None:
        folders, files = dropped
        if folders:
            self.parts.session.add_folders(folders)
        elif files:
            self.parts.session.probe(files[0], lambda seconds: self._find_file(files[0], seconds))

    def _find_file(self, path: Path, duration_s: float) -> None:
        self.pages.setCurrentIndex(2)
        self.parts.finder.find_file(path, duration_s)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.hide()  # stopping may take a moment that nobody should have to watch
        self._save()
        self.parts.player.close()
        self.has_stopped = self.parts.session.close()
        event.accept()

    def _save(self) -> None:
        settings = self.parts.settings
        settings.set(WINDOW_GEOMETRY, bytes(self.saveGeometry().data()))
        settings.set(SPLITTER, bytes(self.splitter.saveState().data()))
        settings.set(VOLUME, self.parts.player.volume)
        settings.set(THEME, self.parts.theme.choice)
        settings.set(OTHER_ARTISTS, self.results.other_artists.isChecked())
        settings.set(HIDE_DUPLICATES, self.results.hide_duplicates.isChecked())
        self.library.save_state()
        settings.save()


def _column(*widgets: QWidget) -> QWidget:
    """Widgets one below the other; those that grow are tables, lists and pages."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for widget in widgets:
        layout.addWidget(widget)
    return column


def _enter(results: ResultList) -> None:
    results.view.setFocus(Qt.FocusReason.ShortcutFocusReason)
    if not results.view.currentIndex().isValid() and results.model.rowCount():
        results.view.setCurrentIndex(results.model.index(0))
