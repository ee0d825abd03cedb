from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.libraries import DIM, VOCALS, add_tracks, put_vectors, unit

from engine.errors import QueryError
from engine.library import Library, Tags
from engine.search import Searcher
from engine.search.radio import NUM_APART, radio

NUM_ARTISTS, NUM_EACH = 12, 5


@pytest.fixture(autouse=True)
def toy_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Sixty songs by twelve artists, the farther from the first song the later."""
    with Library.open(tmp_path / "library.db") as library:
        num = NUM_ARTISTS * NUM_EACH
        tags = [Tags(f"Title {i}", f"Artist {i % NUM_ARTISTS}") for i in range(num)]
        add_tracks(library, tmp_path, tags)
        vectors = {i + 1: unit([num - i, i] + [0.0] * (DIM - 2)) for i in range(num)}
        put_vectors(library, VOCALS, vectors)
        yield library


def play(library: Library, num: int, played: list[int] | None = None, lot: int = 1) -> list[int]:
    found = radio(Searcher(library), 1, played or (), num=num, lot=random.Random(lot))
    assert [one.rank for one in found] == list(range(1, num + 1))
    return [one.track.id for one in found]


def artist(track_id: int) -> int:
    return (track_id - 1) % NUM_ARTISTS


def test_each_artist_comes_once_in_a_while(library: Library) -> None:
    order = [1, *play(library, 30)]
    for place in range(len(order)):
        nearby = order[place : place + NUM_APART]
        assert len({artist(one) for one in nearby}) == len(nearby)


def test_it_goes_on_without_a_song_twice_until_all_have_been_heard(library: Library) -> None:
    order = list[int]()
    while len(order) < 50:
        order += play(library, 10, order, lot=len(order))
    assert len(set(order)) == 50
    assert 1 not in order
    more = play(library, 30, order)  # there are nine left that were not heard
    assert len(set(more[:9]) & set(order)) == 0
    assert set(more[9:]) <= set(order)


def test_near_voices_come_more_often_and_never_in_the_same_row(library: Library) -> None:
    rows = [play(library, 5, lot=lot) for lot in range(40)]
    assert len(set(map(tuple, rows))) == len(rows)
    middle = 1 + NUM_ARTISTS * NUM_EACH // 2
    near = sum(one < middle for row in rows for one in row)
    assert 0.6 < near / 200 < 1.0


def test_one_artist_alone_is_no_reason_to_stop(library: Library, tmp_path: Path) -> None:
    with Library.open(tmp_path / "alone.db") as alone:
        add_tracks(alone, tmp_path / "alone", [Tags(f"Title {i}", "Alma") for i in range(3)])
        put_vectors(alone, VOCALS, {i: unit([1.0, i] + [0.0] * (DIM - 2)) for i in (1, 2, 3)})
        assert set(play(alone, 6)) == {2, 3}


def test_without_another_song_it_says_so(tmp_path: Path) -> None:
    with Library.open(tmp_path / "one.db") as one:
        add_tracks(one, tmp_path / "one", [Tags("Title", "Alma")])
        put_vectors(one, VOCALS, {1: unit([1.0] + [0.0] * (DIM - 1))})
        with pytest.raises(QueryError, match="too few other songs"):
            play(one, 1)
