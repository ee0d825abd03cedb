"""Which songs belong together on a map: their principal axes, and each one's nearest."""

from __future__ import annotations

from collections.abc import Callable

import hnswlib
import numpy as np

NUM_AXES = 50  # principal axes kept for the search for neighbours
BATCH = 1000
HNSW_M, HNSW_EF_CONSTRUCTION, HNSW_EF = 12, 80, 60

Step = Callable[[int], None]  # told how many songs are done; may raise CancelledError


def principal_axes(vectors: np.ndarray, num_axes: int = NUM_AXES) -> np.ndarray:
    """(n, dim) -> (n, min(num_axes, n, dim)) float32: along the directions of largest variance.

    Each axis' sign makes its largest loading positive, so that equal vectors give equal maps.
    """
    from sklearn.decomposition import PCA  # a second of imports, for those who make a map

    return np.asarray(PCA(min(num_axes, *vectors.shape), random_state=0).fit_transform(vectors))


def neighbours(points: np.ndarray, k: int, step: Step) -> tuple[np.ndarray, np.ndarray]:
    """(rows (n, k) int64, distances (n, k)) of the k nearest to each of (n, d), itself left out.

    One thread builds the graph: with more, each map of the same library would differ. openTSNE can
    ask hnswlib too, but in one go, which at 100,000 songs nobody could stop or see the progress of.
    """
    num = len(points)
    graph = hnswlib.Index(space="l2", dim=points.shape[1])
    graph.init_index(
        max_elements=num, M=HNSW_M, ef_construction=HNSW_EF_CONSTRUCTION, random_seed=0
    )
    for start in range(0, num, BATCH):
        rows = points[start : start + BATCH]
        graph.add_items(rows, np.arange(start, start + len(rows)), num_threads=1)
        step((start + len(rows)) // 2)
    graph.set_ef(HNSW_EF)
    near, squares = [], []
    for start in range(0, num, BATCH):
        rows = points[start : start + BATCH]
        labels, found = graph.knn_query(rows, k=k + 1, num_threads=1)
        is_other = _is_other(labels.astype(np.int64), start)
        near.append(labels[is_other].reshape(len(rows), k).astype(np.int64))
        squares.append(found[is_other].reshape(len(rows), k))
        step((num + start + len(rows)) // 2)
    return np.concatenate(near), np.sqrt(np.maximum(np.concatenate(squares), 0))


def _is_other(labels: np.ndarray, start: int) -> np.ndarray:
    """(m, k + 1) bool: all but each row's own number, or the farthest where that is not there."""
    is_self = labels == np.arange(start, start + len(labels))[:, None]
    is_self[~is_self.any(1), -1] = True
    return ~is_self
