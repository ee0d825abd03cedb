"""A catalogue into a library, as if it had listened itself; and a library into a catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine import models
from engine.errors import CatalogueError
from engine.library import Library, Track, TrackStatus, filenames
from engine.library.heard import portraits
from engine.library.imports import Importer, Song
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress, with_eta
from engine.records import SpaceKey, TrackEmbedding, View
from engine.search.index import centre
from engine.search.index.graph import refresh
from engine.search.remote.table import SongTable, songs_in
from engine.search.resolve import choose_space

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
    cancel, progress = cancel or CancelToken(), with_eta(progress)
    num, counts = table.count(), Counter[str]()
    with library.lease() as lease:
        ids = {key.view: _space_id(library, key) for key in table.spaces}
        importer = Importer(library, _paths(table), ids)
        num_done = 0
        progress(Progress("import", 0, num))
        for songs in songs_in(table, num_rows=NUM_ROWS):
            cancel.check()
            lease.check()
            counts += importer.put(songs)
            num_done += len(songs)
            progress(Progress("import", num_done, num, message=songs[-1].path))
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


@dataclass(frozen=True)
class ExportSummary:
    """``songs`` are new in the catalogue; ``copies`` had been there by their sound.

    ``waiting``: tracks that the library has not heard in every view, or whose path is no text.
    """

    songs: int
    copies: int
    waiting: int


def from_library(
    library: Library,
    place: str,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> ExportSummary:
    """Put what a library has heard into a catalogue, which is made where there is none.

    Raises CatalogueError, QueryError (nothing heard yet), LibraryError, CancelledError.
    """
    cancel = cancel or CancelToken()
    spaces = {view: choose_space(library, view, None) for view in models.VIEWS}
    table = SongTable.create(place, [key for _, key in spaces.values()])
    track_ids = library.track_ids("", "added", status=TrackStatus.INDEXED)
    num_songs = num_copies = num_seen = 0
    for first in range(0, len(track_ids), NUM_ROWS):
        cancel.check()
        some = track_ids[first : first + NUM_ROWS]
        songs = list(_heard(library, library.tracks(some), {v: i for v, (i, _) in spaces.items()}))
        before = table.count()
        num_copies += len(table.add(songs))
        num_songs += table.count() - before
        num_seen += len(songs)
        progress(Progress("export", num_seen, len(track_ids)))
    return ExportSummary(num_songs, num_copies, len(track_ids) - num_seen)


def _heard(library: Library, tracks: Sequence[Track], spaces: dict[View, int]) -> Iterator[Song]:
    """Those of some tracks that were heard in every view."""
    ids = [track.id for track in tracks]
    found = {view: _embeddings(library, space_id, ids) for view, space_id in spaces.items()}
    for track in tracks:
        heard = {view: some.get(track.id) for view, some in found.items()}
        is_silent = track.has_vocals is False
        missing = {view for view, one in heard.items() if one is None}
        if missing - ({"vocals"} if is_silent else set()):
            continue
        path = filenames.shown(track.path)
        is_text = path == path.encode("utf-8", "replace").decode()
        if is_text and track.audio_hash is not None and track.duration_s is not None:
            facts = (track.size_bytes, track.mtime_ns, track.audio_hash, track.duration_s)
            yield Song(path, track.tags, *facts, heard)


def _embeddings(library: Library, space_id: int, ids: list[int]) -> dict[int, TrackEmbedding]:
    known, vectors = library.embeddings(space_id, ids)
    moments, rough = library.moments_of(ids, space_id), library.from_mixture(space_id, ids)
    told = portraits(library.database, ids) if library.space(space_id).view == "vocals" else {}
    both = zip(known.tolist(), vectors, strict=True)
    return {i: TrackEmbedding(vector, moments[i], i in rough, told.get(i)) for i, vector in both}
