"""Does a linear probe tell the label of singers that it never heard?

Source: paper, section IV-B (gender identification). Labels are read from a column of the table;
they are never guessed from names or from sound.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.probe import (
    CLIP_LENGTHS_S,
    Answers,
    LabelledClip,
    accuracy_curves,
    fit_probe,
    segments_per_clip,
    spread,
)
from engine.evaluation.results import Cell, Column, Context, Result, Table

NAME = "gender-id"
TITLE = "Gender identification"
MAX_FOLDS, MIN_SINGERS = 10, 3


def run(context: Context) -> Result:
    """Cross-validation for every model and input, with accuracy by length of the clip.

    An input that does not allow it is noted. Raises EvaluationError when none does.
    """
    notes: dict[str, None] = {}
    chances = []

    def one(embeddings: ModelEmbeddings) -> Answers:
        classes = classes_of(embeddings, context.options.gender_column)
        folds = deal_folds(classes, context.options.seed)
        answers = _cross_validate(embeddings, classes, folds, context)
        counts = Counter(classes.values())
        chances.append(max(counts.values()) / counts.total())
        notes[_note(embeddings.source, len(folds), counts)] = None
        return answers

    found, reasons = context.measure(NAME, one)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (h.source, h.model, *a.means(context, h, a.correct), len(a.correct))
        for h, a in found.items()
    )
    columns = (
        Column("input", "input"),
        Column("model", "model"),
        Column("accuracy", "accuracy", "%", "higher"),
        Column("clips", "clips"),
    )
    by_length = {h: a.means(context, h, *a.by_length.values()) for h, a in found.items()}
    title = "Gender identification by length of the clip"
    curves = accuracy_curves(
        "clip-length", title, "length, s", CLIP_LENGTHS_S, by_length, max(chances)
    )
    table = Table("gender-id", "Linear probe, singers it never heard", columns, rows)
    return Result(NAME, TITLE, (table,), (curves,), (*notes, *reasons))


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
) -> Answers:
    targets = {name: i for i, name in enumerate(sorted({*classes.values()}))}
    num_clips = sum(int((embeddings.artists == artist).sum()) for artist in classes)
    per_clip = segments_per_clip(num_clips)
    clips: dict[int, list[LabelledClip]] = {}
    for artist, name in classes.items():
        of_artist = np.flatnonzero(embeddings.artists == artist)
        context.cancel.check()
        clips[artist] = [
            LabelledClip(spread(embeddings.excerpts(int(i)), per_clip), targets[name])
            for i in of_artist
        ]
    answers = Answers()
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
                answers.add(probe, clip, artist)
    return answers
