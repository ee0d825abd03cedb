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
