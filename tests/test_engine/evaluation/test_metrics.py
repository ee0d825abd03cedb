from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from sklearn import metrics as reference

from engine.evaluation import metrics
from engine.evaluation.bootstrap import estimate, mean_estimate, replicate_weights


def sklearn_eer(positive: np.ndarray, negative: np.ndarray) -> float:
    labels = np.r_[np.ones(len(positive)), np.zeros(len(negative))]
    scores = np.r_[positive, negative]
    x, y, _ = reference.roc_curve(labels, scores, drop_intermediate=False)
    return float(brentq(lambda v: 1 - v - np.interp(v, x, y), 0, 1)) if (x + y - 1).any() else 0.0


def test_eer_by_hand() -> None:
    assert metrics.equal_error_rate(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 0.0
    assert metrics.equal_error_rate(np.array([0.1, 0.2]), np.array([0.9, 0.8])) == 1.0
    # Accepting from 0.7 on: one of four negatives in, one of four positives out.
    positive, negative = np.array([0.9, 0.8, 0.7, 0.2]), np.array([0.75, 0.3, 0.1, 0.0])
    assert metrics.equal_error_rate(positive, negative) == 0.25


def test_eer_of_ties_and_of_nothing() -> None:
    assert metrics.equal_error_rate(np.ones(5), np.ones(9)) == 0.5
    assert np.isnan(metrics.equal_error_rate(np.ones(0), np.ones(3)))
    assert np.isnan(metrics.equal_error_rate(np.ones(3), np.ones(0)))
    assert metrics.equal_error_rate(np.array([0.4]), np.array([0.1, 0.2])) == 0.0


@pytest.mark.parametrize("decimals", [1, 8])
def test_eer_is_that_of_scikit_learn(decimals: int) -> None:
    rng = np.random.default_rng(decimals)
    for _ in range(20):
        positive = rng.normal(0.5, 1, rng.integers(2, 40)).round(decimals)
        negative = rng.normal(0.0, 1, rng.integers(2, 60)).round(decimals)
        assert metrics.equal_error_rate(positive, negative) == pytest.approx(
            sklearn_eer(positive, negative), abs=1e-9
        )


def test_eer_under_weights_is_that_of_repeated_pairs() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 1, 60).round(1)
    is_positive = rng.random(60) < 0.4
    weights = rng.integers(0, 3, (25, 60))
    expected = [
        metrics.equal_error_rate(
            np.repeat(scores, w * is_positive), np.repeat(scores, w * ~is_positive)
        )
        for w in weights
    ]
    found = metrics.weighted_equal_error_rates(scores, is_positive, weights)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    nothing = metrics.weighted_equal_error_rates(scores, is_positive, np.zeros((1, 60)))
    assert np.isnan(nothing).all()


def test_rank_by_hand() -> None:
    negative = np.array([0.9, 0.5, 0.5, 0.1])
    assert metrics.normalised_rank(np.array([1.0]), negative) == 0.0
    assert metrics.normalised_rank(np.array([0.0]), negative) == 4 / 5
    assert metrics.normalised_rank(np.array([0.5]), negative) == (1 + 1) / 5  # two half places
    assert metrics.normalised_rank(np.array([1.0, 0.0]), negative) == 2 / 5
    assert np.isnan(metrics.normalised_rank(np.zeros(0), negative))


def test_diagonal_ranks_are_the_ranks_of_single_matches() -> None:
    scores = np.random.default_rng(2).normal(size=(12, 12)).round(1)
    expected = [
        metrics.normalised_rank(scores[i, i : i + 1], np.delete(scores[i], i)) for i in range(12)
    ]
    np.testing.assert_allclose(metrics.diagonal_ranks(scores), expected)
    np.testing.assert_allclose(metrics.diagonal_ranks(np.ones((50, 50))), 0.49)


