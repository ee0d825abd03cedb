"""Where two songs are most alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.records import MomentCodes

NUM_MOMENTS = 3


@dataclass(frozen=True)
class Moment:
    """A segment of the query and the segment of the neighbour that matches it.

    ``similarity`` is the cosine of the segments' compact codes: for ranking moments of one pair of
    songs, not for comparing with similarities of whole tracks.
    """

    query_start_s: float
    start_s: float
    similarity: float


def best_moments(query: MomentCodes, other: MomentCodes) -> tuple[Moment, ...]:
    """Up to NUM_MOMENTS pairs, best first, at places that lie apart in both songs."""
    if not len(query.codes) or not len(other.codes):
        return ()
    scores = query.unit_rows @ other.unit_rows.T
    found: list[Moment] = []
    while len(found) < NUM_MOMENTS:
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        if not np.isfinite(scores[row, column]):
            break
        start_s, other_s = float(query.starts_s[row]), float(other.starts_s[column])
        found.append(Moment(start_s, other_s, float(scores[row, column])))
        scores[np.abs(query.starts_s - start_s) < 1.5 * query.length_s] = -np.inf
        scores[:, np.abs(other.starts_s - other_s) < 1.5 * other.length_s] = -np.inf
    return tuple(found)
