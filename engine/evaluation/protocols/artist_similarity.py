"""Are two songs of one singer more alike than two songs of two singers?

Source: paper, section IV-B (artist similarity), and CVSM.md, "Evaluation, as published".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation import metrics
from engine.evaluation.bootstrap import Estimate, estimate, mean_estimate
from engine.evaluation.data import INPUTS, Input
from engine.evaluation.hearing import Centring, Hearing
from engine.evaluation.results import Bars, Column, Context, Options, Result, Table
from engine.progress import Progress

NAME = "artist-similarity"
TITLE = "Artist similarity"
# Rows of similarities at a time, and pairs that the interval of the error rate is taken from.
ROWS_AT_ONCE = 512
MAX_INTERVAL_PAIRS = 200_000
# Accompaniment alone should tell nothing: from this error rate down, it does.
LEAK_EER = 0.45

_WHO = (Column("input", "input"), Column("model", "model"), Column("centring", "centring"))
_EER = Column("eer", "EER", "%", "lower")
_MNR = Column("mnr", "MNR", "%", "lower")
_RETRIEVAL = (
    Column("r_at_1", "R@1", "%", "higher"),
    Column("r_at_10", "R@10", "%", "higher"),
    Column("map", "mAP", "%", "higher"),
)


@dataclass(frozen=True)
class DistinctSongs:
    """All pairs of different songs pooled for the EER; every song a query for the rest."""

    eer: Estimate
    mnr: Estimate
    r_at_1: Estimate
    r_at_10: Estimate
    mean_ap: Estimate


@dataclass(frozen=True)
class Trials:
    """The paper's trials. ``same_song``: share of positive pairs that are one song twice."""

    eer: Estimate
    mnr: Estimate
    same_song: float
    num_artists: int


