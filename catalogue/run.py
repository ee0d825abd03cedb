"""Listening to a whole manifest: recordings are handed to whoever is free, and kept in a table.

Songs come into the table some at a time, all of them or none. So a run can be killed at any time,
on any machine, and run again: it goes on with the recordings that are not there. A worker that dies
costs the recording it was at; one that ends its workers again and again is skipped with a reason.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from catalogue.cluster import Crew, Worker, WorkerLostError, joined_cluster
from catalogue.listener import Ears
from catalogue.manifest import Entry, Manifest, read_manifest
from catalogue.storage import absolute
from catalogue.upkeep import tidy
from engine import models, separation
from engine.errors import CatalogueError
from engine.library.imports import Song
from engine.models import VIEWS
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.records import SpaceKey, View
from engine.search.remote.rows import Skipped
from engine.search.remote.table import SongTable

REPORT_INTERVAL_S = 0.2
MAX_HELD, MAX_HELD_S = 256, 60.0  # songs that wait until they are written, and how long
WRITES_PER_TIDYING = 100  # each leaves some small files
MAX_LOSSES = 3  # workers that may die at one recording before it is taken for the cause


@dataclass(frozen=True)
class RunOptions:
    """How to listen.

    Attributes:
        models: by view; a view that is not named gets its default. Empty views are not heard.
        num_workers: processes, one core each; 0: one per core of the machine or cluster.
        address: of a Ray cluster; None: this machine.
        is_retry: listen again to what failed.
    """

    models: Mapping[View, str] = field(default_factory=dict)
    separator: str = separation.DEFAULT
    views: tuple[View, ...] = VIEWS
    num_workers: int = 0
    address: str | None = None
    is_retry: bool = False


@dataclass
class RunSummary:
    """What became of a manifest's rows, so far.

    Attributes:
        rows: of the manifest = done_before + heard + copies + failed + those to come.
        done_before: by an earlier run; failed ones and copies among them.
        heard: songs that are new in the table. copies: the same sounds at other places.
        no_vocals: of all heard now, those in which nobody sings.
        workers_lost: processes that died and were replaced.
        audio_seconds: length of what was heard now.
    """

    rows: int
    done_before: int
    heard: int = 0
    copies: int = 0
    failed: int = 0
    no_vocals: int = 0
    workers_lost: int = 0
    seconds: float = 0.0
    audio_seconds: float = 0.0

    def add(self, told: Song | Skipped) -> None:
        if isinstance(told, Skipped):
            self.failed += 1
            return
        self.heard += 1
        self.no_vocals += "vocals" in told.heard and told.heard["vocals"] is None
        self.audio_seconds += told.duration_s

    def progress(self, latest: str) -> Progress:
        num_new = self.heard + self.copies + self.failed
        num_done = self.done_before + num_new
        eta_s = self.seconds / num_new * (self.rows - num_done) if num_new else None
        return Progress("embed", num_done, self.rows, self.audio_seconds, 0.0, eta_s, latest)


def run_catalogue(
    manifest_place: str,
    place: str,
    options: RunOptions | None = None,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> RunSummary:
    """Listen to every row of a manifest that a catalogue does not know, and append to it.

    ``place``: a folder or an address. Raises CatalogueError (nothing to read, write or run on; the
    catalogue was made by other models), CheckpointError, SeparatorError, CancelledError.
    """
    options, cancel = options or RunOptions(), cancel or CancelToken()
    progress(Progress("manifest", message=manifest_place))
    manifest, place = read_manifest(manifest_place), absolute(place)
    known = _known(place, options.is_retry)
    num_to_do = sum(1 for _ in _left(manifest, known))
    summary = RunSummary(manifest.num_rows, manifest.num_rows - num_to_do)
    if not num_to_do:
        return summary
    names = {
        view: options.models.get(view) or models.default_model_name(view) for view in options.views
    }
    with joined_cluster(options.address, options.num_workers) as num_workers:
        crew = Crew(Ears(names, options.separator), manifest.root)
        tasks = _left(manifest, known)
        run = _Run(crew, place, tasks, min(num_workers, num_to_do), summary)
        run.run(progress, cancel)
    return summary


def path_number(path: str) -> int:
    digest = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _known(place: str, is_retry: bool) -> np.ndarray:
    """(n,) int64, ascending: numbers of the paths that a catalogue has heard or skipped."""
    try:
        table = SongTable.open(place)
    except CatalogueError as error:
        if "There is no catalogue" not in str(error):
            raise
        return np.zeros(0, np.int64)
    if is_retry:
        table.forget_failures()
    numbers = [
        np.fromiter(map(path_number, batch.column("path").to_pylist()), np.int64)
        for batch in chain(table.batches(["path"]), table.skipped_batches())
    ]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *numbers]))


def _left(manifest: Manifest, known: np.ndarray) -> Iterator[Entry]:
    """What is to be heard yet, in order, read from the manifest as it is asked for."""
    for entry in manifest.entries():
        number = path_number(entry.address or f"row {entry.row}")
        place = int(np.searchsorted(known, number))
        if place == len(known) or known[place] != number:
            yield entry


class _Run:
    """Hands out recordings, takes and keeps what was heard, replaces workers that die."""

    def __init__(
        self,
        crew: Crew,
        place: str,
        tasks: Iterator[Entry],
        num_workers: int,
        summary: RunSummary,
    ) -> None:
        self._crew, self._place, self._num_workers = crew, place, num_workers
        self._tasks, self._again = tasks, deque[Entry]()
        self._summary = summary
        self._table: SongTable | None = None  # once a worker has said how it hears
        self._held = list[Song | Skipped]()
        self._started_s = self._written_s = time.monotonic()
        self._num_writes = 0
        self._losses = Counter[int]()  # by row; -1: while models were being loaded

    def run(self, progress: ProgressCallback, cancel: CancelToken) -> None:
        try:
            for _ in range(self._num_workers):
                self._crew.hire()
            while self._crew.workers:
                cancel.check()
                for worker in self._crew.ready(REPORT_INTERVAL_S):
                    self._take(worker)
                is_late = time.monotonic() - self._written_s > MAX_HELD_S
                if len(self._held) >= MAX_HELD or is_late:
                    self._write()
                self._summary.seconds = time.monotonic() - self._started_s
                progress(self._summary.progress(self._held[-1].path if self._held else ""))
        finally:
            for worker in list(self._crew.workers):
                self._crew.dismiss(worker)
            self._write()
        if self._table is not None:
            tidy(self._table)

    def _take(self, worker: Worker) -> None:
        try:
            told = self._crew.told(worker)
        except WorkerLostError:
            self._replace(worker)
            return
        if worker.entry is None:
            self._check_spaces(told)
        else:
            self._held.append(told)
            self._summary.add(told)
        entry = self._again.popleft() if self._again else next(self._tasks, None)
        if entry is None:
            self._crew.dismiss(worker)
        else:
            self._crew.assign(worker, entry)

    def _check_spaces(self, spaces: tuple[SpaceKey, ...]) -> None:
        """All workers of all runs must hear alike; the first one's table is made, or found."""
        if self._table is None:
            self._table = SongTable.create(self._place, spaces)
        elif spaces != self._table.spaces:
            raise CatalogueError(
                "A worker has another version of a model than the others. Install the same "
                "Singalike on every machine, then run the same command again."
            )

    def _write(self) -> None:
        held, self._held = self._held, []
        self._written_s = time.monotonic()
        if self._table is None or not held:
            return
        songs = [one for one in held if isinstance(one, Song)]
        skipped = [one for one in held if isinstance(one, Skipped)]
        num_copies = len(self._table.add(songs, skipped))
        self._summary.copies += num_copies
        self._summary.heard -= num_copies
        self._num_writes += 1
        if self._num_writes % WRITES_PER_TIDYING == 0:
            tidy(self._table)

    def _replace(self, worker: Worker) -> None:
        """Another worker takes its recording, unless workers keep dying at it."""
        entry = worker.entry
        self._crew.dismiss(worker)
        self._crew.hire()
        row = -1 if entry is None else entry.row
        self._losses[row] += 1
        self._summary.workers_lost += 1
        if entry is None:
            if self._losses[row] > MAX_LOSSES * self._num_workers:
                raise CatalogueError(
                    "Workers end as soon as they load the models. Give each about 1 GB of memory."
                )
        elif self._losses[row] < MAX_LOSSES:
            self._again.appendleft(entry)
        else:
            reason = (
                f"Listening to it ended {MAX_LOSSES} workers. Look at the file, and at the memory "
                "of the machines, then retry it."
            )
            lost = Skipped(entry.address, reason, is_failed=True)
            self._held.append(lost)
            self._summary.add(lost)
