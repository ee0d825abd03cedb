"""Songs for other programs, saved as a playlist or a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.jobs import Job, JobRunner, Pool
from app.library.table_model import shown
from app.settings import LAST_SAVED, Settings
from app.ui.number_format import num_songs
from engine.library import Track
from engine.search import Neighbour
from engine.search.export import export


class TakeAway(QObject):
    """Asks where to, and writes off the UI thread. ``told`` brings a sentence when it is done."""

    told = Signal(str)

    def __init__(self, window: QWidget, runner: JobRunner, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._runner = runner
        self._settings = settings
        self._formats = {
            self.tr("Playlist that can move with the songs (*.m3u8)"): (".m3u8", True),
            self.tr("Playlist with full paths (*.m3u8)"): (".m3u8", False),
            self.tr("Table (*.csv)"): (".csv", False),
            self.tr("JSON (*.json)"): (".json", False),
        }

    def save(self, items: Sequence[Track | Neighbour], name: str) -> QFileDialog:
        """``name`` is offered for the file, without its end."""
        folder = self._settings.get(LAST_SAVED) or str(Path.home())
        dialog = QFileDialog(
            self._window, self.tr("Save {songs}").format(songs=num_songs(len(items)))
        )
        dialog.setDirectory(folder)
        dialog.setNameFilters(list(self._formats))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(_file_name(name) + ".m3u8")
        dialog.fileSelected.connect(
            lambda path: self._write(tuple(items), Path(path), dialog.selectedNameFilter())
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    def _write(self, items: tuple[Track | Neighbour, ...], target: Path, chosen: str) -> None:
        suffix, is_relative = self._formats.get(chosen, (".m3u8", True))
        known = {end for end, _ in self._formats.values()} | {".m3u"}
        if target.suffix.lower() not in known:
            target = target.with_name(target.name + suffix)
        elif target.suffix == ".m3u8" and suffix != ".m3u8":
            target = target.with_suffix(suffix)  # the name that was offered, another format
        self._settings.set(LAST_SAVED, str(target.parent))
        job = Job(lambda progress, cancel: export(items, target, has_relative_paths=is_relative))
        text = self.tr("Saved {songs} in {path}").format(
            songs=num_songs(len(items)), path=shown(str(target))
        )
        job.succeeded.connect(lambda _: self.told.emit(text))
        job.failed.connect(self.told)
        self._runner.start(job, Pool.DATABASE)


def _file_name(name: str) -> str:
    """Fit for every file system."""
    kept = "".join(" " if char in '<>:"/\\|?*' else char for char in shown(name))
    return " ".join(kept.split())[:80].strip(". ") or "Singalike"
