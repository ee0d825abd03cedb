from __future__ import annotations

import numpy as np
import pytest

from engine.library import Embeddings
from engine.search.index import exact


def chunks(vectors: np.ndarray, num_rows: int) -> list[Embeddings]:
    ids = np.arange(1, len(vectors) + 1)
    return [
        Embeddings(ids[i : i + num_rows], 10 * ids[i : i + num_rows], vectors[i : i + num_rows])
        for i in range(0, len(vectors), num_rows)
    ]


@pytest.fixture
def vectors() -> np.ndarray:
    random = np.random.default_rng(1).standard_normal((57, 8)).astype(np.float32)
    return np.asarray(random / np.linalg.norm(random, axis=1, keepdims=True))


@pytest.mark.parametrize("k", [1, 5, 57, 100])
@pytest.mark.parametrize("num_rows", [1, 7, 57])
def test_the_nearest_are_those_of_a_full_sort(vectors: np.ndarray, k: int, num_rows: int) -> None:
    query = vectors[3]
    ids, similarities = exact.nearest(query, chunks(vectors, num_rows), k)
    slow = sorted(range(57), key=lambda row: -float(np.dot(vectors[row], query)))[:k]
    assert ids.tolist() == [10 * (row + 1) for row in slow]
    assert ids[0] == 40
    assert similarities[0] == pytest.approx(1)
    assert (np.diff(similarities) <= 0).all()
    assert len(ids) == min(k, 57)


def test_of_equals_the_first_stored_comes_first() -> None:
    vectors = np.tile(np.float32([[1, 0]]), (9, 1))
    ids, _ = exact.nearest(vectors[0], chunks(vectors, 2), 4)
    assert ids.tolist() == [10, 20, 30, 40]


def test_nothing_to_search() -> None:
    ids, similarities = exact.nearest(np.float32([1, 0]), [], 3)
    assert ids.dtype == np.int64
    assert len(ids) == len(similarities) == 0
