"""What a person asks of Qdrant: a song, a part of one, or an artist."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import QueryError
from engine.library import Track
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from engine.search import Searcher
from engine.search.records import SearchOptions, SearchResult
from engine.search.remote.source import QdrantSource

if TYPE_CHECKING:
    from qdrant_client import QdrantClient


def search_qdrant(
    client: QdrantClient,
    song: str | None,
    artist: str | None,
    options: SearchOptions,
    part: tuple[float, float] | None = None,
    is_voice: bool = False,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> SearchResult:
    """What ``similar`` does, with the recordings of Qdrant in the place of a library's."""
    source = QdrantSource(client)
    searcher = Searcher(source)
    if artist is not None:
        return searcher.by_artist(artist, options)
    if song is None:
        raise QueryError("Name a song: a file, an address, an id, or words from artist and title.")
    track: Track | None = None
    if not os.path.isfile(song) or (part is None and not is_voice):  # noqa: PTH113
        try:
            track = source.resolve(song)
        except QueryError:
            if not os.path.isfile(song):  # noqa: PTH113
                raise
    if track is not None and part is None and not is_voice:
        return searcher.by_track(track.id, options)
    path = Path(song) if track is None else track.path
    if track is not None and track.is_elsewhere:
        raise QueryError(f"{song} is not on this machine. Search by the whole of it.")
    start_s, end_s = part or (0.0, None)
    return searcher.by_file(
        path,
        options,
        start_s=start_s,
        end_s=end_s,
        is_vocals=is_voice,
        progress=progress,
        cancel=cancel,
    )
