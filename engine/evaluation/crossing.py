"""Songs heard through one input ask for songs heard through another: a voice alone for mixtures.

A library holds mixtures at first, separated voices later, and is asked by recordings of a voice
alone. All of these lie in one space only if a question of one kind finds the other kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation import metrics
from engine.evaluation.bootstrap import Estimate, estimate, mean_estimate, replicate_weights
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.evaluation_data import Input
from engine.evaluation.similarity import pair_replicates, retrieval
from engine.progress import CancelToken
from engine.search.index.centre import centre_of_vectors, placed

CROSSINGS: tuple[tuple[Input, Input], ...] = (
    ("vocals", "separated"),
    ("vocals", "mixture"),
    ("separated", "mixture"),
)


@dataclass(frozen=True)
class Crossing:
    """As in ``DistinctSongs``; every song heard through the first input is a query."""

    eer: Estimate
    r_at_1: Estimate
    mean_ap: Estimate


def cross(
    queries: ModelEmbeddings,
    candidates: ModelEmbeddings,
    num_replicates: int,
    seed: int,
    cancel: CancelToken | None = None,
) -> Crossing:
    """One model's songs through one input against its songs through another.

    As the program compares: both sides less what all singers of the candidates share. Pairs of one
    song are left out. Raises EvaluationError when no singer has another song, or there is one
    singer only; CancelledError.
    """
    asked, stored = (
        h.vectors("raw" if h.geometry is None else "model") for h in (queries, candidates)
    )
    centre = centre_of_vectors(stored, candidates.artists)
    scores = placed(asked, centre) @ placed(stored, centre).T
    (artist, song), (other_artist, other_song) = _numbered(queries, candidates)
    is_same = artist[:, None] == other_artist
    is_used = song[:, None] != other_song
    positive, negative = scores[is_same & is_used], scores[~is_same]
    if not len(positive) or not len(negative):
        raise EvaluationError("No singer has another song in the other input.")
    weights = replicate_weights(
        int(max(artist.max(), other_artist.max())) + 1, num_replicates, seed
    )
    first, second = np.nonzero(is_used)
    replicates = pair_replicates(
        scores[is_used], artist[first], other_artist[second], weights, cancel or CancelToken()
    )
    found = [
        retrieval(row[same & used], row[~same])
        for row, same, used in zip(scores, is_same, is_used, strict=True)
    ]
    _, hits, _, precisions, _ = np.array(found).T
    return Crossing(
        estimate(metrics.equal_error_rate(positive, negative), replicates),
        mean_estimate(hits, artist, weights),
        mean_estimate(precisions, artist, weights),
    )


def _numbered(*all_embeddings: ModelEmbeddings) -> list[tuple[np.ndarray, np.ndarray]]:
    """Singer and song of each clip, (n,) int both, by numbers that all embeddings share."""
    singers: dict[str, int] = {}
    songs: dict[tuple[str, str], int] = {}
    return [
        (
            np.array([singers.setdefault(c.singer, len(singers)) for c in h.clips]),
            np.array([songs.setdefault((c.singer, c.song), len(songs)) for c in h.clips]),
        )
        for h in all_embeddings
    ]
