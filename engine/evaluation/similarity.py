"""How well similarities tell singers apart: distinct songs, and the paper's trials.

Source: paper, section IV-B (artist similarity), and CVSM.md, "Evaluation, as published".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation import metrics
from engine.evaluation.bootstrap import MIN_ARTISTS, Estimate, estimate, mean_estimate
from engine.evaluation.embeddings import Centring, ModelEmbeddings
from engine.evaluation.results import Options
from engine.progress import CancelToken

# Rows of similarities at a time, and pairs that the interval of the error rate is taken from.
ROWS_AT_ONCE = 512
MAX_INTERVAL_PAIRS = 60_000


@dataclass(frozen=True)
class DistinctSongs:
    """All pairs of different songs pooled for the EER; every song a query for the rest.

    ``chance_at_1``: what ``r_at_1`` would be for similarities that tell nothing.
    """

    eer: Estimate
    mnr: Estimate
    r_at_1: Estimate
    r_at_10: Estimate
    mean_ap: Estimate
    chance_at_1: float


@dataclass(frozen=True)
class Trials:
    """The paper's trials. ``same_song``: share of positive pairs that are one song twice."""

    eer: Estimate
    mnr: Estimate
    same_song: float
    num_artists: int


def distinct_songs(
    embeddings: ModelEmbeddings,
    centring: Centring,
    weights: np.ndarray,
    seed: int,
    cancel: CancelToken | None = None,
) -> DistinctSongs:
    """Pairs of the same song or of the same known album are left out.

    Intervals: artists drawn again with all their clips, against the same candidates; a negative
    pair counts as often as both of its artists together. Above MAX_INTERVAL_PAIRS pairs, the
    interval of the EER (not its value) is taken from a random part of them.

    Raises EvaluationError when no singer has two songs, or there is one singer only;
    CancelledError.
    """
    cancel = cancel or CancelToken()
    vectors = embeddings.vectors(centring)
    pairs, queries = _Pairs(embeddings, seed), []
    for first in range(0, len(vectors), ROWS_AT_ONCE):
        cancel.check()
        rows = np.arange(first, min(first + ROWS_AT_ONCE, len(vectors)))
        scores = vectors[rows] @ vectors.T
        same_artist = embeddings.artists[rows, None] == embeddings.artists
        left_out = embeddings.songs[rows, None] == embeddings.songs
        left_out |= embeddings.albums[rows, None] == embeddings.albums
        queries += [
            retrieval(scores[i][same_artist[i] & ~left_out[i]], scores[i][~same_artist[i]])
            for i in range(len(rows))
        ]
        later = ~left_out & (np.arange(len(vectors)) > rows[:, None])
        pairs.add(rows, scores, same_artist, later)
    positive, negative = pairs.scores
    if not len(positive) or not len(negative):
        raise EvaluationError(
            "Artist similarity needs at least two singers, and one of them with two songs (of "
            "different albums, where albums are known)."
        )
    replicates = pairs.replicate_eers(weights, cancel)
    eer = estimate(metrics.equal_error_rate(positive, negative), replicates)
    *values, chances = np.array(queries).T
    mnr, r_at_1, r_at_10, mean_ap = (mean_estimate(v, embeddings.artists, weights) for v in values)
    return DistinctSongs(eer, mnr, r_at_1, r_at_10, mean_ap, float(np.nanmean(chances)))


def retrieval(positive: np.ndarray, negative: np.ndarray) -> tuple[float, ...]:
    """MNR, R@1, R@10, mAP and the R@1 by chance of one query; NaN where it has no match."""
    if not len(negative) or not len(positive):
        return (float("nan"),) * 5
    return (
        metrics.normalised_rank(positive, negative),
        metrics.hit_at(positive, negative, 1),
        metrics.hit_at(positive, negative, 10),
        metrics.average_precision(positive, negative),
        len(positive) / (len(positive) + len(negative)),
    )


class _Pairs:
    """Scores of all pairs, and a part of them with their artists for the interval."""

    def __init__(self, embeddings: ModelEmbeddings, seed: int) -> None:
        self._artists = embeddings.artists
        self._rng = np.random.default_rng([seed, 1])
        sizes = np.bincount(embeddings.artists).astype(np.float64)
        num_pairs = len(embeddings.clips) * (len(embeddings.clips) - 1) / 2
        num_positive = float((sizes * (sizes - 1) / 2).sum())
        # Positives are few as a rule: negatives get all of the room that these leave.
        kept_positive = min(num_positive, MAX_INTERVAL_PAIRS / 2)
        room = MAX_INTERVAL_PAIRS - kept_positive
        self._share_of_positives = kept_positive / max(num_positive, 1)
        self._share_of_negatives = min(1.0, room / max(num_pairs - num_positive, 1))
        self._scores: dict[bool, list[np.ndarray]] = {True: [], False: []}
        self._kept: list[np.ndarray] = []  # (n, 3): score, artist, artist

    def add(
        self, rows: np.ndarray, scores: np.ndarray, same_artist: np.ndarray, use: np.ndarray
    ) -> None:
        self._scores[True].append(scores[use & same_artist])
        self._scores[False].append(scores[use & ~same_artist])
        shares = np.where(same_artist, self._share_of_positives, self._share_of_negatives)
        is_kept = use & (self._rng.random(use.shape) < shares)
        i, j = np.nonzero(is_kept)
        self._kept.append(
            np.stack([scores[i, j], self._artists[rows[i]], self._artists[j]], axis=1)
        )

    @property
    def scores(self) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate(self._scores[True]), np.concatenate(self._scores[False])

    def replicate_eers(self, weights: np.ndarray, cancel: CancelToken) -> np.ndarray:
        scores, first, second = np.concatenate(self._kept).T
        return pair_replicates(scores, first.astype(int), second.astype(int), weights, cancel)


