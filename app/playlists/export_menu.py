"""Songs for other programs: results, selected songs and journeys as a playlist or a table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu, QWidget

from app.find.results_panel import ResultList, ResultsPanel
from app.jobs import Job, Pool
from app.library.open_library import Session
from app.library.panel import LibraryPanel
from app.library.table_model import shown
from app.settings import LAST_SAVED, Settings
from app.ui.file_dialogs import Mode, open_file_dialog
from app.ui.number_format import num_songs
from engine.library import Track
from engine.search import Neighbour
from engine.search.export import export


class ExportMenu(QObject):
    """Asks what and where to, and writes off the UI thread; ``told`` says when it is done."""

    told = Signal(str)  # a sentence

    def __init__(
        self,
        window: QWidget,
        session: Session,
        settings: Settings,
        library: LibraryPanel,
        results: ResultsPanel,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._settings = settings
        self._library = library
        self._results = results
        self._formats = {
            self.tr("Playlist that can move with the songs (*.m3u8)"): (".m3u8", True),
            self.tr("Playlist with full paths (*.m3u8)"): (".m3u8", False),
            self.tr("Table (*.csv)"): (".csv", False),
            self.tr("JSON (*.json)"): (".json", False),
        }
        results.save_button.clicked.connect(self._open)

    # What

    def _open(self) -> None:
        menu = QMenu(self._window)
        for results in self._results.shown_lists():
            chosen, found = results.view.selected(), results.model.neighbours
            if len(chosen) > 1:
                text = self.tr("{heading}: {num} selected songs…")
                menu.addAction(
                    text.format(heading=results.heading, num=len(chosen)),
                    partial(self.save, chosen, self._name()),
                )
            if found:
                text = self.tr("{heading}: all {num} songs…")
                menu.addAction(
                    text.format(heading=results.heading, num=len(found)),
                    partial(self.save, found, self._name()),
                )
        menu.aboutToHide.connect(menu.deleteLater)
        button = self._results.save_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))

    def save_selected(self) -> None:
        """Songs selected in the list or table with the focus; else all results."""
        table = self._library.view
        if table.hasFocus() and len(table.selected_ids()) > 1:
            self.save_ids(table.selected_ids())
            return
        lists = sorted(self._results.shown_lists(), key=lambda one: not one.view.hasFocus())
        if (one := next((one for one in lists if one.model.neighbours), None)) is not None:
            self.save_results(one)

    def save_results(self, results: ResultList) -> None:
        """Those that are selected, or all where there are not several."""
        chosen = results.view.selected()
        self.save(chosen if len(chosen) > 1 else results.model.neighbours, self._name())

    def save_ids(
        self, track_ids: Sequence[int], name: str = "Singalike", *, by_artist: bool = False
    ) -> None:
        """Songs that need not be known yet, in this order or in the table's usual one."""
        self._session.fetch_tracks(
            track_ids, lambda tracks: self.save(tracks, name), by_artist=by_artist
        )

    def _name(self) -> str:
        sound = self._results.query_row.sound
        return self.tr("Like {title}").format(title=sound.title if sound else "Singalike")

    # Where to

    def save(self, items: Sequence[Track | Neighbour], name: str) -> None:
        """``name`` is offered for the file, without its end."""
        dialog = open_file_dialog(
            self._window,
            self.tr("Save {songs}").format(songs=num_songs(len(items))),
            Mode.AnyFile,
            start=self._settings.get(LAST_SAVED) or str(Path.home()),
            filters=tuple(self._formats),
            name=file_name(name) + ".m3u8",
        )
        dialog.fileSelected.connect(
            lambda path: self._write(tuple(items), Path(path), dialog.selectedNameFilter())
        )

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
        self._session.runner.start(job, Pool.DATABASE)


def file_name(name: str) -> str:
    """Fit for every file system."""
    kept = "".join(" " if char in '<>:"/\\|?*' else char for char in shown(name))
    return " ".join(kept.split())[:80].strip(". ") or "Singalike"
