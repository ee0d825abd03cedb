"""Exact nearest neighbours by cosine: the reference, and what serves where there is no index."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.library.records import Embeddings


def nearest(
    query: np.ndarray, chunks: Iterable[Embeddings], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` rows most similar to a query, best first; of equals, the one stored first.

    Args:
        query: (dim,) float32, L2-normalised.
        chunks: vectors with rows (n, dim) float32, L2-normalised, a few at a time.

    Returns (ids of tracks (m,) int64, similarities (m,) float32) with m = min(k, all rows).
    """
    track_ids, similarities = np.empty(0, np.int64), np.empty(0, np.float32)
    for chunk in chunks:
        track_ids = np.concatenate([track_ids, chunk.track_ids])
        similarities = np.concatenate([similarities, chunk.vectors @ query])
        best = np.argsort(-similarities, kind="stable")[:k]
        track_ids, similarities = track_ids[best], similarities[best]
    return track_ids, similarities
