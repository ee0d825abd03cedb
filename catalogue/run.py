"""Listening to a whole manifest: recordings are handed to whoever is free, and kept in a table.

Songs come into the table some at a time, all of them or none. So a run can be killed at any time,
on any machine, and run again: it goes on with the recordings that are not there. A worker that dies
costs the recording it was at; one that ends its workers again and again is skipped with a reason.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from catalogue.cluster import joined_cluster, listen, spaces_of
from catalogue.listener import Ears
from catalogue.manifest import Entry, Manifest, read_manifest
from catalogue.storage import absolute
from catalogue.upkeep import tidy
from engine import models, separation
from engine.errors import CatalogueError
from engine.library.imports import Song
from engine.models import VIEWS
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.records import View
from engine.search.remote.rows import Skipped
from engine.search.remote.table import SongTable

MAX_HELD, MAX_HELD_S = 256, 60.0  # songs that wait until they are written, and how long
WRITES_PER_TIDYING = 100  # each leaves some small files


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
        audio_seconds: length of what was heard now.
    """

    rows: int
    done_before: int
    heard: int = 0
    copies: int = 0
    failed: int = 0
    no_vocals: int = 0
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
    names = [(view, options.models.get(view) or models.default_model_name(view))
             for view in options.views]  # fmt: skip
    ears = Ears(tuple(names), options.separator, manifest.root)
    with joined_cluster(options.address, options.num_workers) as num_workers:
        spaces = spaces_of(ears, cancel)
        table = SongTable.create(place, spaces)
        heard = listen(ears, spaces, _left(manifest, known), num_workers)
        with closing(heard), closing(_Writer(table, summary)) as writer:
            started_s = time.monotonic()
            for told in heard:
                cancel.check()
                writer.take(told)
                summary.seconds = time.monotonic() - started_s
                progress(summary.progress(told.path if told is not None else ""))
        tidy(table)
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


class _Writer:
    """Keeps what was heard until there is enough of it, or enough time has gone by."""

    def __init__(self, table: SongTable, summary: RunSummary) -> None:
        self._table, self._summary = table, summary
        self._held = list[Song | Skipped]()
        self._written_s = time.monotonic()
        self._num_writes = 0

    def take(self, told: Song | Skipped | None) -> None:
        if told is not None:
            self._held.append(told)
            self._summary.add(told)
        is_late = time.monotonic() - self._written_s > MAX_HELD_S
        if is_late or len(self._held) >= MAX_HELD:
            self.close()

    def close(self) -> None:
        """Write all that is held."""
        held, self._held = self._held, []
        self._written_s = time.monotonic()
        if not held:
            return
        songs = [one for one in held if isinstance(one, Song)]
        skipped = [one for one in held if isinstance(one, Skipped)]
        num_copies = len(self._table.add(songs, skipped))
        self._summary.copies += num_copies
        self._summary.heard -= num_copies
        self._num_writes += 1
        if self._num_writes % WRITES_PER_TIDYING == 0:
            tidy(self._table)
