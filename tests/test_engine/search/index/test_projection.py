from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import add_tracks

from engine.library import Library, Tags, indexes
from engine.records import SpaceKey
from engine.search import Searcher
from engine.search.index import graph, projection
from engine.search.source import QueryView, Space

DIM = 80
NUM_TRACKS = projection.MIN_ROWS_PER_DIM * DIM
WIDE = SpaceKey("wide", "1" * 64, "overall", None, DIM)


def voices(num: int, seed: int = 0, num_directions: int = 12) -> np.ndarray:
    """(num, DIM) around a mean, in few directions, and a little in all others."""
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(np.random.default_rng(99).standard_normal((DIM, DIM)))[0]
    spread = np.where(np.arange(DIM) < num_directions, 1.0, 0.02)
    vectors = axes[-1] + (random.standard_normal((num, DIM)) * spread) @ axes
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def store(library: Library, vectors: np.ndarray, first: int) -> None:
    space_id = library.space_id(WIDE)
    rows = [
        (first + i, space_id, vector.astype("<f2").tobytes()) for i, vector in enumerate(vectors)
    ]
    with library.database.write() as db:
        db.executemany("INSERT INTO embedding (track_id, space_id, vector) VALUES (?, ?, ?)", rows)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Room for twice the tracks that a projection needs; the first half is heard and indexed."""
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path, [Tags(f"Song {i}", "X") for i in range(2 * NUM_TRACKS)])
        store(library, voices(NUM_TRACKS), 1)
        graph.refresh(library, 1, num_threads=1)
        yield library


def metric(library: Library) -> str:
    found = indexes.index_of(library.database, 1)
    assert found is not None
    return found[1].metric


def recall(library: Library, queries: np.ndarray) -> float:
    searcher, num_found = Searcher(library), 0
    space = Space(1, library.space(1), np.zeros(DIM, np.float32))
    track_ids, vectors = library.embeddings(1)
    for query in queries:
        true = track_ids[np.argsort(-(vectors @ query))[:10]]
        hits = searcher.nearest(QueryView(space, query), 10)
        num_found += len(set(true.tolist()) & set(hits.tolist()))
    return num_found / (10 * len(queries))


def test_products_survive_it_with_and_without_a_mean_in_the_query() -> None:
    vectors = voices(2000)
    to_graph = projection.fit(vectors)
    assert to_graph is not None
    assert to_graph.shape == (DIM, 32)
    np.testing.assert_allclose(to_graph.T @ to_graph, np.eye(32), atol=1e-5)
    for query in (vectors[0], vectors[0] - vectors.mean(0)):
        near = (vectors @ to_graph) @ (query @ to_graph)
        assert np.abs(near - vectors @ query).max() < 0.02


def test_vectors_that_need_all_their_dimensions_keep_them() -> None:
    assert projection.fit(voices(2000, num_directions=DIM)) is None


def test_a_large_graph_is_projected_and_finds_what_exact_search_finds(library: Library) -> None:
    assert metric(library) == "ip/32"
    assert graph.load(library, 1).graph.dim == 32
    assert recall(library, voices(NUM_TRACKS)[::40]) > 0.99


def test_it_is_made_anew_for_songs_of_another_kind(library: Library) -> None:
    others = voices(NUM_TRACKS // 3, seed=1, num_directions=DIM)
    store(library, others, NUM_TRACKS + 1)
    assert graph.refresh(library, 1, num_threads=1)
    assert metric(library) == "ip"
    assert recall(library, others[::20]) > 0.99


def test_a_small_graph_that_has_grown_is_projected(library: Library) -> None:
    with library.database.write() as db:
        db.execute("DELETE FROM embedding WHERE track_id > 300")
    graph.refresh(library, 1, num_threads=1)
    assert metric(library) == "ip"
    store(library, voices(NUM_TRACKS, seed=1), 301)
    assert graph.refresh(library, 1, num_threads=1)
    assert metric(library) == "ip/32"


@pytest.mark.parametrize("columns", ["metric = 'ip/64'", "metric = 'ip'", "metric = 'ip/x'"])
def test_a_projection_that_is_not_what_the_record_says(library: Library, columns: str) -> None:
    with library.database.write() as db:
        db.execute(f"UPDATE hnsw_index SET {columns}")
    with pytest.raises(graph.UnusableIndexError):
        graph.load(library, 1)
