"""Fewer dimensions for the graph: voices vary in far fewer directions than their vectors have.

Half the dimensions are half the memory of a graph and half the time of building and asking it. What
is lost is next to nothing, since what the graph finds is scored again with whole vectors.
"""

from __future__ import annotations

import numpy as np

SAMPLE_ROWS = 10_000
MIN_ROWS_PER_DIM = 16  # from fewer, directions are learned that only these vectors have
_KEPT = 0.97  # of the variance around the mean
_STEP = 32


def is_enough(num_vectors: int, dim: int) -> bool:
    """Whether a projection can be learned from so many vectors."""
    return num_vectors >= MIN_ROWS_PER_DIM * dim


def fit(vectors: np.ndarray) -> np.ndarray | None:
    """(n, dim) float32 -> (dim, graph_dim) float32 with orthonormal columns.

    The mean's direction comes first, then principal axes around it, as many as it takes: products
    with a query keep their value whether or not a mean is subtracted from the query. None where
    the vectors need nearly all of their dimensions.
    """
    dim = vectors.shape[1]
    mean = vectors.mean(0, dtype=np.float64)
    variances, axes = np.linalg.eigh(np.cov(vectors.T, dtype=np.float64))
    kept = np.cumsum(variances[::-1]) / max(float(variances.sum()), 1e-12)
    num_axes = int(np.searchsorted(kept, _KEPT)) + 1
    graph_dim = _STEP * -(-(1 + num_axes) // _STEP)
    if graph_dim > dim - _STEP:
        return None
    columns = np.column_stack([mean, axes[:, ::-1][:, : graph_dim - 1]])
    return np.asarray(np.linalg.qr(columns)[0], np.float32)
