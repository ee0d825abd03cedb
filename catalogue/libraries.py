"""A catalogue into a library, as if it had listened itself; and a library into a catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from engine import models
from engine.library import Library, Track, TrackStatus, filenames
from engine.library.heard import portraits
from engine.library.imports import Importer, Song
from engine.progress import CancelToken, Progress, ProgressCallback, with_eta
from engine.records import TrackEmbedding, View
from engine.search.index import centre
from engine.search.index.graph import refresh
from engine.search.remote.rows import song_of
from engine.search.remote.table import SongTable
from engine.search.resolve import choose_space

NUM_ROWS = 256  # of one transaction


def to_library(
    table: SongTable, library: Library, progress: ProgressCallback, cancel: CancelToken
) -> Counter[str]:
    """Bring all songs of a catalogue into a library, then its indexes up to date.

    Counts what became of them, as ``Importer.put``. Can be stopped and run again. Raises
    CatalogueError (damaged), LibraryLockedError, LibraryError, CancelledError.
    """
    progress, num, counts = with_eta(progress), table.count(), Counter[str]()
    with library.lease() as lease:
        ids = {key.view: library.space_id(key) for key in table.spaces}
        importer = Importer(library, table.paths(), ids)
        progress(Progress("import", 0, num))
        for batch in table.batches(table.songs.schema.names, NUM_ROWS):
            cancel.check()
            lease.check()
            songs = [song_of(row, table.spaces) for row in batch.to_pylist()]
            counts += importer.put(songs)
            progress(Progress("import", counts.total(), num, message=songs[-1].path))
        for space_id in ids.values():
            refresh(library, space_id, progress, cancel)
            centre.refresh(library, space_id)
    return counts


def from_library(
    library: Library, place: str, progress: ProgressCallback, cancel: CancelToken
) -> Counter[str]:
    """Put what a library has heard into a catalogue, which is made where there is none.

    Counts ``new`` songs; those whose sound is ``known`` there; ``waiting`` ones, which the library
    has not heard in every view, or whose path is no text. Raises CatalogueError, QueryError
    (nothing heard yet), LibraryError, CancelledError.
    """
    spaces = {view: choose_space(library, view, None) for view in models.VIEWS}
    table = SongTable.create(place, [key for _, key in spaces.values()])
    track_ids = library.track_ids("", "added", status=TrackStatus.INDEXED)
    counts = Counter(new=0, known=0, waiting=0)
    for first in range(0, len(track_ids), NUM_ROWS):
        cancel.check()
        some = track_ids[first : first + NUM_ROWS]
        songs = list(_heard(library, library.tracks(some), {v: i for v, (i, _) in spaces.items()}))
        num_new = table.add(songs)
        counts.update(new=num_new, known=len(songs) - num_new, waiting=len(some) - len(songs))
        progress(Progress("export", counts.total(), len(track_ids)))
    return counts


def _heard(library: Library, tracks: Sequence[Track], spaces: dict[View, int]) -> Iterator[Song]:
    """Those of some tracks that were heard in every view."""
    ids = [track.id for track in tracks]
    found = {view: _embeddings(library, space_id, ids) for view, space_id in spaces.items()}
    for track in tracks:
        heard = {view: some.get(track.id) for view, some in found.items()}
        is_heard = heard["vocals"] is not None or track.has_vocals is False
        path = filenames.shown(track.path)
        is_text = path == path.encode("utf-8", "replace").decode()
        if not is_heard or heard["overall"] is None or not is_text:
            continue
        if track.audio_hash is not None and track.duration_s is not None:
            facts = (track.size_bytes, track.mtime_ns, track.audio_hash, track.duration_s)
            yield Song(path, track.tags, *facts, heard)


def _embeddings(library: Library, space_id: int, ids: list[int]) -> dict[int, TrackEmbedding]:
    known, vectors = library.embeddings(space_id, ids)
    moments, rough = library.moments_of(ids, space_id), library.from_mixture(space_id, ids)
    told = portraits(library.database, ids) if library.space(space_id).view == "vocals" else {}
    both = zip(known.tolist(), vectors, strict=True)
    return {i: TrackEmbedding(vector, moments[i], i in rough, told.get(i)) for i, vector in both}
