"""Points in the plane for vectors that resemble each other: t-SNE, by openTSNE.

The map of a library has every song tied to its nearest by the same strength. In the plane this
gives what t-SNE's adaptive Gaussians give, at a sixth of the ties (Böhm, Berens and Kobak,
"Attraction-Repulsion Spectrum in Neighbor Embeddings", JMLR 2022, section 6). It is started from
the first two principal axes, which keeps the large-scale order of the songs (Kobak and Berens,
Nature Communications 2019). The evaluation's planes are t-SNE as it was published.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from openTSNE import TSNE, TSNEEmbedding
from openTSNE.affinity import Uniform
from openTSNE.initialization import rescale
from openTSNE.nearest_neighbors import PrecomputedNeighbors

EXAGGERATION = 12.0
NUM_EARLY, NUM_LATE = 200, 400  # steps with and without exaggeration
EARLY_MOMENTUM, LATE_MOMENTUM = 0.5, 0.8
MIN_LEARNING_RATE = 50.0
TICK_STEPS = 10
EXACT_LIMIT = 250  # points; more of them repel each other by way of a grid
CELL_WIDTH = 1.5  # of the map's grid: songs keep as many neighbours as with 1, in half of the time
PERPLEXITY = 30.0

Tick = Callable[[int, int], None]  # (steps done, steps in all); may raise CancelledError


def lay_out(near: np.ndarray, start: np.ndarray, tick: Tick) -> np.ndarray:
    """(n, 2) float32 positions; ``near`` (n, k) are the rows of each point's nearest.

    ``start`` is (n, 2): the first two principal axes of the points. The same input gives the same
    positions, since one thread works.
    """
    found = PrecomputedNeighbors(near, np.ones(near.shape))
    ties = Uniform(knn_index=found, symmetrize="mean")  # mutual ones are twice as strong
    points = TSNEEmbedding(
        rescale(start.astype(np.float64)),
        ties,
        negative_gradient_method="bh" if len(start) <= EXACT_LIMIT else "fft",
        ints_in_interval=CELL_WIDTH,
        n_jobs=1,
    )
    done = 0
    for num_steps, exaggeration, momentum in (
        (NUM_EARLY, EXAGGERATION, EARLY_MOMENTUM),
        (NUM_LATE, 1.0, LATE_MOMENTUM),
    ):
        points.optimize(
            num_steps,
            inplace=True,
            learning_rate=max(len(points) / exaggeration, MIN_LEARNING_RATE),
            exaggeration=exaggeration,
            momentum=momentum,
            callbacks=_ticking(tick, done),
            callbacks_every_iters=TICK_STEPS,
        )
        done += num_steps
    return np.asarray(points, np.float32)


def _ticking(tick: Tick, done: int) -> Callable[[int, float, np.ndarray], None]:
    return lambda step, *_: tick(done + step, NUM_EARLY + NUM_LATE)


def plane(vectors: np.ndarray, seed: int, check: Callable[[], None]) -> np.ndarray:
    """(n, dim) -> (n, 2) float64, by cosine, from a random start. ``check`` may raise."""
    model = TSNE(
        perplexity=min(PERPLEXITY, (len(vectors) - 1) / 3),
        metric="cosine",
        neighbors="exact",
        initialization="random",
        random_state=seed,
        n_jobs=1,
        negative_gradient_method="bh" if len(vectors) <= EXACT_LIMIT else "fft",
        callbacks=lambda *_: check(),
        callbacks_every_iters=TICK_STEPS,
    )
    return np.asarray(model.fit(vectors), np.float64)
