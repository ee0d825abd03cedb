"""What each key of the window does, and each button that has the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut

from app.find.results_panel import ResultList
from app.ui.shortcuts import MEDIA_KEYS, Keys
from app.ui.top_bar import SEARCHABLE, Page
from app.ui.widgets import Button, IconButton

if TYPE_CHECKING:
    from app.window import MainWindow

SKIP_S = 5.0
VOLUME_STEP = 0.05
Action = Callable[[], object]


class Actions:
    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._plain: dict[str, Action] = {}
        actions = self._by_keys()
        self._media = {int(key): actions[keys] for key, keys in MEDIA_KEYS.items()}
        for keys, action in actions.items():
            if keys.value.is_plain:
                self._plain[keys.value.keys] = action
            else:
                shortcut = QShortcut(keys.value.keys, window)
                shortcut.activated.connect(lambda action=action: action())
        buttons: list[Any] = [*window.findChildren(IconButton), *window.findChildren(Button)]
        for button in buttons:
            if button.keys in actions:
                action = actions[button.keys]
                button.clicked.connect(lambda _=False, action=action: action())
        window.top_bar.search.left_downwards.connect(self._enter_table)

    def left_over(self, event: QKeyEvent) -> Action | None:
        """Of a plain key or a media key that no widget has made use of."""
        key = "" if event.modifiers() else QKeySequence(event.key()).toString()
        return self._media.get(event.key()) or self._plain.get(key)

    def _by_keys(self) -> dict[Keys, Action]:
        window, queueing = self._window, self._window.queueing
        search, player = window.services.search, window.services.player
        return {
            Keys.PAGE_LIBRARY: lambda: window.show_page(Page.LIBRARY),
            Keys.PAGE_MAP: lambda: window.show_page(Page.MAP),
            Keys.PAGE_EVALUATE: lambda: window.show_page(Page.EVALUATE),
            Keys.PREFERENCES: window.show_preferences,
            Keys.SEARCH: self._focus_search,
            Keys.FIND_FILE: window.commands.find_file,
            Keys.RECORD: window.find_page.show_recorder,
            Keys.FILTERS: self._show_filters,
            Keys.BLEND: window.results.blend_bar.toggle,
            Keys.AS_ARTISTS: window.results.artists_button.toggle,
            Keys.BACK: lambda: search.go(-1),
            Keys.FORWARD: lambda: search.go(1),
            Keys.TO_TABLE: self._enter_table,
            Keys.TO_VOICES: lambda: self._enter_results(window.results.voices),
            Keys.TO_OVERALL: lambda: self._enter_results(window.results.overall),
            Keys.WAYS: self._next_way,
            Keys.REVEAL: self._reveal_selected,
            Keys.STRETCH_START: lambda: window.comparison.mark_stretch(True),
            Keys.STRETCH_END: lambda: window.comparison.mark_stretch(False),
            Keys.FAVOURITE: window.find_page.toggle_favourite,
            Keys.NOT_THIS: window.find_page.mark_apart,
            Keys.SAVE: window.find_page.keeping.save_selected,
            Keys.ADD_FOLDER: window.commands.add_folder,
            Keys.FOLDERS: window.commands.show_folders,
            Keys.CATALOGUE: window.commands.open_catalogue,
            Keys.RESCAN: window.services.indexing.start,
            Keys.HELP: window.commands.show_help,
            Keys.QUIT: window.close,
            Keys.NEXT_MOMENT: window.comparison.play_next_moment,
            Keys.VOCALS: window.comparison.toggle_vocals,
            Keys.LOOP: window.comparison.toggle_loop,
            Keys.PLAY_PAUSE: player.toggle,
            Keys.SKIP_BACK: lambda: player.skip(-SKIP_S),
            Keys.SKIP_FORWARD: lambda: player.skip(SKIP_S),
            Keys.COMPARE: player.swap,
            Keys.NEXT: player.play_next,
            Keys.PREVIOUS: player.play_previous,
            Keys.LOUDER: lambda: player.set_volume(player.volume + VOLUME_STEP),
            Keys.SOFTER: lambda: player.set_volume(player.volume - VOLUME_STEP),
            Keys.SHOW_QUEUE: queueing.toggle,
            Keys.PLAY_NEXT: lambda: queueing.enqueue_selected(is_next=True),
            Keys.ENQUEUE: queueing.enqueue_selected,
            Keys.RADIO: queueing.start_radio,
            Keys.SHUFFLE: queueing.panel.toggle_shuffle,
            Keys.REPEAT: queueing.panel.change_repeat,
        }

    def _focus_search(self) -> None:
        if self._window.page not in SEARCHABLE:
            self._window.show_page(Page.LIBRARY)
        self._window.top_bar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._window.top_bar.search.selectAll()

    def _enter_table(self) -> None:
        self._window.show_page(Page.LIBRARY)
        self._window.find_page.enter_table()

    def _next_way(self) -> None:
        if self._window.services.open_library.catalogue is None:
            self._window.show_page(Page.LIBRARY)
            self._window.library.next_way()

    def _enter_results(self, results: ResultList) -> None:
        self._window.show_page(Page.LIBRARY)
        self._window.find_page.enter_results(results)

    def _show_filters(self) -> None:
        self._window.show_page(Page.LIBRARY)
        if self._window.results.filter_button.isVisible():
            self._window.results.filter_button.open_sheet()

    def _reveal_selected(self) -> None:
        if (track := self._window.find_page.selected_track()) is not None:
            self._window.commands.reveal(track)
