"""One input asks for another: only what lies in one space is found."""

from __future__ import annotations

import numpy as np
import pytest
from support.evaluation import context_of, make_embeddings

from engine.errors import EvaluationError
from engine.evaluation import metrics
from engine.evaluation.crossing import cross
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.protocols.artist_similarity import run
from engine.search.index.centre import centre_of_vectors, placed


def all_embeddings(spread: float = 0.5) -> tuple[ModelEmbeddings, ModelEmbeddings]:
    """Five singers' four songs through two inputs; the second lacks one of them."""
    rng = np.random.default_rng(0)
    voices = np.repeat(rng.normal(size=(5, 8)), 4, axis=0)
    singers = [f"s{i}" for i in range(5) for _ in range(4)]
    first, second = (voices + spread * rng.normal(size=voices.shape) for _ in range(2))
    asked = make_embeddings(first, singers, source="vocals")
    songs = [str(i) for i in range(1, 20)]
    return asked, make_embeddings(second[1:], singers[1:], songs, source="mixture")


def test_crossings_are_those_of_a_slow_reference() -> None:
    asked, stored = all_embeddings()
    centre = centre_of_vectors(stored.vectors(), stored.artists)
    queries, candidates = placed(asked.vectors(), centre), placed(stored.vectors(), centre)
    positive, negative, hits = [], [], []
    for query, clip in zip(queries, asked.clips, strict=True):
        others = list(zip(candidates @ query, stored.clips, strict=True))
        own = [s for s, c in others if c.singer == clip.singer and c.song != clip.song]
        strangers = [s for s, c in others if c.singer != clip.singer]
        hits.append(max(own) > max(strangers))
        positive += own
        negative += strangers
    found = cross(asked, stored, 50, 0)
    expected = metrics.equal_error_rate(np.array(positive), np.array(negative))
    assert found.eer.value == pytest.approx(expected)
    assert found.r_at_1.value == pytest.approx(np.mean(hits))
    assert found.eer.low <= found.eer.value <= found.eer.high


def test_one_singer_cannot_be_told_from_others() -> None:
    one = make_embeddings(np.eye(3), ["s"] * 3, source="vocals")
    with pytest.raises(EvaluationError):
        cross(one, make_embeddings(np.eye(3), ["s"] * 3), 10, 0)


def test_a_report_says_what_a_voice_alone_finds_among_mixtures() -> None:
    result = run(context_of(*all_embeddings()))
    table = next(t for t in result.tables if t.name == "crossings")
    assert [row[:3] for row in table.rows] == [("vocals", "mixture", "m")]
