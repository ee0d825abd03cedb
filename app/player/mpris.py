# PySide6's stubs know neither ClassInfo nor types that are given by name.
# mypy: disable-error-code="arg-type,call-arg,operator"
"""The player on the desktop's bus, as MPRIS: media keys, lock screens, panels and phones use it.

https://specifications.freedesktop.org/mpris-spec/latest/. Names of slots and properties are the
specification's. QtDBus sends numbers of 32 bits where they fit, so a length may be an ``i`` where
the specification says ``x``.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import ClassInfo, Property, QMetaType, QObject, Signal, Slot
from PySide6.QtDBus import (
    QDBusAbstractAdaptor,
    QDBusArgument,
    QDBusConnection,
    QDBusMessage,
    QDBusObjectPath,
)

from app.desktop.reveal import file_url
from app.player.player import Player
from app.player.queue import Repeat

log = logging.getLogger(__name__)

SERVICE = "org.mpris.MediaPlayer2.Singalike"
PLACE = "/org/mpris/MediaPlayer2"
ROOT, PLAYER = "org.mpris.MediaPlayer2", "org.mpris.MediaPlayer2.Player"
NO_TRACK = "/org/mpris/MediaPlayer2/TrackList/NoTrack"
US = 1_000_000  # microseconds, in which the specification counts
JUMP_S = 1.0  # a position that changes by more has been sought
LOOPS = {Repeat.NOTHING: "None", Repeat.ALL: "Playlist", Repeat.ONE: "Track"}


@ClassInfo({"D-Bus Interface": ROOT})
class _Root(QDBusAbstractAdaptor):
    """The program: it can be called to the front, and closed."""

    def __init__(self, parent: Mpris, desktop_entry: str) -> None:
        super().__init__(parent)
        self._mpris, self._entry = parent, desktop_entry

    @Slot()
    def Raise(self) -> None:
        self._mpris.raise_requested.emit()

    @Slot()
    def Quit(self) -> None:
        self._mpris.quit_requested.emit()

    CanQuit = Property(bool, lambda self: True)
    CanRaise = Property(bool, lambda self: True)
    HasTrackList = Property(bool, lambda self: False)
    Identity = Property(str, lambda self: "Singalike")
    DesktopEntry = Property(str, lambda self: self._entry)
    SupportedUriSchemes = Property("QStringList", lambda self: ["file"])
    SupportedMimeTypes = Property("QStringList", lambda self: ["audio/mpeg", "audio/flac"])


@ClassInfo({"D-Bus Interface": PLAYER})
class _Controls(QDBusAbstractAdaptor):
    Seeked = Signal("qlonglong")

    def __init__(self, parent: Mpris, player: Player) -> None:
        super().__init__(parent)
        self._mpris, self._player = parent, player

    @Slot()
    def Next(self) -> None:
        self._player.play_next()

    @Slot()
    def Previous(self) -> None:
        self._player.play_previous()

    @Slot()
    def Pause(self) -> None:
        self._player.pause()

    @Slot()
    def PlayPause(self) -> None:
        self._player.toggle()

    @Slot()
    def Stop(self) -> None:
        self._player.pause()
        self._player.seek(self._player.side, 0.0)

    @Slot()
    def Play(self) -> None:
        if not self._player.is_playing:
            self._player.toggle()

    @Slot("qlonglong")
    def Seek(self, offset_us: int) -> None:
        self._player.skip(offset_us / US)

    @Slot(QDBusObjectPath, "qlonglong")
    def SetPosition(self, track: QDBusObjectPath, position_us: int) -> None:
        if track.path() == self._mpris.track_path() and position_us >= 0:
            self._player.seek(self._player.side, position_us / US)

    @Slot(str)
    def OpenUri(self, uri: str) -> None:
        self._mpris.open_requested.emit(uri)

    def _set_loop(self, loop: str) -> None:
        found = [repeat for repeat, name in LOOPS.items() if name == loop]
        if found:
            self._player.queue.set_repeat(found[0])

    PlaybackStatus = Property(str, lambda self: self._mpris.status())
    LoopStatus = Property(str, lambda self: LOOPS[self._player.queue.repeat], _set_loop)
    Shuffle = Property(
        bool,
        lambda self: self._player.queue.is_shuffled,
        lambda self, is_on: self._player.queue.set_shuffled(is_on),
    )
    Volume = Property(
        float,
        lambda self: self._player.volume,
        lambda self, volume: self._player.set_volume(volume),
    )
    Metadata = Property("QVariantMap", lambda self: self._mpris.metadata())
    Position = Property("qlonglong", lambda self: round(self._mpris.position_s() * US))
    CanGoNext = Property(bool, lambda self: self._player.queue.has_next)
    CanGoPrevious = Property(bool, lambda self: self._mpris.has_song())
    CanPlay = Property(bool, lambda self: self._mpris.can_play())
    CanPause = Property(bool, lambda self: True)
    CanSeek = Property(bool, lambda self: self._mpris.has_song())
    CanControl = Property(bool, lambda self: True)
    Rate = Property(float, lambda self: 1.0)
    MinimumRate = Property(float, lambda self: 1.0)
    MaximumRate = Property(float, lambda self: 1.0)


TOLD = (
    *("PlaybackStatus", "LoopStatus", "Shuffle", "Volume", "Metadata"),
    *("CanGoNext", "CanGoPrevious", "CanPlay", "CanSeek"),
)


class Mpris(QObject):
    """Lives on the session's bus as long as the window; without a bus nothing happens."""

    raise_requested = Signal()
    quit_requested = Signal()
    open_requested = Signal(str)  # an address of a file

    def __init__(
        self,
        player: Player,
        desktop_entry: str,
        bus: QDBusConnection,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._bus = bus
        self._told: dict[str, Any] = {}
        self._last_s = 0.0
        self._art: tuple[Path, str] | None = None
        _Root(self, desktop_entry)
        self._controls = _Controls(self, player)
        if not self._bus.isConnected():
            return
        self._bus.registerObject(PLACE, self)
        # A second window, on another library, gets a name of its own, as the specification says.
        names = (SERVICE, f"{SERVICE}.instance{os.getpid()}")
        self._name = next((name for name in names if self._bus.registerService(name)), "")
        for signal in (
            player.state_changed,
            player.loaded,
            player.levels_changed,
            player.queue.changed,
        ):
            signal.connect(self._tell)
        player.moved.connect(self._watch_position)
        self._tell()

    def close(self) -> None:
        if self._bus.isConnected():
            self._bus.unregisterObject(PLACE)
            self._bus.unregisterService(self._name)

    # What is so

    def has_song(self) -> bool:
        return self._player.sound(self._player.side) is not None

    def can_play(self) -> bool:
        player = self._player
        return self.has_song() or player.queue.has_next or player.picked is not None

    def status(self) -> str:
        if self._player.is_playing:
            return "Playing"
        return "Paused" if self.has_song() else "Stopped"

    def position_s(self) -> float:
        return self._player.position_s(self._player.side)

    def track_path(self) -> str:
        """A name on the bus for the song that is heard."""
        sound = self._player.sound(self._player.side)
        number = f"{hash((sound.path, self._player.side)) & 0xFFFFFFFF:x}" if sound else ""
        return f"/org/singalike/track/{number}" if sound else NO_TRACK

    def metadata(self) -> dict[str, Any]:
        sound = self._player.sound(self._player.side)
        if sound is None:
            return {"mpris:trackid": QDBusObjectPath(NO_TRACK)}
        told: dict[str, Any] = {
            "mpris:trackid": QDBusObjectPath(self.track_path()),
            "mpris:length": round(self._player.duration_s(self._player.side) * US),
            "xesam:title": sound.title,
            "xesam:url": file_url(sound.path),
        }
        if sound.artist:
            told["xesam:artist"] = [sound.artist]
        if sound.album:
            told["xesam:album"] = sound.album
        if self._art is not None and self._art[0] == sound.path:
            told["mpris:artUrl"] = self._art[1]
        return told

    # Telling the desktop

    def show_art(self, path: Path, url: str) -> None:
        """The cover of the song at ``path`` is a file of its own, at ``url``."""
        self._art = (path, url)
        self._tell()

    def _tell(self) -> None:
        """What has changed since it was told last."""
        now = {name: getattr(self._controls, name) for name in TOLD}
        now["Metadata"] = self.metadata()
        song = now["Metadata"]
        details = (song.get("mpris:length"), song.get("mpris:artUrl"))
        key = {**now, "Metadata": (self.track_path(), *details)}
        changed = {name: now[name] for name in TOLD if self._told.get(name) != key[name]}
        self._told = key
        if changed:
            message = QDBusMessage.createSignal(
                PLACE, "org.freedesktop.DBus.Properties", "PropertiesChanged"
            )
            message.setArguments([PLAYER, changed, _no_names()])
            self._bus.send(message)

    def _watch_position(self) -> None:
        """30 times a second while playing: a jump is told, since nobody asks in between."""
        now_s, before_s = self.position_s(), self._last_s
        self._last_s = now_s
        if abs(now_s - before_s) > JUMP_S:
            self._controls.Seeked.emit(round(now_s * US))


def _no_names() -> QDBusArgument:
    """An empty ``as``: QtDBus makes ``av`` of an empty list."""
    names = QDBusArgument()
    names.beginArray(QMetaType(QMetaType.Type.QString.value))
    names.endArray()
    return names
