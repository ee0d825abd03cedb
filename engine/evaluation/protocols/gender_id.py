"""Does a linear probe tell the label of singers that it never heard?

Source: paper, section IV-B (gender identification). Labels are read from a column of the table;
they are never guessed from names or from sound.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.bootstrap import Estimate, mean_estimate
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.probe import (
    CLIP_LENGTHS_S,
    LabelledClip,
    fit_probe,
    segments_per_clip,
    thinned,
)
from engine.evaluation.results import Column, Context, Curves, Reasons, Result, Table
from engine.progress import Progress

NAME = "gender-id"
TITLE = "Gender identification"
MAX_FOLDS, MIN_SINGERS = 10, 3


@dataclass
class Outcome:
    """Results of all test clips of one model, every labelled clip being one of them once."""

    artists: list[int] = field(default_factory=list)
    correct: list[float] = field(default_factory=list)
    by_length: defaultdict[float, list[float]] = field(default_factory=lambda: defaultdict(list))


def run(context: Context) -> Result:
    """Cross-validation for every model and input, with accuracy by length of the clip.

    An input that does not allow it is noted. Raises EvaluationError when none does.
    """
    all_embeddings = [h for h in context.embedded.all_embeddings if h.source != "accompaniment"]
    outcomes: dict[ModelEmbeddings, Outcome] = {}
    notes: dict[str, None] = {}
    reasons = Reasons()
    chance = 0.0
    for number, embeddings in enumerate(all_embeddings):
        message = f"{embeddings.model}, {embeddings.source}"
        context.progress(Progress(NAME, number, len(all_embeddings), message=message))
        with reasons.noting(embeddings.source):
            classes = classes_of(embeddings, context.options.gender_column)
            folds = deal_folds(classes, context.options.seed)
            outcomes[embeddings] = _cross_validate(embeddings, classes, folds, context)
            counts = Counter(classes.values())
            chance = max(chance, max(counts.values()) / counts.total())
            notes[_note(embeddings.source, len(folds), counts)] = None
    if not outcomes:
        raise reasons.error()
    rows = tuple(
        (h.source, h.model, _mean(context, h, o.correct, o), len(o.correct))
        for h, o in outcomes.items()
    )
    columns = (
        Column("input", "input"),
        Column("model", "model"),
        Column("accuracy", "accuracy", "%", "higher"),
        Column("clips", "clips"),
    )
    panels: dict[str, dict[str, tuple[Estimate, ...]]] = {}
    for h, o in outcomes.items():
        panels.setdefault(h.source, {})[h.model] = tuple(
            _mean(context, h, o.by_length[x], o) for x in CLIP_LENGTHS_S
        )
    curves = Curves("clip-length", "Gender identification by length of the clip", "length, s",
                    "accuracy", CLIP_LENGTHS_S, panels, chance)  # fmt: skip
    table = Table("gender-id", "Linear probe, singers it never heard", columns, rows)
    return Result(NAME, TITLE, (table,), (curves,), (*notes, *reasons.notes))


def _note(source: str, num_folds: int, counts: Counter[str]) -> str:
    singers = ", ".join(f"{count} singers {name!r}" for name, count in sorted(counts.items()))
    return (
        f"{source}: {num_folds} folds of singers; {singers}. The dashed line is the share of the "
        "larger class."
    )


def classes_of(embeddings: ModelEmbeddings, column: str) -> dict[int, str]:
    """The label of each singer that has one. Raises EvaluationError where they do not do."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for artist, clip in zip(embeddings.artists, embeddings.clips, strict=True):
        if label := clip.label(column):
            found[int(artist)].add(label)
    if not found:
        raise EvaluationError(
            f"The data has no labels in a column {column!r}. Give them in the table: they are "
            "never guessed."
        )
    if mixed := [labels for labels in found.values() if len(labels) > 1]:
        raise EvaluationError(
            f"{len(mixed)} singers have more than one label in the column {column!r} (one has "
            f"{' and '.join(sorted(mixed[0]))}). Give each singer one, or leave it empty."
        )
    classes = {artist: labels.pop() for artist, labels in found.items()}
    counts = {name: list(classes.values()).count(name) for name in sorted({*classes.values()})}
    if len(counts) < 2:
        raise EvaluationError(
            f"All singers have the same label in the column {column!r}: there is nothing to tell "
            "apart."
        )
    if min(counts.values()) < MIN_SINGERS:
        few = min(counts, key=lambda name: counts[name])
        raise EvaluationError(
            f"Of singers labelled {few!r} there are {counts[few]}; each label needs {MIN_SINGERS} "
            "(one to learn from, one to know when to stop, one to test)."
        )
    return classes


def deal_folds(classes: dict[int, str], seed: int) -> list[list[int]]:
    """Singers in up to 10 folds, each label spread evenly over them and present in each."""
    names = sorted({*classes.values()})
    num_folds = min(MAX_FOLDS, *(list(classes.values()).count(name) for name in names))
    folds: list[list[int]] = [[] for _ in range(num_folds)]
    rng = np.random.default_rng([seed, 5])
    for number, name in enumerate(names):
        singers = rng.permutation(sorted(a for a, label in classes.items() if label == name))
        for place, singer in enumerate(singers):
            # From both ends in turn, so that the first folds do not get all of the surplus.
            at = place % num_folds
            folds[at if number % 2 == 0 else num_folds - 1 - at].append(int(singer))
    return folds


def _cross_validate(
    embeddings: ModelEmbeddings, classes: dict[int, str], folds: list[list[int]], context: Context
) -> Outcome:
    targets = {name: i for i, name in enumerate(sorted({*classes.values()}))}
    num_clips = sum(int((embeddings.artists == artist).sum()) for artist in classes)
    per_clip = segments_per_clip(num_clips)
    clips: dict[int, list[LabelledClip]] = {}
    for artist, name in classes.items():
        of_artist = np.flatnonzero(embeddings.artists == artist)
        context.cancel.check()
        clips[artist] = [
            LabelledClip(thinned(embeddings.excerpts(int(i)), per_clip), targets[name])
            for i in of_artist
        ]
    outcome = Outcome()
    for number, fold in enumerate(folds):
        context.cancel.check()
        stopping = folds[(number + 1) % len(folds)]
        learning = [a for a in classes if a not in fold and a not in stopping]
        probe = fit_probe(
            [clip for a in learning for clip in clips[a]],
            [clip for a in stopping for clip in clips[a]],
            len(targets),
            context.options.seed,
            context.cancel,
        )
        for artist in fold:
            for clip in clips[artist]:
                outcome.artists.append(artist)
                outcome.correct.append(float(probe.predict(clip) == clip.target))
                for length_s in CLIP_LENGTHS_S:
                    outcome.by_length[length_s].append(probe.share_correct(clip, length_s))
    return outcome


def _mean(
    context: Context, embeddings: ModelEmbeddings, values: list[float], outcome: Outcome
) -> Estimate:
    return mean_estimate(np.array(values), np.array(outcome.artists), context.weights(embeddings))
