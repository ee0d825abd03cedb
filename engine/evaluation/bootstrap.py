"""How sure a figure is: intervals from artists drawn again with replacement.

Clips of one artist resemble each other, so it is artists that are drawn, with all their clips:
drawing clips would make intervals look much too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
NUM_REPLICATES = 1000
MIN_ARTISTS = 3  # of two, both are drawn or one: no interval, but the figure itself


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % bootstrap interval over artists (NaN where it cannot be told)."""

    value: float
    low: float
    high: float


def replicate_weights(num_artists: int, num_replicates: int, seed: int) -> np.ndarray:
    """How often each artist is drawn: (num_replicates, num_artists) int, rows add up to all."""
    rng = np.random.default_rng([seed, num_artists])
    return rng.multinomial(num_artists, np.full(num_artists, 1 / num_artists), num_replicates)


def estimate(value: float, replicates: np.ndarray) -> Estimate:
    """A figure with the percentile interval of its replicates.

    Replicates that could not be computed (NaN: all negatives missed out, for example) are left
    out; when more than half are, there is no interval.
    """
    known = replicates[np.isfinite(replicates)]
    if len(known) * 2 < max(len(replicates), 1):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def mean_estimate(values: np.ndarray, artists: np.ndarray, weights: np.ndarray) -> Estimate:
    """The mean of a figure that each clip has, with its interval; fewer than three allow none.

    Args:
        values: (n,) of clips (or queries); NaN ones are left out.
        artists: (n,) int, index of each one's artist.
        weights: from ``replicate_weights``, for all artists.
    """
    known = np.isfinite(values)
    if not known.any():
        return Estimate(float("nan"), float("nan"), float("nan"))
    num_artists = weights.shape[1]
    sums = np.bincount(artists[known], values[known], num_artists)
    counts = np.bincount(artists[known], minlength=num_artists)
    if np.count_nonzero(counts) < MIN_ARTISTS:
        return Estimate(float(values[known].mean()), float("nan"), float("nan"))
    with np.errstate(invalid="ignore"):
        replicates = (weights @ sums) / (weights @ counts)
    return estimate(float(values[known].mean()), replicates)
