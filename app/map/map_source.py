"""Where the page of the map gets its maps from: all of it read and computed off the UI thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.jobs import Job, LatestJob, Pool
from app.map.names import Islands, islands
from app.services.open_library import OpenLibrary
from engine.errors import QueryError
from engine.library import Library
from engine.library.maps import Labels, MapRecord, labels
from engine.progress import CancelToken, ProgressCallback
from engine.records import View
from engine.search import choose_space


@dataclass(frozen=True, eq=False)
class OpenedMap:
    """What there is for a view.

    Attributes:
        space_id: None where nothing has been heard for the view.
        num_songs: that a map of the view would show.
        record: the map; None where it has to be made first.
        islands: the artists who have a place of their own on it.
    """

    view: View
    space_id: int | None
    num_songs: int
    record: MapRecord | None
    labels: Labels
    islands: Islands = field(default_factory=Islands)


class MapSource(QObject):
    """One map at a time. What was asked for last is what arrives."""

    opened = Signal(object)  # OpenedMap
    progressed = Signal(object)  # Progress of making a map
    making_changed = Signal()
    made = Signal()
    stopped = Signal()
    compared = Signal(object)  # (track ids, similarities) of all songs with one
    problem = Signal(str)

    def __init__(self, open_library: OpenLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open_library = open_library
        self._opening = LatestJob(open_library.runner, Pool.MEDIA)
        self._comparing = LatestJob(open_library.runner, Pool.MEDIA)
        self._making: Job | None = None

    @property
    def is_making(self) -> bool:
        return self._making is not None

    def open(self, view: View) -> None:
        """The map of a view as the library keeps it, with what was heard since."""
        if not self._open_library.is_open:
            return
        work = partial(_open, self._open_library.library, view)
        self._open_library.runner.run(work, self.opened, self.problem, self._opening)

    def make(self, space_id: int) -> None:
        """Lays out a map, to be opened when it is ``made``. Nothing happens while one is made."""
        if self._making is not None or not self._open_library.is_open:
            return
        library = self._open_library.library
        job = Job(partial(_make, library, space_id))
        job.progressed.connect(self.progressed)
        job.succeeded.connect(lambda _: self.made.emit())
        job.cancelled.connect(self.stopped)
        job.failed.connect(self.problem)
        job.finished.connect(self._made)
        self._making = job
        self._open_library.runner.start(job, Pool.MAP)
        self.making_changed.emit()

    def stop(self) -> None:
        if self._making is not None:
            self._making.cancel()

    def compare(self, space_id: int, track_id: int) -> None:
        """How alike all songs are to one; ``compared`` brings none where that was not heard."""
        self._open_library.run(
            lambda library: _compare(library, space_id, track_id),
            self.compared,
            self._comparing,
            lambda reason: self.compared.emit((np.empty(0, np.int64), np.empty(0))),
        )

    def _made(self) -> None:
        self._making = None
        self.making_changed.emit()


# What computes is imported where it runs: the window need not wait for scipy.


def _make(
    library: Library, space_id: int, progress: ProgressCallback, cancel: CancelToken
) -> MapRecord:
    from engine.map.library_map import make_map

    return make_map(library, space_id, progress, cancel)


def _compare(library: Library, space_id: int, track_id: int) -> tuple[np.ndarray, np.ndarray]:
    from engine.map.library_map import similarities

    return similarities(library, space_id, track_id)


def _open(
    library: Library, view: View, progress: ProgressCallback, cancel: CancelToken
) -> OpenedMap:
    from engine.map.library_map import current_map

    try:
        space_id, _ = choose_space(library, view, None)
    except QueryError:
        return OpenedMap(view, None, 0, None, labels(library.database))
    num_songs = library.counts().embeddings.get(space_id, 0)
    record = current_map(library, space_id, progress, cancel)
    known = labels(library.database)
    named = islands(record.track_ids, record.positions, known) if record is not None else Islands()
    return OpenedMap(view, space_id, num_songs, record, known, named)
