"""Points in the plane for vectors that resemble each other: t-SNE, by openTSNE.

The map of a library starts from the first two principal axes, which keeps the large-scale order of
the songs (Kobak and Berens, Nature Communications 2019), and looks at few neighbours of each. The
evaluation's planes are t-SNE as it was published, from random starts. One thread works: the same
input gives the same places.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count

import numpy as np
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.initialization import rescale
from openTSNE.nearest_neighbors import PrecomputedNeighbors

logging.getLogger("openTSNE").setLevel(logging.WARNING)  # it tells what it was asked to do

NUM_EARLY, NUM_LATE = 200, 400  # steps with and without exaggeration, of a map
TICK_STEPS = 10
EXACT_LIMIT = 250  # points; more of them repel each other by way of a grid
CELL_WIDTH = 1.5  # of the grid: songs keep as many neighbours as with 1, in half of the time
PERPLEXITY = 30.0
FEW_POINTS = 8  # fewer are drawn onto one line by t-SNE: these lie where their main axes say
NEIGHBOURS_PER_PERPLEXITY = 3  # beyond them the affinities of t-SNE are next to nothing

Tick = Callable[[int, int], None]  # (steps done, steps in all); may raise CancelledError


def lay_out(near: np.ndarray, distances: np.ndarray, start: np.ndarray, tick: Tick) -> np.ndarray:
    """(n, 2) float32 positions; ``near`` (n, k) are the rows of each point's nearest.

    ``distances`` (n, k) belong to these; ``start`` (n, 2) are the first two principal axes.
    """
    if len(start) < FEW_POINTS:
        return np.asarray(start / max(float(start.std()), 1e-9), np.float32)
    perplexity = near.shape[1] / NEIGHBOURS_PER_PERPLEXITY
    found = PrecomputedNeighbors(near, distances)
    ties = PerplexityBasedNN(knn_index=found, perplexity=perplexity, n_jobs=1)
    ticks = count(TICK_STEPS, TICK_STEPS)
    model = TSNE(
        early_exaggeration_iter=NUM_EARLY,
        n_iter=NUM_LATE,
        callbacks=lambda *_: tick(next(ticks), NUM_EARLY + NUM_LATE),
        **_settings(len(start)),
    )
    points = model.fit(affinities=ties, initialization=rescale(start.astype(np.float64)))
    return np.asarray(points, np.float32)


def plane(vectors: np.ndarray, seed: int, check: Callable[[], None]) -> np.ndarray:
    """(n, dim) -> (n, 2) float64, by cosine, from a random start. ``check`` may raise."""
    model = TSNE(
        perplexity=min(PERPLEXITY, (len(vectors) - 1) / NEIGHBOURS_PER_PERPLEXITY),
        metric="cosine",
        neighbors="exact",
        initialization="random",
        random_state=seed,
        callbacks=lambda *_: check(),
        **_settings(len(vectors)),
    )
    return np.asarray(model.fit(vectors), np.float64)


def _settings(num: int) -> dict[str, object]:
    return {
        "negative_gradient_method": "bh" if num <= EXACT_LIMIT else "fft",
        "ints_in_interval": CELL_WIDTH,
        "callbacks_every_iters": TICK_STEPS,
        "n_jobs": 1,
    }
