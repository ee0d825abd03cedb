"""A catalogue into a library, as if it had listened itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from engine.errors import CatalogueError
from engine.library import Library
from engine.library.imports import Importer
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.records import SpaceKey
from engine.search.index import centre
from engine.search.index.graph import refresh
from engine.search.remote.table import SongTable, songs_in

NUM_ROWS = 256  # of one transaction


def to_library(
    table: SongTable,
    library: Library,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> Counter[str]:
    """Bring all songs of a catalogue into a library, then its indexes up to date.

    Counts what became of them, as ``Importer.put``. Can be stopped and run again. Raises
    CatalogueError (damaged, or of other dimensions), LibraryLockedError, LibraryError,
    CancelledError.
    """
    cancel, started = cancel or CancelToken(), time.monotonic()
    num, counts = table.count(), Counter[str]()
    with library.lease() as lease:
        ids = {key.view: _space_id(library, key) for key in table.spaces}
        importer = Importer(library, _paths(table), ids)
        num_done = 0
        for songs in songs_in(table, num_rows=NUM_ROWS):
            cancel.check()
            lease.check()
            counts += importer.put(songs)
            num_done += len(songs)
            eta_s = (time.monotonic() - started) / num_done * (num - num_done)
            progress(Progress("import", num_done, num, eta_s=eta_s, message=songs[-1].path))
        for space_id in ids.values():
            refresh(library, space_id, progress, cancel)
            centre.refresh(library, space_id)
    return counts


def _space_id(library: Library, key: SpaceKey) -> int:
    try:
        return library.space_id(key)
    except ValueError as error:
        raise CatalogueError(
            f"The library knows {key.model} with another number of dimensions than {key.dim}. Make "
            "the catalogue again with the model that is installed here."
        ) from error


def _paths(table: SongTable) -> Iterator[str]:
    for batch in table.batches(["path"]):
        yield from batch.column("path").to_pylist()
