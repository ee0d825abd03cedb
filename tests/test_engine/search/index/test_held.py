"""What is in memory of a space: near enough to choose what is read, never more than it says off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import OVERALL, VOCALS, add_tracks, put_vectors

from engine.library import Library, SpaceKey, Tags, View
from engine.search import Searcher, SearchOptions
from engine.search.index import centre, graph
from engine.search.index.copies import Copies
from engine.search.index.held import HeldSpace, Rows
from engine.search.index.lookup import SpaceLookup, ranked
from engine.search.scoring import Heard, settled

NUM = 330
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
    folder = tmp_path_factory.mktemp("held")
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
        shared = SpaceLookup(library, space_id).centre()
        ids, vectors = library.embeddings(space_id)
        rows = centre.placed(vectors, shared)
        query = rows[ids.tolist().index(track_id)]
        for other, row in zip(ids.tolist(), rows, strict=True):
            total[other] = total.get(other, 0.0) + 0.5 * float(row @ query)
    del total[track_id]
    return total


def test_rows_of_ids() -> None:
    rows = Rows.of(np.array([7, -1, 4, 9]))
    assert rows[np.array([4, 7, 9, 5, 3, 10, -1, 0])].tolist() == [2, 0, 3, -1, -1, -1, -1, -1]
    assert Rows.of(np.empty(0, np.int64))[np.array([0, 1])].tolist() == [-1, -1]
    assert Rows.of(np.array([-1]))[np.array([0])].tolist() == [-1]


def test_copies_are_off_by_less_than_they_say() -> None:
    vectors, shared = voices(2000, 0), voices(50, 1).mean(0) / 2
    copies = Copies.of(vectors)
    assert copies.codes.nbytes == vectors.size
    assert copies.lost == pytest.approx(0, abs=1e-6)
    for query in centre.placed(voices(20, 2), shared):
        found = copies.similarities(np.arange(2000), query, shared)
        off = np.abs(found - centre.placed(vectors, shared) @ query)
        slack = copies.slack(query, 0.0, shared)
        assert (off < slack).mean() > 0.99
        assert slack < 0.05


def test_copies_of_part_of_the_dimensions_say_what_is_lost() -> None:
    vectors = voices(500, 0)
    copies = Copies.of(vectors[:, :12])
    assert copies.lost == pytest.approx(np.square(vectors[:, 12:]).sum(1).mean(), abs=1e-5)
    assert copies.slack(vectors[0, :12], 0.2, np.zeros(12)) > copies.lost**0.5 * 0.2**0.5


def test_every_song_can_be_compared_in_memory(library: Library) -> None:
    held = HeldSpace.load(library, 1)
    ids, vectors = library.embeddings(1)
    nothing, query = np.zeros(OVERALL.dim, np.float32), vectors[7]
    asked = np.array([0, *range(1, NUM + 1), 10**6])
    found = held.similarities(asked, query, nothing)
    assert set(asked[~np.isnan(found)].tolist()) == set(ids.tolist())
    off = np.abs(found[ids] - vectors @ query)
    assert off.max() < 2 * held.slack(query, nothing)


def test_songs_are_settled_in_their_exact_order(library: Library) -> None:
    """However wrong the order is that they come in, within what it says of itself."""
    ids, vectors = library.embeddings(1)
    nothing, query = np.zeros(OVERALL.dim, np.float32), vectors[3]
    noise = np.random.default_rng(5).uniform(-0.1, 0.1, len(ids))
    hits = ranked(np.append(ids, 10**6), np.append(vectors @ query + noise, 0.5), slack=0.1)
    heard: dict[View, Heard] = {"vocals": Heard(1, nothing, query, query, None)}
    known, few = dict[int, np.ndarray](), dict[int, np.ndarray]()
    lookup = Searcher(library).lookup
    batches = list(settled(lookup, heard, {"vocals": 1.0}, hits, 4, known))
    found = np.concatenate([batch.similarities for batch in batches])
    np.testing.assert_allclose(found, np.sort(vectors @ query)[::-1], atol=1e-6)
    assert set(known) == set(ids.tolist())
    first = next(settled(lookup, heard, {"vocals": 1.0}, hits, 4, few))
    assert len(first.track_ids) <= 4 == len(few)  # no more is read than it takes


@pytest.mark.parametrize("track_id", [1, 52, 203])
def test_a_blend_through_graphs_is_what_an_exact_one_is(library: Library, track_id: int) -> None:
    assert all(HeldSpace.load(library, space_id) for space_id, _ in library.spaces())
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
