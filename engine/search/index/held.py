"""What is in memory of one space: its graph, copies of the vectors in it, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.library import Library
from engine.library.indexes import embedded_tracks
from engine.search.index import graph as hnsw
from engine.search.index.copies import Copies

_MIN_MORE, _MORE_PER_ROOT = 192, 0.45
_NONE = -1


@dataclass(frozen=True, eq=False)
class Rows:
    """Where ids are, by a table from the smallest to the largest: a search would take longer."""

    first_id: int
    table: np.ndarray

    @classmethod
    def of(cls, ids: np.ndarray) -> Rows:
        """Of ids (n,) int64, none twice, of the rows 0 to n - 1; negative ones are of none."""
        rows = np.flatnonzero(ids >= 0)
        first, last = (int(ids[rows].min()), int(ids[rows].max())) if len(rows) else (0, 0)
        table = np.full(last - first + 1, _NONE, np.int32)
        table[ids[rows] - first] = rows
        return cls(first, table)

    def __getitem__(self, ids: np.ndarray) -> np.ndarray:
        """(m,) int32, -1 for ids that have none."""
        places = ids - self.first_id
        is_inside = (places >= 0) & (places < len(self.table))
        return np.where(is_inside, self.table[np.where(is_inside, places, 0)], _NONE)


@dataclass(frozen=True, eq=False)
class HeldSpace:
    """Attributes:
    graph, copies: of the same embeddings.
    track_ids: (n,) int64, whose each copy is; -1 where the embedding was gone when it was read.
    num_gone: how many these are.
    rows_of_embeddings, rows_of_tracks: of ``copies``.
    """

    graph: hnsw.HnswIndex
    copies: Copies
    track_ids: np.ndarray
    num_gone: int
    rows_of_embeddings: Rows
    rows_of_tracks: Rows

    @classmethod
    def load(cls, library: Library, space_id: int) -> HeldSpace:
        """UnusableIndexError where there is no index to trust."""
        graph, packed = hnsw.load_with_vectors(library, space_id)
        rows_of_embeddings = Rows.of(packed.labels)
        ids, tracks = embedded_tracks(library.database, space_id)
        rows = rows_of_embeddings[ids]
        track_ids = np.full(len(packed.labels), _NONE, np.int64)
        track_ids[rows[rows != _NONE]] = tracks[rows != _NONE]
        return cls(
            graph,
            Copies.of(packed.vectors),
            track_ids,
            int((track_ids == _NONE).sum()),
            rows_of_embeddings,
            Rows.of(track_ids),
        )

    def pool(self, query: np.ndarray, k: int) -> np.ndarray:
        """Tracks (n,) int64 among which are the ``k`` nearest to a query (dim,), centre or not.

        The graph itself ranks by direction only, not by what is left of each vector's length, so
        it is asked for some hundred more, of which long answers have enough. UnusableIndexError
        where the graph falls apart.
        """
        num_more = max(_MIN_MORE, round(_MORE_PER_ROOT * self.graph.num_elements**0.5))
        num = max(k, min(k, num_more) + num_more)
        ids, _ = self.graph.nearest(query, num + min(num, self.num_gone))
        track_ids = self.track_ids[self.rows_of_embeddings[ids]]
        return track_ids[track_ids != _NONE]

    def similarities(
        self, track_ids: np.ndarray, query: np.ndarray, centre: np.ndarray
    ) -> np.ndarray:
        """Of these tracks (m,) float32, off by about ``slack`` at most; NaN of those not held."""
        rows = self.rows_of_tracks[track_ids]
        is_held = rows != _NONE
        found = np.full(len(track_ids), np.nan, np.float32)
        projected = self._projected(query, centre)
        found[is_held] = self.copies.similarities(rows[is_held], *projected)
        return found

    def slack(self, query: np.ndarray, centre: np.ndarray) -> float:
        """By how much similarities may be off."""
        in_graph, centre_in_graph = self._projected(query, centre)
        lost = max(0.0, float(query @ query) - float(in_graph @ in_graph))
        return self.copies.slack(in_graph, lost, centre_in_graph)

    def _projected(self, query: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """(2, dimensions of the graph)."""
        return self.graph.projected(np.stack([query, centre]))
