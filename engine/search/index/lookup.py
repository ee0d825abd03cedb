"""Searching one space as it is now: through its graph, plus what is newer, re-scored exactly."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.library import Library
from engine.library.centres import Centre
from engine.library.indexes import count_embeddings, index_of
from engine.library.records import Embeddings
from engine.search.index import centre as centres
from engine.search.index import exact, graph
from engine.search.index.held import HeldSpace

_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
_MAX_GRAPH_SHARE = 0.25  # of a space in one answer; beyond it an exact search is as fast


@dataclass(frozen=True, eq=False)
class Hits:
    """Tracks near a query, best first.

    Attributes:
        track_ids: (n,) int64. similarities: (n,) float32, cosines of what is left when the centre
            is taken away.
        slack: by how much the similarities may be off: 0 where they are exact.
        is_all: there are no others in the space.
        note: a sentence where the search was not what it should be (exact for want of an index).
    """

    track_ids: np.ndarray
    similarities: np.ndarray
    slack: float = 0.0
    is_all: bool = True
    note: str | None = None

    def only(self, allowed: np.ndarray) -> Hits:
        """Those of them whose ids are among ``allowed`` (m,) int64, which ascend."""
        first, last = (np.searchsorted(allowed, self.track_ids, side) for side in _SIDES)
        return self[first < last]

    def __getitem__(self, places: np.ndarray | slice) -> Hits:
        return replace(
            self, track_ids=self.track_ids[places], similarities=self.similarities[places]
        )


def ranked(track_ids: np.ndarray, similarities: np.ndarray, slack: float = 0.0) -> Hits:
    """Best first; of equals, the one that came first."""
    return Hits(track_ids, similarities, slack)[np.argsort(-similarities, kind="stable")]


class SpaceLookup:
    """Nearest tracks in one space. Any thread may ask; what is held is loaded once and shared."""

    def __init__(self, library: Library, space_id: int) -> None:
        self._library = library
        self._space_id = space_id
        self._lock = threading.Lock()
        self._held: HeldSpace | None = None
        self._index_id: int | None = None
        self._note: str | None = None
        self._centre: Centre | None = None

    def centre(self) -> np.ndarray:
        """(dim,) float32: what the library has in common now (``engine.search.index.centre``)."""
        with self._lock:
            self._centre = centres.current(self._library, self._space_id, self._centre)
            return self._centre.vector

    def nearest(self, query: np.ndarray, k: int, centre: np.ndarray) -> Hits:
        """The ``k`` nearest tracks, with exact similarities; arguments as in ``candidates``."""
        found = self.candidates(query, 2 * k, centre)
        if found.slack and len(found.track_ids) > k:
            least = found.similarities[k - 1] - 2 * found.slack  # nothing below can be among them
            found = found[found.similarities >= least]
        if found.slack:
            found = replace(
                ranked(*self.exactly(found.track_ids, query, centre)[:2]),
                is_all=found.is_all,
                note=found.note,
            )
        return replace(found[:k], is_all=found.is_all and len(found.track_ids) <= k)

    def candidates(self, query: np.ndarray, k: int, centre: np.ndarray) -> Hits:
        """At least ``k`` tracks, unless there are fewer (``is_all``), or some have just gone.

        Exact similarities are to decide between them: so ask for some times more than are needed.
        With 64 for ten, recall is 0.9997 among 100,000 and 0.995 in a million.

        Args:
            query: (dim,) float32 without the centre, of unit length.
            centre: (dim,) float32, what ``centre`` gave when the query was placed.
        """
        num_live = count_embeddings(self._library.database, self._space_id)
        held, note = self._current()
        if held is not None and k <= _MAX_GRAPH_SHARE * num_live:
            try:
                return self._by_graph(held, query, k, centre)
            except graph.UnusableIndexError as error:
                note = _slow_note(error)
        chunks = _placed(self._library.embedding_chunks(self._space_id), centre)
        return Hits(*exact.nearest(query, chunks, k), is_all=k >= num_live, note=note)

    def similarities(
        self, track_ids: np.ndarray, query: np.ndarray, centre: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Of these tracks, (m,) ascending: (m,) float32, NaN where one was not heard; the slack.

        Other arguments as in ``candidates``, the slack as in ``Hits``.
        """
        held, _ = self._current()
        if held is None:
            found, slack = np.full(len(track_ids), np.nan, np.float32), 0.0
            exact_ids, similarities, _ = self.exactly(track_ids, query, centre)
        else:
            found, slack = held.similarities(track_ids, query, centre), held.slack(query, centre)
            exact_ids, similarities = self._newer(held, query, centre)
        is_asked = np.isin(exact_ids, track_ids)
        found[np.searchsorted(track_ids, exact_ids[is_asked])] = similarities[is_asked]
        return found, slack

    def exactly(
        self, track_ids: np.ndarray, query: np.ndarray, centre: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of those of these tracks that were heard: ids (n,), similarities (n,), vectors (n, dim).

        Vectors are those that are kept, with the centre. Other arguments as in ``candidates``.
        """
        found, vectors = self._library.embeddings(self._space_id, track_ids)
        return found, centres.placed(vectors, centre) @ query, vectors

    def _by_graph(self, held: HeldSpace, query: np.ndarray, k: int, centre: np.ndarray) -> Hits:
        newer, similarities = self._newer(held, query, centre)
        pool = held.pool(query, k)
        if len(newer):  # songs that were heard anew since the graph was made are in both
            pool = pool[~np.isin(pool, newer)]
        similarities = np.concatenate([held.similarities(pool, query, centre), similarities])
        found = ranked(np.concatenate([pool, newer]), similarities, held.slack(query, centre))
        return replace(found[:k], is_all=False)

    def _newer(
        self, held: HeldSpace, query: np.ndarray, centre: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(tracks (n,), similarities (n,) float32) of what is not in the graph yet."""
        ids, similarities = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        after_id = held.graph.max_embedding_id
        for chunk in _placed(self._library.embedding_chunks(self._space_id, after_id), centre):
            ids.append(chunk.track_ids)
            similarities.append(chunk.vectors @ query)
        return np.concatenate(ids), np.concatenate(similarities)

    def _current(self) -> tuple[HeldSpace | None, str | None]:
        """What is held of the graph that is stored now, loaded where it is another than before."""
        with self._lock:
            stored = index_of(self._library.database, self._space_id)
            index_id = None if stored is None else stored[0]
            if index_id is None or index_id != self._index_id:
                self._held, self._index_id, self._note = None, index_id, None
                try:
                    self._held = HeldSpace.load(self._library, self._space_id)
                except graph.UnusableIndexError as error:
                    self._note = _slow_note(error)
            return self._held, self._note


def _placed(chunks: Iterable[Embeddings], centre: np.ndarray) -> Iterator[Embeddings]:
    return (replace(chunk, vectors=centres.placed(chunk.vectors, centre)) for chunk in chunks)


def _slow_note(error: Exception) -> str:
    return f"{error} The search was exact, which is slower; index again to repair it."
