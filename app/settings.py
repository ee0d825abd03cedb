"""What the window remembers: options declared once, with type and default, in one INI file."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from PySide6.QtCore import QByteArray, QSettings

T = TypeVar("T", bool, float, str)


@dataclass(frozen=True)
class Option(Generic[T]):
    """A key of the INI file. The default's type is the option's type."""

    key: str
    default: T


THEME = Option("window/theme", "system")
LANGUAGE = Option("window/language", "system")
TEXT_SIZE = Option("window/text_size", 1.0)
WINDOW_GEOMETRY = Option("window/geometry", "")
QUEUE_SHOWN = Option("window/queue", False)
SPLITTER = Option("window/splitter", "")
TABLE_HEADER = Option("library/columns", "")
LIBRARY_WAY = Option("library/way", "songs")
SORT_COLUMN = Option("library/sort", "artist")
SORT_DESCENDING = Option("library/sort_descending", False)
OTHER_ARTISTS = Option("search/other_artists", False)
HIDE_DUPLICATES = Option("search/hide_duplicates", True)
AS_ARTISTS = Option("search/as_artists", False)
ONE_PER_ARTIST = Option("search/one_per_artist", False)
IS_BLENDED = Option("search/is_blended", False)
BLEND_WEIGHT = Option("search/blend_weight", 0.5)
INDEX_SPEED = Option("indexing/speed", "spare")
WATCH_FOLDERS = Option("indexing/watch", True)
MAP_VIEW = Option("map/view", "vocals")
MAP_COLOUR = Option("map/colour", "artist")
MAP_PREVIEW = Option("map/preview", True)
OUTPUT_DEVICE = Option("player/device", "")
VOLUME = Option("player/volume", 0.8)
EQUALLY_LOUD = Option("player/equally_loud", True)
LAST_SAVED = Option("files/last_saved", "")
LAST_SOUND = Option("files/last_sound", "")
LAST_FOLDER = Option("files/last_folder", "")
LAST_CATALOGUE = Option("files/last_catalogue", "")


class Settings:
    """Typed access to the file at ``path``. One that cannot be read as INI is put aside.

    Attributes:
        notice: a sentence for the user when the old file was put aside, else None.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice: str | None = None
        with suppress(OSError):  # then nothing is remembered, which is no reason not to start
            path.parent.mkdir(parents=True, exist_ok=True)
        self._store = QSettings(str(path), QSettings.Format.IniFormat)
        self._store.allKeys()  # forces the file to be read, so that status() tells
        if self._store.status() == QSettings.Status.FormatError:
            self._put_aside()

    def get(self, option: Option[T]) -> T:
        """The stored value, or the default where there is none."""
        value = self._store.value(option.key, option.default, type(option.default))
        assert isinstance(value, type(option.default))
        return value

    def set(self, option: Option[T], value: T) -> None:
        self._store.setValue(option.key, value)

    def layout(self, option: Option[str]) -> QByteArray:
        """What Qt gave with ``saveState`` or ``saveGeometry``; empty where nothing was kept."""
        return QByteArray.fromBase64(self.get(option).encode())

    def set_layout(self, option: Option[str], state: QByteArray) -> None:
        self.set(option, bytes(state.toBase64().data()).decode())

    def save(self) -> None:
        self._store.sync()

    def _put_aside(self) -> None:
        aside = self.path.with_suffix(f".damaged-{int(time.time())}.ini")
        self.path.replace(aside)
        self._store = QSettings(str(self.path), QSettings.Format.IniFormat)
        self.notice = (
            f"The settings file was damaged. It is kept as {aside.name}; all settings start afresh."
        )
