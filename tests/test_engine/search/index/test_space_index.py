"""What is in memory of a space: near enough to choose what is read, never more than it says off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import OVERALL, VOCALS, add_tracks, put_vectors

from engine.library import Library, Tags
from engine.records import SpaceKey
from engine.search import Scope, Searcher, SearchOptions
from engine.search.index import centre, graph
from engine.search.index.space_index import SpaceIndex

NUM = 1600
BOTH: tuple[SpaceKey, SpaceKey] = (VOCALS, OVERALL)


def voices(num: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((num, OVERALL.dim)) + np.linspace(1, 0, OVERALL.dim)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def fill(library: Library, folder: Path) -> None:
    """Songs in two views that have nothing to do with each other; in every fifth nobody sings."""
    tracks = add_tracks(library, folder, [Tags(f"Song {i}", f"Singer {i}") for i in range(NUM)])
    for seed, key in enumerate(BOTH):
        heard = [t for t in tracks if key is OVERALL or t % 5]
        space_id = put_vectors(library, key, dict(zip(heard, voices(NUM, seed), strict=False)))
        graph.refresh(library, space_id, num_threads=1)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("space")
    with Library.open(folder / "library.db") as library:
        fill(library, folder)
        yield library


@pytest.fixture(autouse=True)
def toy_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")


def exact_blend(library: Library, track_id: int) -> dict[int, float]:
    """Of all other songs, from the stored vectors, one at a time."""
    total = dict[int, float]()
    for space_id, _ in library.spaces():
        shared = SpaceIndex(library, space_id).centre()
        ids, vectors = library.embeddings(space_id)
        rows = centre.placed(vectors, shared)
        query = rows[ids.tolist().index(track_id)]
        for other, row in zip(ids.tolist(), rows, strict=True):
            total[other] = total.get(other, 0.0) + 0.5 * float(row @ query)
    del total[track_id]
    return total


def graphs_serve(library: Library) -> bool:
    """Whether searches go through the graphs, as large as these spaces are."""
    for space_id, _ in library.spaces():
        loaded = SpaceIndex(library, space_id).current()
        if loaded.nearest(loaded.matrix.vectors(np.array([0]))[0], 192, None).is_all:
            return False
    return True


@pytest.mark.parametrize("track_id", [1, 52, 203])
def test_a_blend_through_graphs_is_what_an_exact_one_is(library: Library, track_id: int) -> None:
    assert graphs_serve(library)
    found = Searcher(library).by_track(track_id, SearchOptions(by="blend", k=10))
    true = exact_blend(library, track_id)
    best = sorted(true, key=lambda other: -true[other])[:10]
    assert [neighbour.track.id for neighbour in found.neighbours] == best
    similarities = [neighbour.similarity for neighbour in found.neighbours]
    assert similarities == pytest.approx([true[other] for other in best], abs=1e-6)
    assert found.note is None


def test_what_was_heard_anew_or_has_gone_since_the_graph_was_loaded(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library.db") as library:
        fill(library, tmp_path)
        assert graphs_serve(library)
        searcher = Searcher(library)
        asked = SearchOptions(by="blend", k=3)
        best = [n.track.id for n in searcher.by_track(1, asked).neighbours]
        with library.database.write() as db:
            db.execute("DELETE FROM embedding WHERE track_id = ?", (best[0],))
        for key in BOTH:  # now the opposite of what it was, and what was near is far
            _, (query,) = library.embeddings(library.space_id(key), [1])
            put_vectors(library, key, {best[1]: -query, 200: query})
        true = exact_blend(library, 1)
        found = searcher.by_track(1, asked).neighbours
        assert [n.track.id for n in found] == sorted(true, key=lambda other: -true[other])[:3]
        assert found[0].track.id == 200
        assert not set(best[:2]) & {n.track.id for n in found}


def test_a_graph_is_asked_for_more_where_a_scope_leaves_much_out(tmp_path: Path) -> None:
    num = 3000
    with Library.open(tmp_path / "library.db") as library:
        genres = ["Jazz", "Pop", "Pop"]
        tags = [Tags(f"Song {i}", f"Singer {i}", genre=genres[i % 3]) for i in range(num)]
        tracks = add_tracks(library, tmp_path, tags)
        vectors = voices(num, 3)
        put_vectors(library, OVERALL, dict(zip(tracks, vectors, strict=True)))
        graph.refresh(library, 1, num_threads=1)
        loaded = SpaceIndex(library, 1).current()
        allowed = np.array(tracks)[np.arange(num) % 3 > 0]
        pop = loaded.nearest(vectors[1], 192, allowed)
        assert not pop.is_all
        assert len(pop.track_ids) > 150
        assert np.isin(pop.track_ids, allowed).all()
        jazz = loaded.nearest(vectors[1], 192, np.array(tracks)[::300])  # quicker one by one
        assert jazz.is_all
        searcher, scope = Searcher(library), Scope(genres=frozenset({"pop"}))
        for row in range(0, num, 100):
            found = searcher.by_track(tracks[row], SearchOptions("overall", scope=scope))
            similarities = np.where(np.arange(num) % 3 > 0, vectors @ vectors[row], -1)
            similarities[row] = -1
            best = np.array(tracks)[np.argsort(-similarities)[:10]]
            assert len(set(best.tolist()) & {n.track.id for n in found.neighbours}) >= 9
