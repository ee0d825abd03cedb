"""The open library as pages use it: opened, listed and changed off the UI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.jobs import Job, JobRunner, LatestJob, Pool, Use
from app.player.queue import Sound, sound_of_track
from app.ui.text_format import one_line
from engine.errors import DecodeError, SingalikeError
from engine.library import Folder, Library, LibraryCounts, Track, TrackStatus
from engine.library.groups import Group, GroupKind, groups
from engine.library.scan.tags import read_tags
from engine.library.scope import Facets, facets
from engine.progress import CancelToken, ProgressCallback
from engine.search.library_source import LibrarySource
from engine.search.remote.source import TableSource
from engine.search.remote.table import SongTable
from engine.search.source import Source
from engine.sound import audio


@dataclass(frozen=True)
class ListQuery:
    """What the table shows."""

    text: str = ""
    sort: str = "artist"
    is_descending: bool = False


@dataclass(frozen=True)
class Overview:
    """Folders and counts, as shown around the table."""

    folders: tuple[Folder, ...]
    counts: LibraryCounts


class OpenLibrary(QObject):
    """Owns the library and the jobs on it. Sentences for the user come with ``problem``.

    A catalogue can be shown in its place, to be read only: lists, rows and searches are its own
    then, and folders and indexing stay the library's.
    """

    opened = Signal()
    songs_changed = Signal()  # the library's, or a catalogue's
    open_failed = Signal(str)
    overview_changed = Signal(object)  # Overview
    listed = Signal(object)  # list[int], the ids for the latest ListQuery
    folders_added = Signal()  # there may be something to index
    problem = Signal(str)

    def __init__(
        self, library_path: Path, runner: JobRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.library_path = library_path
        self.runner = runner
        self._library: Library | None = None
        self.catalogue: TableSource | None = None
        self._listing = LatestJob(runner, Pool.DATABASE)
        self._grouping = LatestJob(runner, Pool.DATABASE)
        self._counting = LatestJob(runner, Pool.DATABASE)
        self.overview: Overview | None = None  # the latest; None until there is one

    @property
    def library(self) -> Library:
        assert self._library is not None, "opened() has not been emitted yet"
        return self._library

    @property
    def source(self) -> Source:
        """What is searched."""
        return self.catalogue or LibrarySource(self.library)

    @property
    def is_open(self) -> bool:
        return self._library is not None

    # Opening and closing

    def open(self) -> None:
        path = self.library_path
        self.runner.run(lambda *_: Library.open(path), self._opened, self.open_failed)

    def _opened(self, library: Library) -> None:
        self._library = library
        self.opened.emit()

    def open_catalogue(self, place: str) -> None:
        self.run(lambda _: TableSource(SongTable.open(place)), self._show_catalogue)

    def close_catalogue(self) -> None:
        self._show_catalogue(None)

    def _show_catalogue(self, catalogue: TableSource | None) -> None:
        self.catalogue = catalogue
        self.songs_changed.emit()
        self.refresh_overview()

    def close(self) -> bool:
        """Stops all jobs, then closes the library; False when some work did not stop in time."""
        has_stopped = self.runner.close()
        if self._library is not None and has_stopped:
            self._library.close()
        self._library = None
        return has_stopped

    # Reading

    def list_tracks(self, query: ListQuery) -> None:
        songs = self.catalogue

        def work(library: Library) -> list[int]:
            listed = (songs or library).track_ids
            return listed(query.text, query.sort, descending=query.is_descending)

        self.run(work, self.listed, self._listing)

    def list_groups(self, kind: GroupKind, text: str, use: Callable[[list[Group]], object]) -> None:
        """Hands over the library's artists or albums with these words in their names."""
        self.run(lambda library: groups(library.database, kind, text), use, self._grouping)

    def fetch_tracks(
        self,
        ids: Sequence[int],
        use: Callable[[list[Track]], object],
        *,
        by_artist: bool = False,
    ) -> None:
        """Hands over these tracks, in this order or in the table's usual one."""
        songs = self.catalogue

        def work(library: Library) -> list[Track]:
            if songs is not None:
                return songs.tracks(ids)
            wanted = set(ids)
            ordered = [i for i in library.track_ids() if i in wanted] if by_artist else ids
            return library.tracks(ordered)

        self.run(work, use)

    def refresh_overview(self) -> None:
        songs = self.catalogue

        def work(library: Library) -> Overview:
            if songs is not None:
                num = songs.table.count()
                counts = LibraryCounts(num, 0, num, 0, 0, 0, {})
                return Overview((Folder(0, Path(songs.table.place), False, num),), counts)
            return Overview(tuple(library.folders()), library.counts())

        self.run(work, self._show_overview, self._counting)

    def _show_overview(self, overview: Overview) -> None:
        self.overview = overview
        self.overview_changed.emit(overview)

    def failed_tracks(self, use: Callable[[list[Track]], None]) -> None:
        """Hands over the tracks that could not be read, with their reasons."""
        self.run(lambda library: library.tracks(library.track_ids(status=TrackStatus.FAILED)), use)

    def read_facets(self, use: Callable[[Facets], None]) -> None:
        """Hands over what there is to filter by; no search and no table waits for it."""
        songs = self.catalogue
        self.run(
            lambda library: songs.facets() if songs else facets(library.database), use, Pool.MEDIA
        )

    # Changing

    def add_folders(self, paths: Sequence[Path]) -> None:
        if not self.is_read_only():
            self.run(lambda lib: [lib.add_folder(path) for path in paths], self._work_to_index)

    def is_read_only(self) -> bool:
        """Says so while a catalogue is shown."""
        if self.catalogue is not None:
            self.problem.emit(
                self.tr("A catalogue is open, in which nothing can be changed. Close it first.")
            )
        return self.catalogue is not None

    def forget_folder(self, path: Path) -> None:
        if self.is_read_only():
            return
        self.run(lambda library: library.forget_folder(path), lambda _: self.refresh_overview())

    def retry(self, track_ids: Sequence[int]) -> None:
        self.run(lambda library: library.clear_failure(track_ids), self._work_to_index)

    def sort_out(
        self, paths: Sequence[Path], use: Callable[[tuple[list[Path], list[Path]]], None]
    ) -> None:
        """Hands over what was dropped as (folders, files)."""
        self.run(
            lambda _: ([p for p in paths if p.is_dir()], [p for p in paths if p.is_file()]), use
        )

    def sounds_of(self, paths: Sequence[Path], use: Callable[[list[Sound]], object]) -> None:
        """Hands over files as songs to play, those without sound left out."""

        def work(library: Library) -> list[Sound]:
            found = [sound for path in paths if (sound := _sound_of(library, path)) is not None]
            if not found:
                raise DecodeError("None of these files can be played. Take songs, one or many.")
            return found

        self.run(work, use)

    def probe(self, path: Path, use: Callable[[float], None]) -> None:
        """Hands over how long a file outside the library is; ``problem`` where it has no sound."""
        self.run(lambda _: audio.probe(path).duration_s, use)

    def _work_to_index(self, _: object) -> None:
        self.refresh_overview()
        self.folders_added.emit()

    def run(
        self,
        work: Callable[[Library], Any],
        use: Use,
        queue: Pool | LatestJob = Pool.DATABASE,
        fail: Use | None = None,
    ) -> None:
        """Hands over the result, or why there is none (``problem`` tells it, else).

        Nothing happens once the library is closed: late signals may still ask for things.
        """
        if (library := self._library) is not None:
            self.runner.run(lambda *_: work(library), use, fail or self.problem, queue)

    def make_demo(self, folder: Path, progressed: Callable[[Any], None]) -> Job:
        """Makes the demo songs (well under a minute) and adds their folder."""

        def work(progress: ProgressCallback, cancel: CancelToken) -> list[Path]:
            from engine.demo import make_demo_library  # scipy and its friends: only when wanted

            return make_demo_library(folder, progress, cancel)

        job = Job(work, "making the demo")
        job.progressed.connect(progressed)
        job.succeeded.connect(lambda _: self.add_folders([folder]))
        job.failed.connect(self.problem)
        return self.runner.start(job, Pool.BACKGROUND)


def _sound_of(library: Library, path: Path) -> Sound | None:
    """As the library knows a file, or as its tags say; None where nothing can be heard."""
    if (track := library.track_by_path(path)) is not None:
        return sound_of_track(track)
    try:
        duration_s = audio.probe(path).duration_s
    except SingalikeError:
        return None
    tags = read_tags(path, path.parent)
    title = one_line(tags.title) or one_line(path.stem)
    return Sound(path, title, one_line(tags.artist), duration_s, None, one_line(tags.album))
