from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import OVERALL, add_tracks, at, put_vectors, unit, vector_embedding

from engine.library import Library, Tags
from engine.library.centres import Centre, centre_of, put_centre
from engine.search import Searcher, SearchOptions
from engine.search.index import centre, graph
from engine.search.index.space_index import SpaceIndex
from engine.search.source import QueryView, Space

COMMON = unit([1.0] * OVERALL.dim)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        yield library


def voices(num_artists: int, sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(vectors, artists): artists around directions of their own, all leaning to one side."""
    random = np.random.default_rng(seed)
    own = random.standard_normal((num_artists, OVERALL.dim)) / 4 + COMMON
    artists = np.repeat(np.arange(num_artists), sizes)
    vectors = own[artists] + random.standard_normal((len(artists), OVERALL.dim)) / 12
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), artists


def fill(library: Library, folder: Path, vectors: np.ndarray, names: list[str]) -> int:
    tracks = add_tracks(library, folder, [Tags(f"Title {i}", n) for i, n in enumerate(names)])
    space_id = put_vectors(library, OVERALL, dict(zip(tracks, vectors, strict=True)))
    with library.database.write() as db:
        db.execute("DELETE FROM centre")
    return space_id


def test_each_artist_counts_once_whatever_the_number_of_songs() -> None:
    vectors, artists = voices(3, [1, 2, 40])
    means = np.stack([vectors[artists == artist].mean(0) for artist in range(3)])
    found = centre.centre_of_vectors(vectors, artists)
    np.testing.assert_allclose(found, 0.5 * means.mean(0), atol=1e-6)  # half: three artists


def test_of_one_artist_nothing_is_taken_away() -> None:
    vectors, _ = voices(1, [9])
    assert not centre.centre_of_vectors(vectors, np.zeros(9, int)).any()


def test_measured_from_the_library_as_from_its_vectors(library: Library, tmp_path: Path) -> None:
    vectors, artists = voices(12, [1, 5, 9, 2] * 3)
    space_id = fill(library, tmp_path, vectors, [f"Artist {artist}" for artist in artists])
    found = centre.measure(library, space_id)
    np.testing.assert_allclose(found.vector, centre.centre_of_vectors(vectors, artists), atol=1e-4)
    assert found.num_embeddings == len(vectors)


def test_tracks_of_nobody_count_one_by_one(library: Library, tmp_path: Path) -> None:
    vectors, _ = voices(6, [1] * 6)
    space_id = fill(library, tmp_path, vectors, ["Ann", "Ann", "", "", "", ""])
    expected = centre.centre_of_vectors(vectors, np.array([0, 0, 1, 2, 3, 4]))
    np.testing.assert_allclose(centre.measure(library, space_id).vector, expected, atol=1e-4)


def test_an_empty_space_has_nothing_in_common(library: Library) -> None:
    space_id = library.space_id(OVERALL)
    assert not centre.measure(library, space_id).vector.any()


def test_singers_stand_out_better_without_what_all_share(library: Library, tmp_path: Path) -> None:
    vectors, artists = voices(40, [5] * 40, seed=1)
    fill(library, tmp_path, vectors, [f"Artist {artist}" for artist in artists])
    stranger = float(vectors[0] @ vectors[-1])
    result = Searcher(library).by_track(1, SearchOptions(by="overall", k=199))
    of_own = [n.similarity for n in result.neighbours if n.track.tags.artist == "Artist 0"]
    others = [n.similarity for n in result.neighbours if n.track.tags.artist != "Artist 0"]
    assert stranger > 0.5  # as they are stored, all are alike
    assert min(of_own) > max(others)
    assert abs(np.mean(others)) < 0.1


def test_kept_until_the_library_has_outgrown_it(library: Library, tmp_path: Path) -> None:
    vectors, artists = voices(6, [2] * 6)
    names = [f"Artist {artist}" for artist in artists]
    space_id = fill(library, tmp_path, vectors[:4], names[:4])
    centre.refresh(library, space_id)
    first = centre_of(library.database, space_id)
    assert first is not None
    lookup = SpaceIndex(library, space_id)
    np.testing.assert_array_equal(lookup.centre(), first.vector)
    more = add_tracks(library, tmp_path, [Tags("More", name) for name in names[4:]])
    for track_id, vector in zip(more, vectors[4:], strict=True):
        library.put_embedding(
            track_id, space_id, vector_embedding(vector), audio_hash=f"{track_id}", duration_s=9
        )
    outgrown = lookup.centre()
    np.testing.assert_allclose(outgrown, centre.centre_of_vectors(vectors, artists), atol=1e-4)
    centre.refresh(library, space_id)
    stored = centre_of(library.database, space_id)
    assert stored is not None
    np.testing.assert_allclose(stored.vector, outgrown, atol=1e-6)


@pytest.mark.parametrize(
    "damage", ["UPDATE centre SET vector = x'00'", "UPDATE centre SET vector = zeroblob(0)"]
)
def test_a_damaged_centre_is_measured_again(library: Library, tmp_path: Path, damage: str) -> None:
    vectors, artists = voices(4, [2] * 4)
    space_id = fill(library, tmp_path, vectors, [f"Artist {artist}" for artist in artists])
    centre.refresh(library, space_id)
    good = SpaceIndex(library, space_id).centre()
    with library.database.write() as db:
        db.execute(damage)
    np.testing.assert_allclose(SpaceIndex(library, space_id).centre(), good)


def test_a_centre_that_is_not_finite_is_none(library: Library) -> None:
    space_id = library.space_id(OVERALL)
    put_centre(library.database, space_id, Centre(np.full(OVERALL.dim, np.nan), 1, 1))
    assert centre_of(library.database, space_id) is None


def test_the_same_vector_stays_the_nearest() -> None:
    vectors = np.stack([at(angle) for angle in (0, 5, 90)]).astype(np.float32)
    shared = centre.centre_of_vectors(vectors, np.arange(3))
    without = centre.placed(vectors, shared)
    np.testing.assert_allclose(np.linalg.norm(without, axis=1), 1, atol=1e-6)
    assert list(np.argsort(-(without @ without[0]))) == [0, 1, 2]


@pytest.mark.parametrize("is_projected", [False, True])
def test_what_the_graph_finds_is_ranked_around_the_centre(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_projected: bool
) -> None:
    if is_projected:  # which loses much here: these voices need all their dimensions
        monkeypatch.setattr(
            graph.projection, "fit", lambda vectors: np.eye(OVERALL.dim, 14, dtype=np.float32)
        )
    vectors, artists = voices(200, [8] * 200, seed=3)
    space_id = fill(library, tmp_path, vectors, [f"Artist {artist}" for artist in artists])
    graph.refresh(library, space_id, num_threads=1)
    assert (graph.load(library, space_id).to_graph is not None) == is_projected
    searcher = Searcher(library)
    space = Space(space_id, OVERALL, centre.measure(library, space_id).vector)
    without = centre.placed(vectors, space.centre)
    num_found = 0
    for place in range(0, len(vectors), 60):
        nearest = np.argsort(-(without @ without[place]))[:20] + 1
        hits = searcher.nearest(QueryView(space, vectors[place].astype(np.float32)), 20)
        assert hits[0] == place + 1
        similarities = without[hits - 1] @ without[place]
        assert (np.diff(similarities) <= 1e-3).all()
        num_found += len(set(nearest.tolist()) & set(hits.tolist()))
    assert num_found >= (0.9 if is_projected else 0.99) * 20 * 27
