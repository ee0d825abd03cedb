from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest
from support.libraries import DIM, VOCALS, add_tracks, put_vectors, unit

from engine.errors import CancelledError, QueryError
from engine.library import Library, Tags, files
from engine.progress import CancelToken
from engine.search import Searcher
from engine.search import journey as journeys
from engine.search.index import graph
from engine.search.journey import Journey, journey, smallest_steps


@pytest.fixture(autouse=True)
def toy_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")


def at(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return unit([np.cos(angle), np.sin(angle)] + [0.0] * (DIM - 2))


ARTISTS = ("Ann", "Ann", "Bob", "Ann", "Bob", "Cid", "Dan")
ANGLES = (0, 90, 20, 25, 50, 70, 71)  # ids 1 to 7: from 0 to 90 degrees


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        tags = [Tags(f"Title {i}", artist) for i, artist in enumerate(ARTISTS)]
        add_tracks(library, tmp_path, tags)
        put_vectors(library, VOCALS, {i: at(angle) for i, angle in enumerate(ANGLES, start=1)})
        yield library


def ids(found: Journey) -> list[int]:
    return [track.id for track in found.tracks]


def go(library: Library, start: int, goal: int, **options: object) -> list[int]:
    return ids(journey(Searcher(library), start, goal, **options))  # type: ignore[arg-type]


def test_the_largest_step_is_as_small_as_can_be(library: Library) -> None:
    found = journey(Searcher(library), 1, 2)
    gaps = np.degrees(np.arccos(np.clip(found.similarities, -1, 1)))
    assert gaps.max() == pytest.approx(25, abs=0.2)
    assert ids(found) == [1, 4, 5, 6, 2]  # 25, 25, 20, 20: as small, and a song less


def test_there_and_back_is_the_same_way(library: Library) -> None:
    assert go(library, 2, 1) == go(library, 1, 2)[::-1]


@pytest.mark.parametrize(("max_songs", "expected"), [(2, [1, 2]), (3, [1, 5, 2]), (4, 4)])
def test_with_few_songs_the_steps_are_larger(
    library: Library, max_songs: int, expected: list[int] | int
) -> None:
    found = go(library, 1, 2, max_songs=max_songs)
    assert found == expected if isinstance(expected, list) else len(found) == expected


def test_no_artist_twice_in_a_row(library: Library) -> None:
    found = journey(Searcher(library), 1, 2, other_artists=True)
    artists = [track.artist for track in found.tracks]
    assert all(one != other for one, other in pairwise(artists))
    assert len(set(ids(found))) == len(found.tracks)


def test_copies_and_missing_songs_are_left_out(library: Library, tmp_path: Path) -> None:
    (copy,) = add_tracks(library, tmp_path, [Tags("Title 0", "Ann feat. Bob")])
    put_vectors(library, VOCALS, {copy: at(12)})
    with library.database.write() as db:
        files.set_missing(db, [5], True)
    found = go(library, 1, 2)
    assert copy not in found
    assert 5 not in found


def test_a_large_library_is_searched_along_the_way(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_song = go(library, 1, 2)
    graph.refresh(library, 1, num_threads=1)
    monkeypatch.setattr(journeys, "MAX_COMPARED", 0)
    assert go(library, 1, 2) == every_song


def test_what_cannot_be_is_told(library: Library, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="two different songs"):
        go(library, 1, 1)
    with pytest.raises(QueryError, match="at least 2"):
        go(library, 1, 2, max_songs=1)
    (new,) = add_tracks(library, tmp_path, [Tags("New", "Eve")])
    with pytest.raises(QueryError, match="New has not been heard"):
        go(library, 1, new)
    with pytest.raises(QueryError, match="not in the library"):
        go(library, 1, 999)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        go(library, 1, 2, cancel=cancel)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_trying_all_ways_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((7, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    steps = vectors @ vectors.T
    for max_places in (2, 3, 5, 7):
        path = smallest_steps(steps, 0, 6, max_places)
        assert path is not None
        ways = [
            (0, *middle, 6)
            for num in range(max_places - 1)
            for middle in permutations(range(1, 6), num)
        ]
        smallest = {way: min(steps[a, b] for a, b in pairwise(way)) for way in ways}
        best = max(smallest.values())
        fewest = min(len(way) for way in ways if smallest[way] == best)
        assert smallest[tuple(path)] == best
        assert len(path) == fewest


def test_no_way_is_none() -> None:
    steps = np.full((3, 3), -np.inf)
    steps[0, 2] = steps[2, 0] = 0.5
    assert smallest_steps(steps, 0, 1, 5) is None
    assert smallest_steps(np.full((2, 2), -np.inf), 0, 1, 5) is None
