"""The bar at the bottom: what sounds, where it is, how loud, and how much of each song."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFont, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QToolTip, QWidget

from app.desktop.drag_and_drop import accept_copy, dropped_files
from app.player.output import device_choices
from app.player.player import Player, Side, Sound
from app.ui.layouts import hbox, vbox
from app.ui.menus import Entry, show_menu
from app.ui.shortcuts import Keys
from app.ui.text_format import clock, num_songs
from app.ui.theme import Theme
from app.ui.widgets import SMALL, ElidedLabel, IconButton, button, key_button, label

STEPS = 1000
NAMES_PX = 130
ROOMY_PX = 1000
ADDED_MS = 2500


class PlayerBar(QWidget):
    files_dropped = Signal(object)  # list[Path]
    favourite_requested = Signal(int)  # id of the track that plays

    def __init__(self, player: Player, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("playerBar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._player, self._theme = player, theme
        self._play = IconButton(
            theme, "play", self.tr("Play"), shortcut="Space", colour="on_accent"
        )
        self._play.keys = Keys.PLAY_PAUSE
        self._play.setProperty("kind", "round")
        self._previous = key_button(theme, "previous", Keys.PREVIOUS)
        self._next = key_button(theme, "next", Keys.NEXT)
        self._queue = key_button(theme, "queue", Keys.SHOW_QUEUE)
        self._queue.setCheckable(True)
        self._loop = key_button(theme, "loop", Keys.LOOP)
        self._loop.setCheckable(True)
        self._vocals = button(self.tr("Vocals"), "toggle", Keys.VOCALS)
        self._vocals.setCheckable(True)
        self._devices = IconButton(theme, "device", self.tr("Sound device"))
        self._favourites: frozenset[int] = frozenset()
        self._heart = IconButton(theme, "heart", self.tr("Favourite"), size=16)
        self._title = ElidedLabel(font=theme.font(weight=QFont.Weight.DemiBold))
        self._artist = ElidedLabel(role="muted", font=theme.font(SMALL))
        self._time = label("0:00", role="muted", font=theme.font(SMALL))
        self._length = label("0:00", role="muted", font=theme.font(SMALL))
        self._seek = self._slider(self.tr("Position in the song"))
        self._seek.setTracking(False)  # a drag is sought when it is let go
        self._fader = self._slider(self.tr("Mixture of query (left) and result (right)"))
        self._fader.setProperty("kind", "fader")
        ends = (self.tr("Query"), self.tr("Result"))
        self._ends = [label(text, "muted", theme.font(SMALL)) for text in ends]
        self._swap = key_button(theme, "swap", Keys.COMPARE)
        self._mute = IconButton(theme, "volume", self.tr("Mute"))
        self._volume = self._slider(self.tr("Volume"))
        self._loud_volume = player.volume
        self._is_asking = self._is_queue_shown = False
        self.setAcceptDrops(True)
        self._lay_out(theme)
        self._connect()
        self._refresh()
        self._show_levels()

    def _slider(self, name: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, STEPS)
        slider.setPageStep(STEPS // 20)
        slider.setSingleStep(STEPS // 50)
        slider.setAccessibleName(name)
        slider.setToolTip(name)
        return slider

    def _lay_out(self, theme: Theme) -> None:
        names = vbox(None, self._title, self._artist, None, spacing=1)
        self._title.setMinimumWidth(NAMES_PX)
        for widget in (self._time, self._length):
            widget.setMinimumWidth(widget.fontMetrics().horizontalAdvance("00:00"))
        self._time.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._fader.setFixedWidth(64)
        self._volume.setFixedWidth(72)
        where = (self._time, (self._seek, 5), self._length)
        mixture = (self._swap, self._ends[0], self._fader, self._ends[1])
        hbox(
            self._previous,
            self._play,
            self._next,
            (names, 3),
            self._heart,
            *where,
            self._loop,
            self._vocals,
            *mixture,
            self._mute,
            self._volume,
            self._devices,
            self._queue,
            spacing=8,
            margins=(10, 10, 10, 10),
            of=self,
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    @property
    def _has_both(self) -> bool:
        return all(self._player.sound(side) for side in Side)

    def _make_room(self) -> None:
        """What is of use, as far as there is room for it: preferences choose devices, too."""
        is_roomy = self.width() >= ROOMY_PX
        for widget in (self._swap, self._fader):
            widget.setVisible(self._has_both)
        for end in self._ends:
            end.setVisible(self._has_both and is_roomy)
        self._devices.setVisible(is_roomy)
        self._show_heart()

    def _connect(self) -> None:
        player = self._player
        for toggle in (self._loop, self._vocals, self._queue):
            toggle.clicked.connect(self._refresh)  # what counts is what there is
        self._heart.clicked.connect(self._heart_clicked)
        self._devices.clicked.connect(self._ask_for_devices)
        player.device.listed.connect(self._show_devices, Qt.ConnectionType.QueuedConnection)
        player.queue.changed.connect(self._refresh)
        self._mute.clicked.connect(self._toggle_mute)
        self._seek.valueChanged.connect(lambda _: player.seek(player.side, self._slider_s()))
        self._seek.sliderMoved.connect(self._show_dragged)
        self._fader.valueChanged.connect(lambda value: player.set_mix(value / STEPS))
        self._volume.valueChanged.connect(lambda value: player.set_volume(value / STEPS))
        player.state_changed.connect(self._refresh)
        player.loaded.connect(self._refresh)
        player.moved.connect(self._show_position)
        player.levels_changed.connect(self._show_levels)

    @property
    def _shown(self) -> Sound | None:
        """The song that Space would play, or pauses."""
        return self._player.picked or self._player.sound(self._player.side)

    def _refresh(self) -> None:
        player, sound = self._player, self._shown
        self._play.set_icon("pause" if player.is_playing else "play")
        self._play.set_name(self.tr("Pause") if player.is_playing else self.tr("Play"))
        self._title.setText(sound.title if sound else self.tr("Nothing is playing"))
        self._artist.setText(sound.artist if sound else "")
        self._artist.setVisible(bool(self._artist.text()))
        self._make_room()
        self._play.setEnabled(sound is not None or player.queue.has_next)
        self._previous.setEnabled(sound is not None)
        self._seek.setEnabled(sound is not None and player.picked is None)
        self._next.setEnabled(player.queue.has_next and not player.is_lent)
        self._loop.setEnabled(self._has_both or player.is_looping)
        self._loop.show_on(player.is_looping)
        self._queue.show_on(self._is_queue_shown)
        self._vocals.setEnabled(not player.is_plain)
        self._vocals.setChecked(player.is_vocals_only and not player.is_plain)
        self._show_position()

    def show_queue(self, is_shown: bool) -> None:
        """Whether the queue is there to be seen."""
        self._is_queue_shown = is_shown
        self._queue.show_on(is_shown)

    def show_added(self, num: int) -> None:
        """Says for a moment that songs have come into the queue, where it is not to be seen."""
        if not self._is_queue_shown:
            text = self.tr("{songs} added to the queue").format(songs=num_songs(num))
            corner = self._queue.mapToGlobal(QPoint(-120, -60))
            QToolTip.showText(corner, text, self._queue, self._queue.rect(), ADDED_MS)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Songs from anywhere may be let go over the player, too."""
        if dropped_files(event.mimeData()):
            accept_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:
        accept_copy(event)
        self.files_dropped.emit(dropped_files(event.mimeData()))

    def set_favourites(self, track_ids: frozenset[int]) -> None:
        self._favourites = track_ids
        self._show_heart()

    def _show_heart(self) -> None:
        """Only songs of the library can have one."""
        track_id = None if self._shown is None else self._shown.track_id
        is_favourite = track_id in self._favourites
        self._heart.setVisible(track_id is not None and self.width() >= ROOMY_PX)
        self._heart.set_icon("heart-filled" if is_favourite else "heart")
        self._heart.set_colour("accent" if is_favourite else "muted")
        self._heart.set_name(
            self.tr("Take the heart away") if is_favourite else self.tr("Favourite")
        )

    def _heart_clicked(self) -> None:
        if self._shown is not None and self._shown.track_id is not None:
            self.favourite_requested.emit(self._shown.track_id)

    def show_separating(self, percent: int | None) -> None:
        """How far the vocals are that are wanted; None: nothing is under way."""
        text = self.tr("Vocals")
        self._vocals.setText(text if percent is None else f"{text} {percent} %")
        self._vocals.setAccessibleName(self._vocals.text())

    def _ask_for_devices(self) -> None:
        self._is_asking = True
        self._player.device.look()

    def _show_devices(self, names: list[str]) -> None:
        if not self._is_asking:  # the preferences did
            return
        self._is_asking = False
        device = self._player.device
        choices = [
            Entry(text, partial(device.choose, name), is_checked=name == device.name)
            for name, text in device_choices(names, device.name)
        ]
        menu = show_menu(self, self._theme, QPoint(), choices)
        corner = self._devices.mapToGlobal(QPoint(self._devices.width(), -6))
        menu.move(corner - QPoint(menu.sizeHint().width(), menu.sizeHint().height()))

    def _show_position(self) -> None:
        if self._seek.isSliderDown():
            return
        player = self._player
        position_s, duration_s = player.position_s(player.side), player.duration_s(player.side)
        if player.picked is not None:
            position_s, duration_s = 0.0, player.picked.duration_s or 0.0
        self._time.setText(clock(position_s))
        self._length.setText(clock(duration_s or None))
        _show(self._seek, position_s / duration_s if duration_s > 0 else 0.0)

    def _show_levels(self) -> None:
        _show(self._fader, self._player.mix)
        _show(self._volume, self._player.volume)
        volume = self._player.volume
        self._mute.set_icon(
            "volume-off" if volume == 0 else "volume-low" if volume < 0.4 else "volume"
        )
        self._mute.set_name(self.tr("Sound on") if volume == 0 else self.tr("Mute"))

    def _toggle_mute(self) -> None:
        if self._player.volume > 0:
            self._loud_volume = self._player.volume
            self._player.set_volume(0.0)
        else:
            self._player.set_volume(self._loud_volume or 0.8)

    def _slider_s(self) -> float:
        return self._seek.sliderPosition() / STEPS * self._player.duration_s(self._player.side)

    def _show_dragged(self) -> None:
        self._time.setText(clock(self._slider_s()))


def _show(slider: QSlider, share: float) -> None:
    """Without asking for anything."""
    slider.blockSignals(True)
    slider.setValue(round(share * STEPS))
    slider.blockSignals(False)
