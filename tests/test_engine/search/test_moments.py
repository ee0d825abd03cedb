from __future__ import annotations

import numpy as np
import pytest

from engine.records import MomentCodes
from engine.search.moments import best_moments


def song(*rows: list[int], first_s: float = 0.0) -> MomentCodes:
    starts_s = first_s + 5 * np.arange(len(rows), dtype=np.float32)
    return MomentCodes(np.array(rows, np.int8), starts_s, 5.0)


A, B, C, D = [100, 0, 0, 0], [0, 100, 0, 0], [0, 0, 100, 0], [0, 0, 0, 100]


def test_the_same_segments_are_found_in_both_songs() -> None:
    moments = best_moments(song(A, D, B), song(C, B, C, C, A, first_s=100))
    assert [(m.query_start_s, m.start_s) for m in moments[:2]] == [(0, 120), (10, 105)]
    assert [m.similarity for m in moments[:2]] == pytest.approx([1, 1])


def test_how_loud_a_code_is_does_not_matter() -> None:
    (best, *_) = best_moments(song([1, 0, 0, 0], D), song(B, C, [127, 0, 0, 0]))
    assert (best.query_start_s, best.start_s) == (0, 10)
    assert best.similarity == pytest.approx(1)


def test_moments_lie_apart() -> None:
    random = np.random.default_rng(0).integers(-127, 128, (2, 40, 8)).astype(np.int8)
    starts_s = 5 * np.arange(40, dtype=np.float32)
    moments = best_moments(*(MomentCodes(codes, starts_s, 5.0) for codes in random))
    assert len(moments) == 3
    for times in ([m.query_start_s for m in moments], [m.start_s for m in moments]):
        assert min(np.diff(sorted(times))) > 5
    similarities = [m.similarity for m in moments]
    assert similarities == sorted(similarities, reverse=True)


def test_the_first_is_the_best_of_all_pairs() -> None:
    random = np.random.default_rng(1).integers(-127, 128, (2, 30, 8)).astype(np.int8)
    starts_s = 5 * np.arange(30, dtype=np.float32)
    (best, *_) = best_moments(*(MomentCodes(codes, starts_s, 5.0) for codes in random))
    slow = max(
        float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))
        for a in random[0].astype(float)
        for b in random[1].astype(float)
    )
    assert best.similarity == pytest.approx(slow, abs=1e-6)


def test_short_and_silent_songs() -> None:
    assert len(best_moments(song(A), song(A, B, C))) == 1
    assert len(best_moments(song(A, B), song(A, B, C))) == 1
    none = MomentCodes(np.empty((0, 4), np.int8), np.empty(0, np.float32), 5.0)
    assert best_moments(none, song(A)) == best_moments(song(A), none) == ()
    (silent,) = best_moments(song([0, 0, 0, 0]), song(A))
    assert silent.similarity == 0
