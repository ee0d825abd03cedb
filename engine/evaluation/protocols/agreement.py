"""How often two models recommend the same song.

Source: paper, section V (figure 8).
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.bootstrap import mean_estimate
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.results import Column, Context, HeatMaps, Result, Table
from engine.progress import CancelToken, Progress

NAME = "agreement"
TITLE = "Agreement between models"
ROWS_AT_ONCE = 512


def nearest(embeddings: ModelEmbeddings, cancel: CancelToken, num: int = 1) -> np.ndarray:
    """(num_clips, num) int: the clips of other songs that are most similar to each, -1 without any.

    Of equally similar ones, the first. Raises CancelledError.
    """
    vectors = embeddings.best_vectors
    found = []
    for first in range(0, len(vectors), ROWS_AT_ONCE):
        cancel.check()
        rows = np.arange(first, min(first + ROWS_AT_ONCE, len(vectors)))
        scores = vectors[rows] @ vectors.T
        scores[embeddings.songs[rows, None] == embeddings.songs] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, :num]
        is_there = np.isfinite(np.take_along_axis(scores, best, 1))
        found.append(np.where(is_there, best, -1))
    return np.concatenate(found)


def run(context: Context) -> Result:
    """Every pair of models, for every input."""
    by_source: dict[str, list[ModelEmbeddings]] = {}
    for embeddings in context.embedded.all_embeddings:
        if embeddings.source != "accompaniment":
            by_source.setdefault(embeddings.source, []).append(embeddings)
    models = list(dict.fromkeys(h.model for hs in by_source.values() for h in hs))
    if len(models) < 2:
        raise EvaluationError("Agreement needs two models at least. Name more with --models.")
    rows, panels = [], {}
    for number, (source, all_embeddings) in enumerate(by_source.items()):
        context.progress(Progress(NAME, number, len(by_source), message=source))
        nearest_of = {h.model: nearest(h, context.cancel)[:, 0] for h in all_embeddings}
        shares = np.full((len(models), len(models)), np.nan)
        for one, other in combinations(all_embeddings, 2):
            same = (nearest_of[one.model] == nearest_of[other.model]).astype(float)
            same[nearest_of[one.model] < 0] = math.nan
            share = mean_estimate(same, one.artists, context.weights(one))
            rows.append((source, one.model, other.model, share, len(one.clips)))
            i, j = models.index(one.model), models.index(other.model)
            shares[i, j] = shares[j, i] = share.value
        panels[source] = tuple(tuple(row) for row in shares.tolist())
    columns = (
        Column("input", "input"),
        Column("one", "model"),
        Column("other", "other model"),
        Column("same", "same nearest song", "%"),
        Column("queries", "queries"),
    )
    return Result(
        NAME,
        TITLE,
        (Table("agreement", "Share of queries with the same nearest song", columns, tuple(rows)),),
        (HeatMaps("agreement", "Same nearest song, % of queries", tuple(models), panels, {}),),
    )
