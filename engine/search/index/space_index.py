"""One space in memory, as it is now: all its vectors, and the graph that finds among them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np

from engine.library import Library
from engine.library.centres import Centre
from engine.library.indexes import count_embeddings, embedding_ids, index_of, stored_vectors
from engine.search.index import centre
from engine.search.index import graph as hnsw
from engine.search.index.matrix import NO_ROW, Matrix, places

# A graph looks longer for one answer than a matrix takes to compare some songs.
_ROWS_PER_ANSWER = 6


@dataclass(frozen=True, eq=False)
class Nearest:
    """Tracks among which are the nearest of a query.

    Attributes:
        track_ids: (n,) int64, in no order.
        is_all: there are no others.
        note: a sentence where it was not found as it should be (by comparing all of them).
    """

    track_ids: np.ndarray
    is_all: bool
    note: str | None = None


@dataclass(frozen=True, eq=False)
class LoadedSpace:
    """A space at one moment. ``note``: why a graph that is stored cannot be used."""

    matrix: Matrix
    graph: hnsw.Graph | None = None
    index_id: int | None = None
    note: str | None = None

    def nearest(self, query: np.ndarray, num: int, allowed: np.ndarray | None) -> Nearest:
        """At least about ``num`` tracks near a query (dim,), of those that are allowed.

        The graph is asked for as many more as are not allowed, unless comparing all is as quick.

        Args:
            allowed: (m,) int64, ascending; None: all.
        """
        num_all = len(self.matrix)
        num_allowed = num_all if allowed is None else min(num_all, len(allowed))
        num_asked = num * num_all // max(1, num_allowed)
        every = self.matrix.track_ids if allowed is None else allowed
        if self.graph is None or num_allowed <= _ROWS_PER_ANSWER * num_asked:
            return Nearest(every, is_all=True, note=self.note)
        try:
            found = self._by_graph(self.graph, query, num_asked)
        except hnsw.UnusableIndexError as error:
            return Nearest(every, is_all=True, note=_slow_note(error))
        is_allowed = slice(None) if allowed is None else places(allowed, found) != NO_ROW
        return Nearest(found[is_allowed], is_all=False)

    def _by_graph(self, graph: hnsw.Graph, query: np.ndarray, num: int) -> np.ndarray:
        """Tracks (n,), those among them that are newer than the graph."""
        newer = np.searchsorted(self.matrix.ids, graph.max_embedding_id, side="right")
        found = self.matrix.tracks(graph.nearest(query, num))
        return np.concatenate([found, self.matrix.track_ids[newer:]])


class SpaceIndex:
    """Follows what is stored of a space. Any thread may ask; all share what is in memory."""

    def __init__(self, library: Library, space_id: int) -> None:
        self._library = library
        self._space_id = space_id
        self._lock = threading.Lock()
        self._latest = LoadedSpace(Matrix.empty(library.space(space_id).dim))
        self._centre: Centre | None = None
        self._seen = threading.local()

    def centre(self) -> np.ndarray:
        """(dim,) float32: what the library has in common now (``engine.search.index.centre``)."""
        with self._lock:
            self._centre = centre.current(self._library, self._space_id, self._centre)
            return self._centre.vector

    def current(self) -> LoadedSpace:
        """As the space is now; read again only where the library has changed."""
        state = self._library.database.remembered("state", object)
        with self._lock:
            if state is not getattr(self._seen, "state", None):
                self._catch_up()
                self._seen.state = state
            return self._latest

    def _catch_up(self) -> None:
        database, space_id, matrix = self._library.database, self._space_id, self._latest.matrix
        num_live = count_embeddings(database, space_id)
        newer = stored_vectors(database, space_id, matrix.room.shape[1], matrix.last_id)
        matrix = matrix.extended(newer, num_live)
        if len(matrix) > count_embeddings(database, space_id):
            matrix = matrix.only(embedding_ids(database, space_id))
        self._latest = replace(self._latest, matrix=matrix)
        found = index_of(database, space_id)
        index_id = None if found is None else found[0]
        if index_id is None or index_id != self._latest.index_id:
            self._latest = LoadedSpace(matrix)  # the earlier graph goes before the next one comes
            self._latest = self._with_graph(index_id)

    def _with_graph(self, index_id: int | None) -> LoadedSpace:
        matrix = self._latest.matrix
        try:
            return LoadedSpace(matrix, hnsw.load(self._library, self._space_id), index_id)
        except hnsw.UnusableIndexError as error:
            note = None if index_id is None else _slow_note(error)
            return LoadedSpace(matrix, None, index_id, note)


def _slow_note(error: Exception) -> str:
    return f"{error} The search was exact, which is slower; index again to repair it."
