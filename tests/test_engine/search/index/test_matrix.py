from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.libraries import DIM

from engine.errors import LibraryCorruptError
from engine.search.index.centre import placed
from engine.search.index.matrix import Matrix

NUM = 2500  # more than are compared at once
Chunk = tuple[np.ndarray, np.ndarray, np.ndarray]


def voices(num: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((num, DIM)) + np.linspace(1, 0, DIM)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def chunks(vectors: np.ndarray, first_id: int, track_ids: np.ndarray) -> Iterator[Chunk]:
    ids = first_id + np.arange(len(vectors))
    for start in range(0, len(vectors), 700):
        some = slice(start, start + 700)
        yield ids[some], track_ids[some], vectors[some]


def whole(vectors: np.ndarray, track_ids: np.ndarray) -> Matrix:
    return Matrix.empty(DIM).extended(chunks(vectors, 1, track_ids), len(vectors))


@pytest.fixture(scope="module")
def tracks() -> np.ndarray:
    """In no order, with gaps."""
    return 10 * np.random.default_rng(1).permutation(NUM) + 3


@pytest.mark.parametrize("seed", range(5))
def test_similarities_are_those_of_the_stored_vectors_around_a_centre(
    tracks: np.ndarray, seed: int
) -> None:
    vectors, shared = voices(NUM), voices(50, 1).astype(np.float32).mean(0) / 2
    stretched = (vectors * np.float16(1.005)).astype(np.float16)  # a little off is no harm
    matrix = whole(stretched, tracks)
    query = placed(voices(1, 10 + seed)[0].astype(np.float32), shared)
    asked = np.sort(np.append(tracks[::2], [1, 10**9]))
    found = matrix.similarities(asked, query, shared)
    slow = dict[int, float]()
    for track_id, vector in zip(tracks.tolist(), stretched.astype(np.float64), strict=True):
        rest = vector / np.linalg.norm(vector) - shared
        slow[track_id] = float(rest @ query) / float(np.linalg.norm(rest))
    for track_id, similarity in zip(asked.tolist(), found.tolist(), strict=True):
        assert similarity == pytest.approx(slow.get(track_id, np.nan), abs=2e-6, nan_ok=True)


def test_vectors_are_those_that_are_stored() -> None:
    """Every value that a float16 of at most 1 can have, the smallest among them."""
    halves = np.arange(0x3C01, dtype=np.uint16).view(np.float16)
    vectors = np.zeros((len(halves), DIM), np.float16)
    vectors[:, 0], vectors[:, 1] = -halves, 1
    matrix = whole(vectors, np.arange(len(vectors)))
    exact = vectors.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(matrix.vectors(np.arange(len(vectors))), exact, rtol=1e-6)


def test_it_grows_while_others_look_at_what_it_was(tracks: np.ndarray) -> None:
    vectors = voices(NUM)
    first = whole(vectors[:2000], tracks[:2000])
    whole_one = first.extended(chunks(vectors[2000:], 2001, tracks[2000:]), NUM)
    assert (len(first), len(whole_one)) == (2000, NUM)
    assert np.shares_memory(first.room, whole_one.room)
    np.testing.assert_array_equal(whole_one.room[:NUM], vectors)
    assert whole_one.last_id == NUM
    far = whole_one.extended(chunks(voices(9000), NUM + 1, 10**6 + np.arange(9000)), 0)
    np.testing.assert_array_equal(far.room[:NUM], vectors)
    assert len(first) == 2000
    assert first.extended([], NUM) is first


def test_what_is_gone_is_found_no_more(tracks: np.ndarray) -> None:
    matrix, nothing = whole(voices(NUM), tracks), np.zeros(DIM, np.float32)
    kept = matrix.only(np.arange(1, NUM + 1, 2))
    assert len(kept) == NUM // 2
    found = kept.similarities(tracks, voices(1)[0].astype(np.float32), nothing)
    assert np.isnan(found[1::2]).all()
    assert not np.isnan(found[::2]).any()
    assert kept.tracks(np.array([5, 6, 7, 10**6])).tolist() == [tracks[4], tracks[6]]


def test_a_space_without_songs() -> None:
    empty, query = Matrix.empty(DIM), np.eye(DIM, dtype=np.float32)[0]
    assert empty.last_id == 0
    assert np.isnan(empty.similarities(np.array([1, 2]), query, 0 * query)).all()
    assert empty.tracks(np.array([1])).tolist() == []
    assert empty.vectors(np.empty(0, np.int64)).shape == (0, DIM)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_a_damaged_vector_is_told(tracks: np.ndarray, value: float) -> None:
    vectors = voices(NUM)
    vectors[7] = value
    matrix, query = whole(vectors, tracks), np.eye(DIM, dtype=np.float32)[0]
    with pytest.raises(LibraryCorruptError, match="repair"):
        matrix.similarities(tracks, query, 0 * query)
    matrix.similarities(tracks[8:], query, 0 * query)
