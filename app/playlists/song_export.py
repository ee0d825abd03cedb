"""Songs for other programs, as a playlist or a table: asks where to, and writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.services.services import Services
from app.settings import LAST_SAVED
from app.ui.dialogs import Mode, open_file_dialog
from app.ui.text_format import num_songs, one_line
from engine.library import Track
from engine.search import Neighbour
from engine.search.export import export


class SongExport(QObject):
    """Writes off the UI thread, and says when it is done."""

    def __init__(self, window: QWidget, services: Services) -> None:
        super().__init__(window)
        self._window = window
        self._kept, self._settings = services.kept, services.settings
        self._open_library = services.open_library
        self._formats = {
            self.tr("Playlist that can move with the songs (*.m3u8)"): (".m3u8", True),
            self.tr("Playlist with full paths (*.m3u8)"): (".m3u8", False),
            self.tr("Table (*.csv)"): (".csv", False),
            self.tr("JSON (*.json)"): (".json", False),
        }

    def save_ids(
        self, track_ids: Sequence[int], name: str = "Singalike", *, by_artist: bool = False
    ) -> None:
        """Songs that need not be known yet, in this order or in the table's usual one."""
        self._open_library.fetch_tracks(
            track_ids, lambda tracks: self.save(tracks, name), by_artist=by_artist
        )

    def save(self, items: Sequence[Track | Neighbour], name: str) -> None:
        """``name`` is offered for the file, without its end."""
        title = self.tr("Save {songs}").format(songs=num_songs(len(items)))
        dialog = self._ask(title, file_name(name) + ".m3u8", tuple(self._formats))
        dialog.fileSelected.connect(
            lambda path: self._write(tuple(items), Path(path), dialog.selectedNameFilter())
        )

    def save_marks(self) -> None:
        """Which songs were marked as the same voice, and which not, as a table."""
        name, filters = self.tr("voices") + ".csv", (self.tr("Table (*.csv)"),)
        dialog = self._ask(self.tr("Save your marks"), name, filters)
        dialog.fileSelected.connect(
            lambda path: self._kept.export_marks(Path(path).with_suffix(".csv"))
        )

    def _ask(self, title: str, name: str, filters: Sequence[str]) -> QFileDialog:
        start = self._settings.get(LAST_SAVED) or str(Path.home())
        return open_file_dialog(
            self._window, title, Mode.AnyFile, start=start, filters=filters, name=name
        )

    def _write(self, items: tuple[Track | Neighbour, ...], target: Path, chosen: str) -> None:
        suffix, is_relative = self._formats.get(chosen, (".m3u8", True))
        known = {end for end, _ in self._formats.values()} | {".m3u"}
        if target.suffix.lower() not in known:
            target = target.with_name(target.name + suffix)
        elif target.suffix == ".m3u8" and suffix != ".m3u8":
            target = target.with_suffix(suffix)  # the name that was offered, another format
        self._settings.set(LAST_SAVED, str(target.parent))
        text = self.tr("Saved {songs} in {path}").format(
            songs=num_songs(len(items)), path=one_line(str(target))
        )
        self._open_library.run(
            lambda _: export(items, target, has_relative_paths=is_relative),
            lambda _: self._kept.told.emit(text, None),
        )


def file_name(name: str) -> str:
    """Fit for every file system."""
    kept = "".join(" " if char in '<>:"/\\|?*' else char for char in one_line(name))
    return " ".join(kept.split())[:80].strip(". ") or "Singalike"
