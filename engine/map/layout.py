"""Points in the plane for a graph of neighbours: t-SNE (van der Maaten and Hinton, JMLR 2008).

Started from the first two principal axes, which keeps the large-scale order of the songs, with a
learning rate that grows with their number (Kobak and Berens, Nature Communications 2019; Belkina
et al., Nature Communications 2019).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from engine.map.repulsion import repulsion

EXAGGERATION = 12.0
NUM_EARLY, NUM_LATE = 200, 400  # steps with and without exaggeration
EARLY_MOMENTUM, LATE_MOMENTUM = 0.5, 0.8
MIN_LEARNING_RATE = 50.0
START_SPREAD = 1e-4
MAX_STEP = 5.0

Tick = Callable[[int, int], None]  # (steps done, steps in all); may raise CancelledError


def lay_out(ties: sparse.csr_array, start: np.ndarray, tick: Tick) -> np.ndarray:
    """(n, 2) float32 positions for symmetric weights (n, n) that add up to 1.

    ``start`` is (n, 2): the first two principal axes of the points.
    """
    points = np.asarray(start, np.float32)
    points = points / max(float(points[:, 0].std()), 1e-12) * np.float32(START_SPREAD)
    total = NUM_EARLY + NUM_LATE
    points = _descend(
        ties, points, EXAGGERATION, NUM_EARLY, EARLY_MOMENTUM, lambda done: tick(done, total)
    )
    return _descend(
        ties, points, 1.0, NUM_LATE, LATE_MOMENTUM, lambda done: tick(NUM_EARLY + done, total)
    )


def _descend(
    ties: sparse.csr_array,
    points: np.ndarray,
    exaggeration: float,
    num_steps: int,
    momentum: float,
    tick: Callable[[int], None],
) -> np.ndarray:
    rate = np.float32(max(len(points) / exaggeration, MIN_LEARNING_RATE))
    rows = np.repeat(np.arange(len(points)), np.diff(ties.indptr))
    velocity, gains = np.zeros_like(points), np.ones_like(points)
    for done in range(1, num_steps + 1):
        gradient = _gradient(ties, rows, points, exaggeration)
        is_turning = np.sign(gradient) == np.sign(velocity)
        gains = np.maximum(np.where(is_turning, gains * 0.8, gains + 0.2), 0.01)
        velocity = np.float32(momentum) * velocity - rate * gains.astype(np.float32) * gradient
        lengths = np.linalg.norm(velocity, axis=1, keepdims=True)
        velocity *= np.minimum(1.0, MAX_STEP / np.maximum(lengths, 1e-12))
        points = points + velocity
        points -= points.mean(0)
        tick(done)
    return points


def _gradient(
    ties: sparse.csr_array, rows: np.ndarray, points: np.ndarray, exaggeration: float
) -> np.ndarray:
    """(n, 2): the slope of the divergence between neighbours in the graph and in the plane."""
    apart = points.take(rows, 0) - points.take(ties.indices, 0)
    strengths = ties.data * np.float32(exaggeration) / (1 + np.einsum("ij,ij->i", apart, apart))
    pulls = sparse.csr_array((strengths, ties.indices, ties.indptr), shape=ties.shape)
    attraction = points * (pulls @ np.ones((len(points), 1), np.float32)) - pulls @ points
    pushes, total = repulsion(points)
    return np.asarray(4 * (attraction - pushes / np.float32(total)), np.float32)
