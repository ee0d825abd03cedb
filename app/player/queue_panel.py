"""The queue at the window's right: what plays, what comes, and what can be done with it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QStackedLayout, QWidget

from app.player.player import Player
from app.player.queue import Entry, Repeat
from app.player.queue_view import QueueView
from app.ui.layouts import hbox, vbox
from app.ui.menus import Entry as MenuEntry
from app.ui.menus import show_menu
from app.ui.rows import selected_rows
from app.ui.shortcuts import Keys
from app.ui.text_format import duration, num_songs
from app.ui.theme import Theme
from app.ui.widgets import (
    HEADING,
    SMALL,
    DrawCover,
    ElidedLabel,
    IconButton,
    IconLabel,
    key_button,
    label,
)

PANEL_PX = 340


class QueuePanel(QFrame):
    closed = Signal()
    find_requested = Signal(int)  # id of a track
    save_requested = Signal(object)  # list[int], ids of tracks
    radio_stopped = Signal()

    def __init__(self, theme: Theme, player: Player, cover: DrawCover) -> None:
        super().__init__()
        self.setObjectName("queue")
        self.setAccessibleName(self.tr("Queue"))
        self.setFixedWidth(PANEL_PX)
        self._theme, self._player, self._queue = theme, player, player.queue
        self.view = QueueView(theme, self._queue, cover)
        self.model = self.view.songs
        self._count = label(role="muted", font=theme.font(SMALL))
        self.shuffle = key_button(theme, "shuffle", Keys.SHUFFLE)
        self.repeat = key_button(theme, "repeat", Keys.REPEAT)
        for switch in (self.shuffle, self.repeat):
            switch.setCheckable(True)
        self._save = IconButton(theme, "share", self.tr("Save the queue as a playlist"))
        self._clear = IconButton(theme, "remove", self.tr("Take all out that does not play"))
        self._radio_text = ElidedLabel(font=theme.font(SMALL))
        self._radio_bar = self._build_radio_bar()
        self._lay_out()
        self._connect()
        self.show_radio("")
        self._refresh()

    def _build_radio_bar(self) -> QWidget:
        bar = QWidget()
        bar.setObjectName("radio")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        stop = IconButton(self._theme, "close", self.tr("Stop the radio"), size=14)
        stop.clicked.connect(self.radio_stopped)
        icon = IconLabel(self._theme, "radio", "accent", 18)
        hbox(icon, (self._radio_text, 1), stop, spacing=8, margins=(14, 3, 6, 3), of=bar)
        return bar

    def _lay_out(self) -> None:
        heading = label(self.tr("Queue"), font=self._theme.font(HEADING, QFont.Weight.DemiBold))
        close = key_button(self._theme, "close", Keys.SHOW_QUEUE)
        buttons = (self.shuffle, self.repeat, self._save, self._clear, close)
        head = hbox(heading, None, *buttons, spacing=2, margins=(16, 10, 8, 0))
        below = hbox(self._count, margins=(16, 0, 8, 8))
        self._empty = label(
            self.tr("Nothing comes next.\n\nDrag songs here, or choose “Play next” in their menu."),
            role="muted",
            wrap=True,
        )
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMargin(32)
        self._empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        stack = QStackedLayout()
        stack.setStackingMode(QStackedLayout.StackingMode.StackAll)
        stack.addWidget(self.view)
        stack.addWidget(self._empty)
        stack.setCurrentWidget(self._empty)  # on top: Qt raises no widget that is current
        vbox(head, below, self._radio_bar, (stack, 1), margins=(1, 0, 0, 0), of=self)

    def _connect(self) -> None:
        self._queue.changed.connect(self._refresh)
        self.view.place_chosen.connect(self._player.play_at)
        self.view.menu_requested.connect(self._show_menu)
        for toggle in (self.shuffle, self.repeat):
            toggle.clicked.connect(self._refresh)
        self._save.clicked.connect(lambda: self.save_requested.emit(self._track_ids()))
        self._clear.clicked.connect(self.radio_stopped)
        self._clear.clicked.connect(self._queue.clear)

    # What is shown

    def _refresh(self) -> None:
        queue = self._queue
        self.view.show_items(queue.entries)
        seconds = sum(entry.sound.duration_s or 0.0 for entry in queue.coming)
        num = len(queue.coming)
        told = self.tr("{songs} to come").format(songs=num_songs(num)) if num else ""
        self._count.setText(f"{told} · {duration(seconds)}" if seconds else told)
        self.repeat.set_icon("repeat-one" if queue.repeat is Repeat.ONE else "repeat")
        self.shuffle.show_on(queue.is_shuffled)
        self.repeat.show_on(queue.repeat is not Repeat.NOTHING)
        self._clear.setEnabled(len(queue.entries) > (queue.place >= 0))
        self._save.setEnabled(bool(self._track_ids()))
        self._empty.setVisible(not queue.entries)

    def show_radio(self, text: str) -> None:
        """What fills the queue by itself; "" where nothing does."""
        self._radio_text.setText(text)
        self._radio_bar.setVisible(bool(text))

    def _track_ids(self) -> list[int]:
        ids = (entry.sound.track_id for entry in self._queue.entries)
        return [track_id for track_id in ids if track_id is not None]

    # What can be done

    def toggle_shuffle(self) -> None:
        self._queue.set_shuffled(not self._queue.is_shuffled)

    def change_repeat(self) -> None:
        """Nothing, all, one, and round again."""
        following = list(Repeat)[(list(Repeat).index(self._queue.repeat) + 1) % len(Repeat)]
        self._queue.set_repeat(following)

    def _show_menu(self, entry: Entry, at: QPoint) -> None:
        queue, places, track_id = self._queue, selected_rows(self.view), entry.sound.track_id
        play = partial(self._player.play_at, queue.entries.index(entry))
        play_next = partial(queue.move, places, queue.place + 1)
        find = partial(self.find_requested.emit, track_id)
        songs = [
            MenuEntry(self.tr("Play"), play, "play"),
            MenuEntry(self.tr("Play next"), play_next, "next"),
            MenuEntry(self.tr("Find similar"), find, "find", is_enabled=track_id is not None),
        ]
        out = MenuEntry(self.tr("Take out"), partial(queue.remove, places), "remove")
        show_menu(self, self._theme, at, songs, [out])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.view.show_current()
