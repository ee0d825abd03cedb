"""Small copies of all vectors of a graph, which tell nearly how near any song is to any query.

hnswlib finds neighbours, but hands over a vector only as a list of Python's numbers, and knows
nothing of a centre. Eight bits of each dimension are enough to choose what is read from the disk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_MAX_CODE = 127
_BLOCK_ROWS = 8192
_NUM_DEVIATIONS = 3.0  # by which rounding may be off


@dataclass(frozen=True, eq=False)
class Copies:
    """Attributes:
    codes: (n, dimensions of the graph) int8.
    steps: (dimensions of the graph,) float32, what 1 in a code stands for.
    lost: mean of the squared length that the graph's vectors lack, of 1.
    """

    codes: np.ndarray
    steps: np.ndarray
    lost: float

    @classmethod
    def of(cls, vectors: np.ndarray) -> Copies:
        """Of vectors (n, dim) float32 of length 1 at most."""
        blocks = [slice(i, i + _BLOCK_ROWS) for i in range(0, len(vectors), _BLOCK_ROWS)]
        largest, total = np.full(vectors.shape[1], 1e-9, np.float32), 0.0
        for block in blocks:
            np.maximum(largest, np.abs(vectors[block]).max(0), out=largest)
            total += float(np.square(vectors[block]).sum())
        steps = largest / _MAX_CODE
        codes = np.empty(vectors.shape, np.int8)
        for block in blocks:
            scaled = vectors[block] * (1 / steps)
            codes[block] = np.rint(scaled, out=scaled)
        return cls(codes, steps, max(0.0, 1 - total / max(1, len(vectors))))

    def similarities(self, rows: np.ndarray, query: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """(m,) float32 cosines with a query when a centre is taken away, nearly (see ``slack``).

        Args:
            query: (dimensions of the graph,) float32, projected, without the centre.
            centre: the same, to be subtracted from vectors of length 1.
        """
        held = self.codes.take(rows, axis=0).astype(np.float32)
        products = held @ np.column_stack([query * self.steps, centre * self.steps])
        squares = 1 - 2 * products[:, 1] + float(centre @ centre)
        similarities = (products[:, 0] - float(centre @ query)) / np.sqrt(np.maximum(squares, 0.01))
        return np.asarray(similarities, np.float32)

    def slack(self, query: np.ndarray, query_lost: float, centre: np.ndarray) -> float:
        """By how much similarities with a query may be off, but for one in some hundred.

        Args:
            query, centre: as in ``similarities``.
            query_lost: squared length of what the projection left out of the query.
        """
        rounding = _NUM_DEVIATIONS * float(np.linalg.norm(query * self.steps)) / 12**0.5
        usual_length = max(0.01, 1 - float(centre @ centre)) ** 0.5
        return float(rounding + (query_lost * self.lost) ** 0.5) / usual_length
