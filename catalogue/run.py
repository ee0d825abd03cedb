"""Listening to a whole manifest: recordings are handed to whoever is free, and kept in a table.

Songs come into the table some at a time, all of them or none. So a run can be killed at any time,
on any machine, and run again: it goes on with the recordings that are not there. A worker that dies
costs the recording it was at; one that ends its workers again and again is skipped with a reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from catalogue.manifest import Entry, absolute, entries
from catalogue.upkeep import tidy
from catalogue.workers import Ears, join_cluster, listen, listener
from engine.errors import CatalogueError
from engine.library.imports import Song
from engine.progress import CancelToken, Progress, ProgressCallback, with_eta
from engine.search.remote.rows import Skipped
from engine.search.remote.table import SongTable, in_words

MAX_HELD, MAX_HELD_S = 256, 60.0  # recordings that wait until they are written, and how long
NUM_PER_TIDYING = 25_000  # each writing leaves some small files
MAX_FAILED_AT_FIRST = 100  # then it is not the files


@dataclass
class RunSummary:
    """What became of a manifest's rows, so far.

    Attributes:
        rows: of the manifest = done_before + heard + copies + failed + those to come.
        done_before: by an earlier run; failed ones and copies among them.
        heard: songs that are new in the table. copies: the same sounds at other places.
        audio_seconds: length of what was heard now.
    """

    rows: int
    done_before: int = 0
    heard: int = 0
    copies: int = 0
    failed: int = 0
    audio_seconds: float = 0.0


def run_catalogue(
    manifest: str,
    place: str,
    ears: Ears,
    progress: ProgressCallback,
    cancel: CancelToken,
    num_workers: int = 0,
    is_retry: bool = False,
) -> RunSummary:
    """Listen to every row of a manifest that a catalogue does not know, and append to it.

    Args:
        place: of the catalogue, a folder or an address.
        num_workers: processes of this machine, where it is in no cluster; 0: one per core.
        is_retry: listen again to what failed.

    Raises:
        CatalogueError (nothing to read, write or run on; nothing of it can be heard; the catalogue
        was made by other models), CheckpointError, SeparatorError, CancelledError.
    """
    manifest = absolute(manifest)
    progress(Progress("manifest", message=manifest))
    summary = RunSummary(sum(1 for _ in entries(manifest)))
    if not summary.rows:
        raise CatalogueError(f"{manifest} has no rows. Name a manifest that lists recordings.")
    spaces = listener(ears).spaces
    join_cluster(num_workers)
    table = SongTable.create(place, spaces)
    if is_retry:
        with in_words(place):
            table.skipped.delete("is_failed")
    heard = listen(ears, spaces, _left(manifest, table, summary), cancel)
    _keep(heard, table, summary, progress)
    tidy(table)
    cancel.check()
    return summary


def _left(manifest: str, table: SongTable, summary: RunSummary) -> Iterator[Entry]:
    """What a catalogue has neither heard nor skipped, read from the manifest as it is asked for."""
    paths = chain(table.paths(), table.skipped_rows().column("path").to_pylist())
    known = np.sort(np.fromiter(map(hash, paths), np.int64))  # a tenth of the memory of a set
    for entry in entries(manifest):
        place = int(np.searchsorted(known, hash(entry.address)))
        if place < len(known) and known[place] == hash(entry.address):
            summary.done_before += 1
        else:
            yield entry


def _keep(
    heard: Iterator[Song | Skipped],
    table: SongTable,
    summary: RunSummary,
    progress: ProgressCallback,
) -> None:
    """Write what is heard, some at a time."""
    progress, held, written_s = with_eta(progress), list[Song | Skipped](), time.monotonic()
    try:
        for number, one in enumerate(heard, 1):
            held.append(one)
            num_done, audio_s = summary.done_before + number, summary.audio_seconds
            progress(Progress("embed", num_done, summary.rows, audio_s, message=one.path))
            if len(held) >= MAX_HELD or time.monotonic() - written_s > MAX_HELD_S:
                _write(held, table, summary)
                written_s = time.monotonic()
            if number % NUM_PER_TIDYING == 0:
                tidy(table)
    finally:
        _write(held, table, summary)


def _write(held: list[Song | Skipped], table: SongTable, summary: RunSummary) -> None:
    songs = [one for one in held if isinstance(one, Song)]
    failed = [one for one in held if isinstance(one, Skipped)]
    held.clear()
    num_new = table.add(songs, failed)
    summary.heard += num_new
    summary.copies += len(songs) - num_new
    summary.failed += len(failed)
    summary.audio_seconds += sum(song.duration_s for song in songs)
    if failed and not summary.heard + summary.copies and summary.failed >= MAX_FAILED_AT_FIRST:
        raise CatalogueError(
            f"None of the first {summary.failed} recordings could be heard, the last one for this "
            f"reason: {failed[-1].reason} Mend it, then run with --retry."
        )
