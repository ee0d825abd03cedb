"""The figures of an evaluation, each a small function of scores or labels.

Scores are similarities: higher means more alike. "Positive" is a pair of one singer, "negative" a
pair of two. Error rates, ranks and shares are fractions (0 to 1); reports print them in %. What
cannot be computed (no positives, one class only, ...) is NaN, never a made-up number.
"""

from __future__ import annotations

import numpy as np
from scipy import stats


def equal_error_rate(positive: np.ndarray, negative: np.ndarray) -> float:
    """Where as many negatives are accepted as positives are rejected. 0 best, 0.5 chance.

    The point where the ROC, its points joined by straight lines, crosses "false acceptance =
    false rejection" (as ``scikit-learn``'s ``roc_curve`` with linear interpolation). Equal scores
    of both kinds form one step of the ROC, so constant scores give 0.5.

    Args:
        positive, negative: scores, one dimension, any order. NaN when one of them is empty.
    """
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    thresholds, counts = np.unique(positive, return_counts=True)
    thresholds, counts = thresholds[::-1], counts[::-1]
    above = len(ordered) - np.searchsorted(ordered, thresholds, side="right")
    not_below = len(ordered) - np.searchsorted(ordered, thresholds, side="left")
    accepted = np.cumsum(counts)
    # Two points for each threshold: before and after the pairs that score exactly so much.
    false_accepts = np.stack([above, not_below], axis=1).ravel() / len(ordered)
    true_accepts = np.stack([accepted - counts, accepted], axis=1).ravel() / len(positive)
    return float(_crossing(false_accepts[None], true_accepts[None])[0])


def weighted_equal_error_rates(
    scores: np.ndarray, is_positive: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The equal error rate under several weightings of the same pairs, for bootstrapping.

    Args:
        scores, is_positive: (num_pairs,).
        weights: (num_weightings, num_pairs), not negative; a weight of 2 counts a pair twice.

    Returns:
        (num_weightings,); NaN where all positives or all negatives have weight 0.
    """
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)  # of those that score the same
    positive = is_positive[order]
    rates = []
    for rows in np.array_split(weights, max(1, weights.size // 4_000_000)):
        sorted_rows = rows[:, order].astype(np.float64)
        false_accepts = np.cumsum(sorted_rows * ~positive, axis=1)[:, is_last]
        true_accepts = np.cumsum(sorted_rows * positive, axis=1)[:, is_last]
        with np.errstate(invalid="ignore"):
            false_accepts /= false_accepts[:, -1:]
            true_accepts /= true_accepts[:, -1:]
        rates.append(_crossing(false_accepts, true_accepts))
    return np.concatenate(rates) if rates else np.zeros(0)


def _crossing(false_accepts: np.ndarray, true_accepts: np.ndarray) -> np.ndarray:
    """Where each ROC crosses the line x + y = 1. (n, num_points), both ascending -> (n,)."""
    zeros, ones = np.zeros((len(false_accepts), 1)), np.ones((len(false_accepts), 1))
    x = np.concatenate([zeros, false_accepts, ones], axis=1)
    y = np.concatenate([zeros, true_accepts, ones], axis=1)
    excess = x + y - 1
    after = np.argmax(excess >= 0, axis=1)
    rows, before = np.arange(len(x)), np.maximum(after - 1, 0)
    left, right = excess[rows, before], excess[rows, after]
    share = -left / np.where(right > left, right - left, 1.0)
    crossing = x[rows, before] + share * (x[rows, after] - x[rows, before])
    return np.where(np.isnan(excess).any(1), np.nan, crossing)


def normalised_rank(positive: np.ndarray, negative: np.ndarray) -> float:
    """Mean rank of the true matches of one query, each among the query's negatives.

    0-based rank over the number of candidates (the negatives and the match itself): 0 best,
    (n - 1) / 2n by chance, which is 0.49 for 50 candidates. A tie counts as half a place. Other
    matches do not push a match down, so the figure does not depend on how many there are.
    """
    if not len(positive):
        return float("nan")
    ordered = np.sort(negative)
    above = len(ordered) - np.searchsorted(ordered, positive, side="right")
    not_below = len(ordered) - np.searchsorted(ordered, positive, side="left")
    return float((above + not_below).mean() / 2 / (len(ordered) + 1))


def diagonal_ranks(scores: np.ndarray) -> np.ndarray:
    """``normalised_rank`` of each row's diagonal entry among its row: (n, n) -> (n,)."""
    match = np.diagonal(scores)[:, None]
    above = (scores > match).sum(1)
    ties = (scores == match).sum(1) - 1
    return np.asarray((above + ties / 2) / len(scores))


def hit_at(positive: np.ndarray, negative: np.ndarray, k: int) -> float:
    """1.0 when a true match is among the k best candidates of a query, else 0.0.

    A match that ties with negatives comes after them: constant scores hit nothing.
    """
    if not len(positive):
        return float("nan")
    return float((negative >= positive.max()).sum() < k)


def average_precision(positive: np.ndarray, negative: np.ndarray) -> float:
    """Mean, over the true matches of one query, of the share of matches among all down to it.

    Equal scores are taken together, as in ``scikit-learn``; constant scores give the share of
    positives, which is also the value by chance (in the mean, for many candidates).
    """
    if not len(positive):
        return float("nan")
    positives, negatives = np.sort(positive), np.sort(negative)
    matches = len(positives) - np.searchsorted(positives, positives, side="left")
    others = len(negatives) - np.searchsorted(negatives, positives, side="left")
    return float((matches / (matches + others)).mean())


def f1_scores(true: np.ndarray, predicted: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """F1 of each class, (num_classes,). NaN for a class neither true nor predicted anywhere."""
    from sklearn.metrics import f1_score  # half a second of imports

    scores = f1_score(true, predicted, labels=classes, average=None, zero_division=np.nan)
    return np.asarray(scores)


def silhouettes(distances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Silhouette of each point, -1 to 1: how much nearer its own cluster is than the next one.

    0 for a point alone in its cluster; NaN with one cluster only.

    Args:
        distances: (n, n), symmetric, zero diagonal. labels: (n,).
    """
    from sklearn.metrics import silhouette_samples

    num_clusters = len(np.unique(labels))
    if num_clusters < 2 or num_clusters == len(labels):  # of which it knows no silhouette
        return np.full(len(labels), np.nan if num_clusters < 2 else 0.0)
    exact = distances.astype(np.float64)
    np.fill_diagonal(exact, 0.0)  # but for rounding, it is
    return np.asarray(silhouette_samples(exact, labels, metric="precomputed"))


def binomial_p(wins: int, losses: int) -> float:
    """Two-sided binomial test of wins against losses at even odds; ties are left out before.

    1.0 without any decided comparison.
    """
    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses, 0.5).pvalue)
