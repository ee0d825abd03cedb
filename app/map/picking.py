"""Which point is meant: the nearest, or the next in a direction.

Both compare every point: a millisecond for 100,000, and no tree to keep up to date.
"""

from __future__ import annotations

import numpy as np


def nearest(pixels: np.ndarray, x: float, y: float, reach: float) -> int:
    """The row of (n, 2) that is nearest to a place, -1 where none lies within ``reach``."""
    if not len(pixels):
        return -1
    distances = np.hypot(pixels[:, 0] - np.float32(x), pixels[:, 1] - np.float32(y))
    row = int(distances.argmin())
    return row if distances[row] <= reach else -1


def nearest_towards(pixels: np.ndarray, row: int, right: int, down: int) -> int:
    """The next row to the left, right, top or bottom; -1 where there is none.

    What lies straight ahead is preferred: steps to the side count double, and nothing counts that
    lies more to the side than ahead.
    """
    steps = pixels - pixels[row]
    ahead = steps @ np.array([right, down], np.float32)
    aside = np.abs(steps @ np.array([down, right], np.float32))
    costs = np.where((ahead > 0.01) & (aside <= ahead), ahead + 2 * aside, np.inf)
    best = int(costs.argmin())
    return best if np.isfinite(costs[best]) else -1


def inside(pixels: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(n,) bool: which of (n, 2) places lie within a closed line through (m, 2) corners.

    Even-odd: a place is inside where a ray from it crosses the line an odd number of times.
    (Qt tells it of one place at a time: half a second for 100,000.)
    """
    low, high = corners.min(0), corners.max(0)
    found = ((pixels >= low) & (pixels <= high)).all(1)
    rows = np.flatnonzero(found)
    x, y = pixels[rows].T
    is_in = np.zeros(len(rows), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, 0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        is_in ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    found[rows] = is_in
    return np.asarray(found)
