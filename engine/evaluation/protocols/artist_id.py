"""Who sings? A linear probe tells 50 artists apart, on songs that it has not heard.

Source: paper, section IV-B (artist identification), figures 3 and 4.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation import metrics
from engine.evaluation.bootstrap import Estimate, mean_estimate
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.probe import (
    CLIP_LENGTHS_S,
    SEGMENT_S,
    Answers,
    LabelledClip,
    accuracy_curves,
    fit_probe,
    segments_per_clip,
    spread,
)
from engine.evaluation.results import Cell, Column, Context, Result, Table

NAME = "artist-id"
TITLE = "Artist identification"
LABEL_SHARES = (0.05, 0.10, 0.25, 0.50, 0.75, 1.0)
MIN_SONGS = 3
Split = tuple[list[LabelledClip], list[LabelledClip], list[LabelledClip]]
Means = dict[ModelEmbeddings, tuple[Estimate, ...]]


@dataclass
class Outcome(Answers):
    """What the repeats of one model add up to, with all labels and with a share of them."""

    num_artists: int = 0
    class_artists: list[int] = field(default_factory=list)
    f1: list[float] = field(default_factory=list)
    by_share: defaultdict[float, list[float]] = field(default_factory=lambda: defaultdict(list))


def run(context: Context) -> Result:
    """Repeats for every model and input, and both curves."""
    outcomes, reasons = context.measure(NAME, lambda embeddings: _repeats(context, embeddings))
    num_artists = [*outcomes.values()][-1].num_artists
    notes = [
        *reasons,
        f"{context.options.num_repeats} repeats with {num_artists} artists each; songs of each "
        "artist split 8:1:1 into training, validation and test.",
    ]
    if num_artists < context.options.num_artists:
        notes.append(
            f"The paper has {context.options.num_artists} artists; there are no more with "
            f"{MIN_SONGS} songs."
        )
    lengths = {h: o.means(context, h, *o.by_length.values()) for h, o in outcomes.items()}
    shares = {h: o.means(context, h, *o.by_share.values()) for h, o in outcomes.items()}
    percents = tuple(100 * share for share in LABEL_SHARES)
    return Result(
        NAME,
        TITLE,
        tables=(_table(context, outcomes), _length_table(lengths), _share_table(shares)),
        plots=(
            accuracy_curves("clip-length", "Artist identification by length of the clip",
                            "length, s", CLIP_LENGTHS_S, lengths, 1 / num_artists),
            accuracy_curves("label-share", "Artist identification by share of labels",
                            "share of labels, %", percents, shares, 1 / num_artists),
        ),
        notes=tuple(notes),
    )  # fmt: skip


def _repeats(context: Context, embeddings: ModelEmbeddings) -> Outcome:
    outcome, options = Outcome(), context.options
    for repeat in range(options.num_repeats):
        rng = np.random.default_rng([options.seed, repeat, 4])
        artists = choose_artists(embeddings, options.num_artists, rng)
        train, valid, test = split(embeddings, artists, rng)
        order = rng.random(sum(len(clip.excerpts) for clip in (*train, *valid)))
        for share in LABEL_SHARES:
            context.cancel.check()
            seed = options.seed + 1000 * repeat
            few_train, few_valid = labelled_share((train, valid), share, order)
            probe = fit_probe(few_train, few_valid, len(artists), seed, context.cancel)
            correct = [float(probe.predict(clip) == clip.target) for clip in test]
            outcome.by_share[share] += correct
        for clip in test:  # with all labels
            outcome.add(probe, clip, int(artists[clip.target]))
        true = np.array([clip.target for clip in test])
        predicted = np.array([probe.predict(clip) for clip in test])
        outcome.class_artists += artists.tolist()
        outcome.f1 += metrics.f1_scores(true, predicted, np.arange(len(artists))).tolist()
        outcome.num_artists = len(artists)
    return outcome


def choose_artists(
    embeddings: ModelEmbeddings, num_artists: int, rng: np.random.Generator
) -> np.ndarray:
    """Artists with enough songs for all three parts. Raises EvaluationError below two."""
    able = [
        artist
        for artist in range(embeddings.num_artists)
        if len(np.unique(embeddings.songs[embeddings.artists == artist])) >= MIN_SONGS
    ]
    if len(able) < 2:
        raise EvaluationError(
            f"Artist identification needs two singers with {MIN_SONGS} songs each (one to learn "
            f"from, one to know when to stop, one to test); there are {len(able)}."
        )
    return np.sort(rng.choice(able, min(num_artists, len(able)), replace=False))


def split(embeddings: ModelEmbeddings, artists: np.ndarray, rng: np.random.Generator) -> Split:
    """Clips for training, validation and test, 8:1:1 by song, each part with every artist.

    Of many clips only some segments are kept; of test clips enough for the longest of the lengths.
    """
    parts: Split = ([], [], [])
    per_clip = segments_per_clip(int(np.isin(embeddings.artists, artists).sum()))
    limits = (per_clip, per_clip, max(per_clip, round(max(CLIP_LENGTHS_S) / SEGMENT_S)))
    for target, artist in enumerate(artists):
        songs = rng.permutation(np.unique(embeddings.songs[embeddings.artists == artist]))
        num_held = max(1, round(len(songs) / 10))
        bounds = (songs[2 * num_held :], songs[num_held : 2 * num_held], songs[:num_held])
        for part, of_part, limit in zip(parts, bounds, limits, strict=True):
            for clip in np.flatnonzero(np.isin(embeddings.songs, of_part)):
                part.append(LabelledClip(spread(embeddings.excerpts(int(clip)), limit), target))
    return parts


def labelled_share(
    parts: tuple[list[LabelledClip], list[LabelledClip]], share: float, order: np.ndarray
) -> tuple[list[LabelledClip], list[LabelledClip]]:
    """Keep a share of every artist's segments in training and validation, one at least.

    Smaller shares are parts of the larger ones. ``order``: a random number for each segment.
    """
    kept: tuple[list[LabelledClip], list[LabelledClip]] = ([], [])
    offset = 0
    for part, few in zip(parts, kept, strict=True):
        lengths = [len(clip.excerpts) for clip in part]
        ranks = np.split(order[offset : offset + sum(lengths)], np.cumsum(lengths)[:-1])
        offset += sum(lengths)
        for target in {clip.target for clip in part}:
            own = [i for i, clip in enumerate(part) if clip.target == target]
            pooled = np.sort(np.concatenate([ranks[i] for i in own]))
            limit = pooled[max(1, round(share * len(pooled))) - 1]
            few += [part[i].kept(ranks[i] <= limit) for i in own if (ranks[i] <= limit).any()]
    return kept


def _table(context: Context, outcomes: dict[ModelEmbeddings, Outcome]) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            h.source,
            h.model,
            *o.means(context, h, o.correct),
            mean_estimate(np.array(o.f1), np.array(o.class_artists), context.weights(h)),
            len(o.correct),
        )
        for h, o in outcomes.items()
    )
    columns = (
        Column("input", "input"),
        Column("model", "model"),
        Column("accuracy", "accuracy", "%", "higher"),
        Column("macro_f1", "macro-F1", "%", "higher"),
        Column("test_clips", "test clips"),
    )
    return Table("artist-id", "Linear probe, all labels, whole clips", columns, rows)


def _length_table(means: Means) -> Table:
    columns = tuple(Column(f"s_{x:g}", f"{x:g} s", "%", "higher") for x in CLIP_LENGTHS_S)
    note = (
        "Parts of a test clip, side by side; a clip that is shorter is taken whole. –: the model "
        "hears longer parts at once."
    )
    return _curve_table("clip-length", "Accuracy by length of the clip", columns, means, note)


def _share_table(means: Means) -> Table:
    columns = tuple(
        Column(f"share_{100 * x:g}", f"{100 * x:g} % of labels", "%", "higher")
        for x in LABEL_SHARES
    )
    note = "Of each artist's segments of 5 s in training and validation."
    return _curve_table("label-share", "Accuracy by share of labels", columns, means, note)


def _curve_table(
    name: str, title: str, columns: tuple[Column, ...], means: Means, note: str
) -> Table:
    who = (Column("input", "input"), Column("model", "model"))
    rows: tuple[tuple[Cell, ...], ...] = tuple((h.source, h.model, *e) for h, e in means.items())
    return Table(name, title, (*who, *columns), rows, note)
