"""Puts songs from anywhere into the queue, shows it beside every page, and keeps the radio on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.find.commands import Commands, can_be_played
from app.find.page import FindPage
from app.library.covers import Covers
from app.player.bar import PlayerBar
from app.player.queue_panel import QueuePanel
from app.services.radio import Radio
from app.services.services import Services
from app.settings import QUEUE_SHOWN
from app.ui.side_area import SideArea
from engine.library import Track


class Queueing(QObject):
    def __init__(
        self,
        services: Services,
        commands: Commands,
        covers: Covers,
        find_page: FindPage,
        selected_ids: Callable[[], list[int]],
    ) -> None:
        """``selected_ids``: of the songs selected on the page that is looked at."""
        super().__init__(commands.window)
        self._selected_ids = selected_ids
        self._services, self._commands, self._find_page = services, commands, find_page
        self.radio = Radio(services.search, services.player, self)
        self.panel = QueuePanel(services.theme, services.player, covers.pixmap)
        self._connect()
        covers.arrived.connect(self.panel.view.viewport().update)

    def area_around(self, pages: QStackedWidget, bar: PlayerBar) -> QWidget:
        """The pages, with the queue at their right; ``bar`` has its button."""
        self._pages, self._bar = pages, bar
        self._area = SideArea(pages, self.panel)
        bar.files_dropped.connect(self._commands.enqueue_files)
        self._commands.enqueued.connect(bar.show_added)
        self._show(self._services.settings.get(QUEUE_SHOWN))
        return self._area

    def _connect(self) -> None:
        panel, radio = self.panel, self.radio
        panel.closed.connect(self.toggle)
        panel.model.files_dropped.connect(self._commands.enqueue_files)
        panel.find_requested.connect(self._find)
        panel.save_requested.connect(
            lambda ids: self._find_page.keeping.show_playlists(ids, self.tr("Queue"))
        )
        panel.radio_stopped.connect(radio.stop)
        self._commands.radio_requested.connect(self._start_radio_from)
        radio.changed.connect(lambda: panel.show_radio(radio.text))
        radio.problem.connect(self._services.open_library.problem)

    def toggle(self) -> None:
        """Shows the queue, and brings the keyboard there, or hides it."""
        focused = self._area.window().focusWidget()
        had_focus = focused is not None and self.panel.isAncestorOf(focused)
        self._show(self.panel.isHidden())
        if not self.panel.isHidden():
            self.panel.view.setFocus(Qt.FocusReason.OtherFocusReason)
        elif had_focus:
            (self._pages.currentWidget() or self._pages).setFocus(Qt.FocusReason.OtherFocusReason)

    def _show(self, is_shown: bool) -> None:
        self._area.show_panel(is_shown)
        self._bar.show_queue(is_shown)

    def enqueue_selected(self, *, is_next: bool = False) -> None:
        if ids := self._selected_ids():
            self._commands.enqueue(ids, is_next=is_next)

    def start_radio(self) -> None:
        if self._find_page.library.groups_view.hasFocus():
            self._commands.start_radio(self._find_page.selected_ids())
        elif (track := self._find_page.selected_track()) is not None and can_be_played(track):
            self._start_radio_from(track)

    def _start_radio_from(self, track: Track) -> None:
        self.radio.start(track)
        self._show(True)

    def _find(self, track_id: int) -> None:
        def use(tracks: list[Track]) -> None:
            for track in tracks:
                self._services.search.find_track(track)

        self._services.open_library.fetch_tracks([track_id], use)

    # Across a restart

    def state(self) -> dict[str, Any]:
        player = self._services.player
        position_s = player.position_s(player.queue.side)
        return {
            "queue": player.queue.state(),
            "position_s": position_s,
            "radio": self.radio.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Raises KeyError, TypeError, ValueError where it makes no sense."""
        player = self._services.player
        player.queue.restore(state["queue"])
        if (sound := player.queue.current) is not None:
            player.put(player.queue.side, sound, float(state["position_s"]))
            player.set_mix(float(player.queue.side))
        self.radio.restore(state["radio"])

    def save_state(self) -> None:
        self._services.settings.set(QUEUE_SHOWN, not self.panel.isHidden())