def pair_replicates(
    scores: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    weights: np.ndarray,
    cancel: CancelToken,
) -> np.ndarray:
    """EER of pairs of clips under each drawing of artists: (num_replicates,).

    A positive pair counts as often as its artist was drawn, a negative pair as often as the
    artists of both ends, multiplied. NaN with fewer than MIN_ARTISTS.
    """
    if weights.shape[1] < MIN_ARTISTS:
        return np.full(len(weights), np.nan)
    is_positive = first == second
    rates = []
    for rows in np.array_split(weights, max(1, len(scores) * len(weights) // 4_000_000)):
        cancel.check()
        pair_weights = rows[:, first] * np.where(is_positive, 1, rows[:, second])
        rates.append(metrics.weighted_equal_error_rates(scores, is_positive, pair_weights))
    return np.concatenate(rates)


def paper_trials(
    embeddings: ModelEmbeddings,
    centring: Centring,
    weights: np.ndarray,
    options: Options,
    cancel: CancelToken | None = None,
) -> Trials:
    """Trials of 50 artists with two clips each; EER per trial, then the mean over trials.

    A clip's embedding is the plain mean over its excerpts with vocals. Artists are drawn in
    proportion to their segments with vocals, and so is each of their two clips. As in the published
    code both may turn out to be the same song, which flatters; how often is returned.
    Negative pairs are artist i against artist i + 25. Fewer artists: all of them, every time.

    Raises EvaluationError with fewer than two artists who have two clips; CancelledError.
    """
    cancel = cancel or CancelToken()
    rng = np.random.default_rng([options.seed, 2])
    vectors = embeddings.vectors(centring, as_in_paper=True)
    has_voice = embeddings.num_voiced > 0
    clips_of = [
        np.flatnonzero((embeddings.artists == a) & has_voice) for a in range(embeddings.num_artists)
    ]
    able = np.array([a for a, clips in enumerate(clips_of) if len(clips) > 1], dtype=np.int64)
    if len(able) < 2:
        raise EvaluationError("Trials need at least two singers with two clips each.")
    num_artists = min(options.num_artists, len(able))
    segments = np.array([embeddings.num_voiced[clips_of[a]].sum() for a in able], dtype=np.float64)
    eers, replicates, ranks, artists, same = [], [], [], [], []
    for _ in range(options.num_trials):
        drawn = rng.choice(able, num_artists, replace=False, p=segments / segments.sum())
        first, second = np.array([_two_clips(rng, embeddings, clips_of[a]) for a in drawn]).T
        scores = vectors[first] @ vectors[second].T
        other = (np.arange(num_artists) + num_artists // 2) % num_artists
        matches, mismatches = np.diagonal(scores), scores[np.arange(num_artists), other]
        eers.append(metrics.equal_error_rate(matches, mismatches))
        ends = np.concatenate([drawn, drawn]), np.concatenate([drawn, drawn[other]])
        scored = np.concatenate([matches, mismatches])
        replicates.append(pair_replicates(scored, *ends, weights, cancel))
        ranks.append(metrics.diagonal_ranks(scores))
        artists.append(drawn)
        same.append(embeddings.songs[first] == embeddings.songs[second])
    return Trials(
        _trial_estimate(float(np.mean(eers)), np.array(replicates)),
        mean_estimate(np.concatenate(ranks), np.concatenate(artists), weights),
        float(np.mean(same)),
        num_artists,
    )


def _trial_estimate(value: float, replicates: np.ndarray) -> Estimate:
    """The mean error rate of trials, from their replicates (num_trials, num_replicates).

    A trial counts for the drawings that leave it two artists. Drawing a trial's artists again
    leaves it fewer pairs, and error rates of few pairs come out too low; so the interval is moved
    to have its replicates' median at the figure.
    """
    known = np.isfinite(replicates)
    with np.errstate(invalid="ignore"):
        means = np.where(known, replicates, 0.0).sum(0) / known.sum(0)
    middle = np.nanmedian(means) if known.any() else value
    return estimate(value, np.clip(means + value - middle, 0.0, 1.0))


def _two_clips(
    rng: np.random.Generator, embeddings: ModelEmbeddings, clips: np.ndarray
) -> np.ndarray:
    segments = embeddings.num_voiced[clips].astype(np.float64)
    return rng.choice(clips, 2, p=segments / segments.sum())