def test_hits_by_hand() -> None:
    positive, negative = np.array([0.5, 0.3]), np.array([0.9, 0.5, 0.1])
    assert [metrics.hit_at(positive, negative, k) for k in (1, 2, 3)] == [0.0, 0.0, 1.0]
    assert metrics.hit_at(np.ones(3), np.ones(3), 3) == 0.0
    assert np.isnan(metrics.hit_at(np.zeros(0), negative, 1))


def test_average_precision_is_that_of_scikit_learn() -> None:
    assert metrics.average_precision(np.array([0.9, 0.3]), np.array([0.5])) == (1 + 2 / 3) / 2
    rng = np.random.default_rng(3)
    for decimals in (1, 8):
        positive, negative = rng.normal(0.5, 1, 9).round(decimals), rng.normal(0, 1, 30)
        negative = negative.round(decimals)
        expected = reference.average_precision_score(
            np.r_[np.ones(9), np.zeros(30)], np.r_[positive, negative]
        )
        assert metrics.average_precision(positive, negative) == pytest.approx(expected)


def test_f1_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    true, predicted = rng.integers(0, 5, 40), rng.integers(1, 7, 40)
    expected = reference.f1_score(true, predicted, average=None, zero_division=0)
    np.testing.assert_allclose(metrics.f1_scores(true, predicted, np.arange(7)), expected)
    assert np.isnan(metrics.f1_scores(true, predicted, np.array([99]))).all()


def test_silhouettes_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    points, labels = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
    labels[0] = 9  # alone in its cluster
    distances = reference.pairwise_distances(points)
    np.testing.assert_allclose(
        metrics.silhouettes(distances, labels), reference.silhouette_samples(points, labels)
    )
    assert np.isnan(metrics.silhouettes(distances, np.zeros(40))).all()


def test_binomial_test_is_that_of_scipy() -> None:
    assert metrics.binomial_p(8, 2) == pytest.approx(stats.binomtest(8, 10).pvalue)
    assert metrics.binomial_p(5, 5) == pytest.approx(1.0)
    assert metrics.binomial_p(0, 0) == 1.0
    assert metrics.binomial_p(0, 5) == pytest.approx(2 * 0.5**5)


def test_random_scores_give_chance() -> None:
    rng = np.random.default_rng(6)
    weights = replicate_weights(50, 200, 0)
    scores = rng.normal(size=(40, 50, 50))
    ranks = np.stack([metrics.diagonal_ranks(s) for s in scores])
    mnr = mean_estimate(ranks.ravel(), np.tile(np.arange(50), 40), weights)
    assert mnr.low < 0.49 < mnr.high
    positive, negative = rng.normal(size=400), rng.normal(size=4000)
    is_positive = np.r_[np.ones(400, bool), np.zeros(4000, bool)]
    counts = replicate_weights(4400, 200, 0)
    rates = metrics.weighted_equal_error_rates(np.r_[positive, negative], is_positive, counts)
    eer = estimate(metrics.equal_error_rate(positive, negative), rates)
    assert eer.low < 0.5 < eer.high


def test_bootstrap_draws_artists_with_all_their_clips() -> None:
    weights = replicate_weights(4, 500, 7)
    assert (weights.sum(1) == 4).all()
    np.testing.assert_array_equal(weights, replicate_weights(4, 500, 7))
    artists = np.repeat(np.arange(4), 25)
    of_artists = mean_estimate(np.repeat([0.0, 0.0, 1.0, 1.0], 25), artists, weights)
    assert (of_artists.value, of_artists.low, of_artists.high) == (0.5, 0.0, 1.0)
    unknown = mean_estimate(np.full(100, np.nan), artists, weights)
    assert np.isnan(unknown.value)


def test_an_interval_needs_replicates_that_could_be_computed() -> None:
    assert np.isnan(estimate(0.5, np.array([np.nan, np.nan, 0.4])).low)
    assert estimate(0.5, np.array([0.4, 0.6, np.nan])).high == pytest.approx(0.595)


def test_one_artist_alone_allows_no_interval() -> None:
    weights = replicate_weights(3, 100, 0)
    found = mean_estimate(np.array([0.0, 1.0, np.nan]), np.array([1, 1, 2]), weights)
    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()
