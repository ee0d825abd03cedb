"""Pieces are spread over a song, whatever its length, and memory is bounded."""

import numpy as np
import pytest

from engine.listening.pieces import SpreadPieces


def numbered(count):
    """Segments of ten samples that hold their number."""
    return np.repeat(np.arange(count, dtype=np.float32)[:, None], 10, axis=1)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (3, [0, 1, 2]),
        (8, [0, 1, 2, 3, 4, 5, 6, 7]),
        (9, [0, 2, 4, 6, 8]),
        (17, [0, 4, 8, 12, 16]),
        (31, [0, 4, 8, 12, 16, 20, 24, 28]),
    ],
)
def test_spread_evenly(count, expected):
    spread = SpreadPieces(4, most=8)
    for part in np.array_split(numbered(count), 3):
        spread.add(part)
    assert spread.pieces.shape == (len(expected), 4)
    assert spread.pieces[:, 0].tolist() == expected


def test_nothing_yet():
    assert SpreadPieces(4, most=8).pieces.shape == (0, 4)
