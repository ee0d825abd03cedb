"""Searching one space as it is now: through its graph, plus what is newer, re-scored exactly."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.index import centre as centres
from engine.index import exact, hnsw
from engine.library import Library
from engine.library.centre_store import Centre
from engine.library.index_store import count_embeddings, index_of
from engine.library.records import Embeddings

_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
_MAX_GRAPH_SHARE = 0.25  # of a space in one answer; beyond it an exact search is as fast


@dataclass(frozen=True, eq=False)
class Hits:
    """Tracks near a query, best first.

    Attributes:
        track_ids: (n,) int64. similarities: (n,) float32, exact cosines of what is left when the
            centre is taken away.
        is_all: there are no others in the space.
        note: a sentence where the search was not what it should be (exact for want of an index).
    """

    track_ids: np.ndarray
    similarities: np.ndarray
    is_all: bool
    note: str | None

    def only(self, allowed: np.ndarray) -> Hits:
        """Those of them whose ids are among ``allowed`` (m,) int64, which ascend."""
        first, last = (np.searchsorted(allowed, self.track_ids, side) for side in _SIDES)
        is_allowed = first < last
        return Hits(
            self.track_ids[is_allowed], self.similarities[is_allowed], self.is_all, self.note
        )


class SpaceLookup:
    """Nearest tracks in one space. Any thread may ask; the graph is loaded once and shared."""

    def __init__(self, library: Library, space_id: int) -> None:
        self._library = library
        self._space_id = space_id
        self._lock = threading.Lock()
        self._index: hnsw.HnswIndex | None = None
        self._index_id: int | None = None
        self._note: str | None = None
        self._centre: Centre | None = None

    def centre(self) -> np.ndarray:
        """(dim,) float32: what the library has in common now (``engine.index.centre``)."""
        with self._lock:
            self._centre = centres.current(self._library, self._space_id, self._centre)
            return self._centre.vector

    def nearest(self, query: np.ndarray, k: int, centre: np.ndarray) -> Hits:
        """At least ``k`` tracks, unless there are fewer (``is_all``).

        The graph ranks almost as the exact cosines do, which decide: so ask for some times more
        than are needed. With 64 for ten, recall is 0.9997 among 100,000 and 0.995 in a million.

        Args:
            query: (dim,) float32 without the centre, of unit length.
            centre: (dim,) float32, what ``centre`` gave when the query was placed.
        """
        num_live = count_embeddings(self._library.database, self._space_id)
        index, note = self._current_index()
        if index is not None and k <= _MAX_GRAPH_SHARE * num_live:
            try:
                return self._by_graph(index, query, k, centre)
            except hnsw.UnusableIndexError as error:
                note = _slow_note(error)
        chunks = _placed(self._library.embedding_chunks(self._space_id), centre)
        return Hits(*exact.nearest(query, chunks, k), is_all=k >= num_live, note=note)

    def _by_graph(
        self, index: hnsw.HnswIndex, query: np.ndarray, k: int, centre: np.ndarray
    ) -> Hits:
        ids = index.nearest_around(query, centre, k)
        found = self._library.embeddings_by_id(self._space_id, ids)
        if len(found.ids) < min(k, index.num_elements):  # some have been replaced or deleted since
            found = self._around_dead(index, query, k, centre)
        newer = self._library.embedding_chunks(self._space_id, after_id=index.max_embedding_id)
        candidates = _placed([found, *newer], centre)
        return Hits(*exact.nearest(query, candidates, k), is_all=False, note=None)

    def _around_dead(
        self, index: hnsw.HnswIndex, query: np.ndarray, k: int, centre: np.ndarray
    ) -> Embeddings:
        num_live = count_embeddings(self._library.database, self._space_id, index.max_embedding_id)
        num_dead = index.num_elements - num_live
        ids = index.nearest_around(query, centre, k + min(num_dead, k))
        found = self._library.embeddings_by_id(self._space_id, ids)
        if len(found.ids) < min(k, num_live):
            raise hnsw.UnusableIndexError("The search index is behind.")
        return found

    def _current_index(self) -> tuple[hnsw.HnswIndex | None, str | None]:
        """The graph that is stored now, loaded where it is another than before."""
        with self._lock:
            stored = index_of(self._library.database, self._space_id)
            index_id = None if stored is None else stored[0]
            if index_id is None or index_id != self._index_id:
                self._index, self._index_id, self._note = None, index_id, None
                try:
                    self._index = hnsw.load(self._library, self._space_id)
                except hnsw.UnusableIndexError as error:
                    self._note = _slow_note(error)
            return self._index, self._note


def _placed(chunks: Iterable[Embeddings], centre: np.ndarray) -> Iterator[Embeddings]:
    return (replace(chunk, vectors=centres.placed(chunk.vectors, centre)) for chunk in chunks)


def _slow_note(error: Exception) -> str:
    return f"{error} The search was exact, which is slower; index again to repair it."