def distinct_songs(
    hearing: Hearing, centring: Centring, weights: np.ndarray, seed: int
) -> DistinctSongs:
    """Pairs of the same song or of the same known album are left out.

    Intervals: artists drawn again with all their clips, against the same candidates; a negative
    pair counts as often as both of its artists together. Above MAX_INTERVAL_PAIRS pairs, the
    interval of the EER (not its value) is taken from a random part of them.

    Raises EvaluationError when no singer has two songs, or there is one singer only.
    """
    vectors = hearing.vectors(centring)
    pairs, queries = _Pairs(hearing, seed), []
    for first in range(0, len(vectors), ROWS_AT_ONCE):
        rows = np.arange(first, min(first + ROWS_AT_ONCE, len(vectors)))
        scores = vectors[rows] @ vectors.T
        same_artist = hearing.artists[rows, None] == hearing.artists
        left_out = hearing.songs[rows, None] == hearing.songs
        left_out |= hearing.albums[rows, None] == hearing.albums
        queries += [
            _retrieval(scores[i][same_artist[i] & ~left_out[i]], scores[i][~same_artist[i]])
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
    eer = estimate(metrics.equal_error_rate(positive, negative), pairs.replicate_eers(weights))
    values = np.array(queries).T
    return DistinctSongs(eer, *(mean_estimate(v, hearing.artists, weights) for v in values))


def _retrieval(positive: np.ndarray, negative: np.ndarray) -> tuple[float, float, float, float]:
    if not len(negative):
        return (float("nan"),) * 4
    return (
        metrics.normalised_rank(positive, negative),
        metrics.hit_at(positive, negative, 1),
        metrics.hit_at(positive, negative, 10),
        metrics.average_precision(positive, negative),
    )


class _Pairs:
    """Scores of all pairs, and a part of them with their artists for the interval."""

    def __init__(self, hearing: Hearing, seed: int) -> None:
        self._artists = hearing.artists
        self._rng = np.random.default_rng([seed, 1])
        num_pairs = len(hearing.clips) * (len(hearing.clips) - 1) / 2
        self._share = min(1.0, MAX_INTERVAL_PAIRS / max(num_pairs, 1))
        self._scores: dict[bool, list[np.ndarray]] = {True: [], False: []}
        self._kept: list[np.ndarray] = []  # (n, 3): score, artist, artist

    def add(
        self, rows: np.ndarray, scores: np.ndarray, same_artist: np.ndarray, use: np.ndarray
    ) -> None:
        self._scores[True].append(scores[use & same_artist])
        self._scores[False].append(scores[use & ~same_artist])
        # Positives are few: all of them are kept, unless they alone are too many.
        is_kept = use & (same_artist | (self._rng.random(use.shape) < self._share))
        i, j = np.nonzero(is_kept)
        self._kept.append(
            np.stack([scores[i, j], self._artists[rows[i]], self._artists[j]], axis=1)
        )

    @property
    def scores(self) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate(self._scores[True]), np.concatenate(self._scores[False])

    def replicate_eers(self, weights: np.ndarray) -> np.ndarray:
        scores, first, second = np.concatenate(self._kept).T
        return pair_replicates(scores, first.astype(int), second.astype(int), weights)


def pair_replicates(
    scores: np.ndarray, first: np.ndarray, second: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """EER of pairs of clips under each drawing of artists: (num_replicates,).

    A positive pair counts as often as its artist was drawn, a negative pair as often as the
    artists of both ends, multiplied.
    """
    is_positive = first == second
    rates = []
    for rows in np.array_split(weights, max(1, len(scores) * len(weights) // 4_000_000)):
        pair_weights = rows[:, first] * np.where(is_positive, 1, rows[:, second])
        rates.append(metrics.weighted_equal_error_rates(scores, is_positive, pair_weights))
    return np.concatenate(rates)


def paper_trials(
    hearing: Hearing, centring: Centring, weights: np.ndarray, options: Options
) -> Trials:
    """Trials of 50 artists with two clips each; EER per trial, then the mean over trials.

    Artists are drawn in proportion to their segments, and so is each of their two clips. As in the
    published code both may turn out to be the same song, which flatters; how often is returned.
    Negative pairs are artist i against artist i + 25. Fewer artists: all of them, every time.

    Raises EvaluationError with fewer than two artists who have two clips.
    """
    rng = np.random.default_rng([options.seed, 2])
    vectors = hearing.vectors(centring)
    clips_of = [np.flatnonzero(hearing.artists == a) for a in range(hearing.num_artists)]
    able = np.array([a for a, clips in enumerate(clips_of) if len(clips) > 1], dtype=np.int64)
    if len(able) < 2:
        raise EvaluationError("Trials need at least two singers with two clips each.")
    num_artists = min(options.num_artists, len(able))
    segments = np.array([hearing.num_segments[clips_of[a]].sum() for a in able], dtype=np.float64)
    eers, replicates, ranks, artists, same = [], [], [], [], []
    for _ in range(options.num_trials):
        drawn = rng.choice(able, num_artists, replace=False, p=segments / segments.sum())
        first, second = np.array([_two_clips(rng, hearing, clips_of[a]) for a in drawn]).T
        scores = vectors[first] @ vectors[second].T
        other = (np.arange(num_artists) + num_artists // 2) % num_artists
        matches, mismatches = np.diagonal(scores), scores[np.arange(num_artists), other]
        eers.append(metrics.equal_error_rate(matches, mismatches))
        ends = np.concatenate([drawn, drawn]), np.concatenate([drawn, drawn[other]])
        replicates.append(pair_replicates(np.concatenate([matches, mismatches]), *ends, weights))
        ranks.append(metrics.diagonal_ranks(scores))
        artists.append(drawn)
        same.append(hearing.songs[first] == hearing.songs[second])
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


def _two_clips(rng: np.random.Generator, hearing: Hearing, clips: np.ndarray) -> np.ndarray:
    segments = hearing.num_segments[clips].astype(np.float64)
    return rng.choice(clips, 2, p=segments / segments.sum())


def run(context: Context) -> Result:
    """Both protocols for every model, input and centring, and the leak check."""
    hearings = [h for h in context.heard.hearings if h.source != "accompaniment"]
    if not hearings:
        raise EvaluationError("No clip has any of the inputs asked for.")
    distinct: dict[tuple[Hearing, Centring], DistinctSongs] = {}
    trials: dict[tuple[Hearing, Centring], Trials] = {}
    leaks: dict[Hearing, DistinctSongs] = {}
    for number, hearing in enumerate(context.heard.hearings):
        context.cancel.check()
        context.progress(Progress(NAME, number, len(context.heard.hearings)))
        weights = context.weights(hearing)
        if hearing.source == "accompaniment":
            leaks[hearing] = distinct_songs(hearing, _best(hearing), weights, context.options.seed)
            continue
        for centring in hearing.centrings:
            context.cancel.check()
            distinct[hearing, centring] = distinct_songs(
                hearing, centring, weights, context.options.seed
            )
            trials[hearing, centring] = paper_trials(hearing, centring, weights, context.options)
    leak_notes, warnings = _leak_findings(leaks)
    return Result(
        NAME,
        TITLE,
        tables=(_distinct_table(distinct), _paper_table(trials), *_leak_table(leaks)),
        plots=_plots(distinct, trials),
        notes=(*_notes(hearings, trials, context.options), *leak_notes),
        warnings=warnings,
    )


def _best(hearing: Hearing) -> Centring:
    return "raw" if hearing.centre is None else "model"


def _distinct_table(found: dict[tuple[Hearing, Centring], DistinctSongs]) -> Table:
    rows = tuple(
        (h.source, h.model, c, d.eer, d.mnr, d.r_at_1, d.r_at_10, d.mean_ap, len(h.clips))
        for (h, c), d in found.items()
    )
    columns = (*_WHO, _EER, _MNR, *_RETRIEVAL, Column("clips", "clips"))
    return Table(
        "distinct-songs",
        "Distinct songs, all pairs pooled",
        columns,
        rows,
        "Centring: what is subtracted from a clip's mean before the cosine. raw: nothing; model: "
        "the model's own centre, as in the program; data: the mean of these clips.",
    )


def _paper_table(found: dict[tuple[Hearing, Centring], Trials]) -> Table:
    rows = tuple(
        (h.source, h.model, c, t.eer, t.mnr, t.num_artists, t.same_song)
        for (h, c), t in found.items()
    )
    columns = (
        *_WHO,
        _EER,
        _MNR,
        Column("artists", "artists a trial"),
        Column("same_song", "same song", "%"),
    )
    return Table(
        "paper",
        "The paper's trials",
        columns,
        rows,
        "As in the published code, both clips of an artist may be the same song (last column), "
        "which flatters: compare with the paper only.",
    )


def _leak_table(leaks: dict[Hearing, DistinctSongs]) -> tuple[Table, ...]:
    if not leaks:
        return ()
    rows = tuple((h.model, d.eer, d.mnr, d.r_at_1, len(h.clips)) for h, d in leaks.items())
    columns = (Column("model", "model"), _EER, _MNR, _RETRIEVAL[0], Column("clips", "clips"))
    return (Table("leak-check", "Leak check: accompaniment alone", columns, rows),)


def _leak_findings(leaks: dict[Hearing, DistinctSongs]) -> tuple[list[str], tuple[str, ...]]:
    if not leaks:
        return (
            ["No leak check: the data has no accompaniment of its own to listen to."],
            (),
        )
    warnings = tuple(
        f"Accompaniment alone tells singers apart: {hearing.model} has an EER of "
        f"{100 * found.eer.value:.1f} % ({100 * found.eer.low:.1f} to {100 * found.eer.high:.1f}), "
        "where chance is 50 %. Figures for mixtures (and for separated vocals, which keep traces "
        "of the accompaniment) owe part of this to it, not to voices."
        for hearing, found in leaks.items()
        if found.eer.value < LEAK_EER
    )
    notes = [] if warnings else ["Leak check passed: accompaniment alone is near chance."]
    return notes, warnings


def _notes(
    hearings: list[Hearing], trials: dict[tuple[Hearing, Centring], Trials], options: Options
) -> list[str]:
    counts = {h.source: (h.num_artists, len(h.clips)) for h in hearings}
    notes = [f"{s}: {c} clips by {a} singers." for s, (a, c) in counts.items()]
    smallest = min(t.num_artists for t in trials.values())
    if smallest < options.num_artists:
        notes.append(
            f"Trials hold {smallest} artists instead of {options.num_artists}: there are no more "
            "with two clips. Their figures are easier than the paper's."
        )
    return notes


def _plots(
    distinct: dict[tuple[Hearing, Centring], DistinctSongs],
    trials: dict[tuple[Hearing, Centring], Trials],
) -> tuple[Bars, ...]:
    sources: list[Input] = [s for s in INPUTS if any(h.source == s for h, _ in distinct)]
    models = list(dict.fromkeys(h.model for h, _ in distinct))
    best = {(h.source, h.model): d for (h, c), d in distinct.items() if c == _best(h)}
    paper = {(h.source, h.model): t for (h, c), t in trials.items() if c == _best(h)}

    def bars(name: str, title: str, label: str, chance: float | None, values: dict) -> Bars:  # type: ignore[type-arg]
        series = {m: tuple(values.get((s, m)) for s in sources) for m in models}
        return Bars(name, title, label, tuple(sources), series, chance)

    return (
        bars("eer", "Distinct songs: equal error rate", "EER (lower is better)", 0.5,
             {key: d.eer for key, d in best.items()}),
        bars("r-at-1", "Distinct songs: nearest song has the same singer",
             "R@1 (higher is better)", None, {key: d.r_at_1 for key, d in best.items()}),
        bars("paper-eer", "The paper's trials: equal error rate", "EER (lower is better)", 0.5,
             {key: t.eer for key, t in paper.items()}),
    )  # fmt: skip
