from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.libraries import unit

from engine.library import Tags, Track, TrackStatus
from engine.search import SearchOptions
from engine.search.filter import Filter, Song

PATH = Path("/music/song.mp3")


def song(tags: Tags, path: Path = PATH, **about: object) -> Song:
    given = {"audio_hash": None, "duration_s": None, "vector": None, **about}
    return Song(tags, path, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (Tags(artist="Björk"), Tags(artist="BJORK"), True),
        (Tags(artist="Björk"), Tags(artist="Björk feat. Thom Yorke"), True),
        (Tags(artist="Björk"), Tags(artist="Björk (ft. Thom Yorke)"), True),
        (Tags(artist="Björk & Thom"), Tags(artist="Thom", album_artist="Björk & Thom"), True),
        (Tags(artist="Björk"), Tags(artist="Thom Yorke"), False),
        (Tags("", "Ann", "", "Various Artists"), Tags("", "Bob", "", "Various Artists"), False),
        (Tags(artist=""), Tags(artist=""), False),
        (Tags(artist="Unknown Artist"), Tags(artist="Unknown Artist"), False),
        (Tags(artist="Feature"), Tags(artist="Feature"), True),
    ],
)
def test_who_is_the_same_artist(one: Tags, other: Tags, is_same: bool) -> None:
    assert bool(song(one).artists & song(other).artists) == is_same


def test_what_is_on_the_same_album() -> None:
    first = song(Tags("One", "Ann", "Greatest Hits"), Path("/a/1.mp3"))
    assert song(Tags("Two", "Ann", "greatest hits"), Path("/b/2.mp3")).is_on_album_of(first)
    assert song(Tags("Two", "Bob", "Greatest Hits"), Path("/a/2.mp3")).is_on_album_of(first)
    assert not song(Tags("Two", "Bob", "Greatest Hits"), Path("/b/2.mp3")).is_on_album_of(first)
    assert not song(Tags("Two", "Ann"), Path("/a/2.mp3")).is_on_album_of(song(Tags(artist="Ann")))


def test_what_is_the_same_song() -> None:
    vector, near = unit([1, 0, 0]), unit([1, 0.05, 0])
    one = song(Tags("One", "Ann"), audio_hash="a", duration_s=200.0, vector=vector)
    assert song(Tags("Another", "Bob"), audio_hash="a").is_same_song(one)
    assert song(Tags("one!", "ANN"), audio_hash="b").is_same_song(one)
    assert song(Tags("x", "y"), duration_s=200.9, vector=near).is_same_song(one)
    assert not song(Tags("x", "y"), duration_s=201.1, vector=near).is_same_song(one)
    assert not song(Tags("x", "y"), duration_s=200, vector=unit([1, 0.5, 0])).is_same_song(one)
    assert not song(Tags("x", "y"), vector=near).is_same_song(one)
    assert not song(Tags("One", "Bob")).is_same_song(one)
    assert not song(Tags("One", "")).is_same_song(song(Tags("One", "")))
    assert not song(Tags("", "Ann")).is_same_song(song(Tags("", "Ann")))


def track(track_id: int, tags: Tags, audio_hash: str) -> Track:
    return Track(
        id=track_id,
        folder_id=1,
        path=Path(f"/music/{track_id}.mp3"),
        tags=tags,
        size_bytes=1,
        mtime_ns=1,
        audio_hash=audio_hash,
        duration_s=200.0,
        status=TrackStatus.INDEXED,
        error=None,
        has_vocals=True,
    )


def test_of_duplicates_the_best_is_shown() -> None:
    tracks = [
        track(1, Tags("A", "Ann"), "a"),
        track(2, Tags("B", "Bob"), "b"),
        track(3, Tags("B", "Bob"), "c"),
        track(4, Tags("C", "Cid"), "b"),
        track(5, Tags("D", "Dan"), "d"),
    ]
    ranked = [(one, 1 - 0.1 * one.id, None) for one in tracks]
    query = song(Tags("A", "Ann"), audio_hash="query")

    def shown(own_id: int, hide_duplicates: bool, k: int = 9) -> list[int]:
        options = SearchOptions(k=k, hide_duplicates=hide_duplicates)
        return [one.id for [(one, _)] in Filter(query, frozenset({own_id}), options)(ranked)]

    assert shown(9, hide_duplicates=False) == [1, 2, 3, 4, 5]
    assert shown(2, hide_duplicates=True) == [3, 4, 5]
    assert shown(9, hide_duplicates=True) == [2, 5]
    assert shown(9, hide_duplicates=True, k=1) == [2]


RANKED = [
    track(1, Tags("A", "Ann"), "a"),
    track(2, Tags("B", "Bob"), "b"),
    track(3, Tags("C", "Cid"), "c"),
    track(4, Tags("Nobody's", ""), "d"),
    track(5, Tags("E", "Bob feat. Ann"), "e"),
    track(6, Tags("F", "Dan"), "f"),
    track(7, Tags("B", "Bob"), "g"),
    track(8, Tags("H", "Cid"), "h"),
    track(9, Tags("I", "Bob"), "i"),
    track(10, Tags("J", "Bob"), "j"),
]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (SearchOptions(), [[2, 5, 7], [3, 8], [6]]),
        (SearchOptions(k=2), [[2, 5, 7], [3, 8]]),
        (SearchOptions(hide_duplicates=True), [[2, 5, 9], [3, 8], [6]]),
        (SearchOptions(one_per_artist=True), [[2], [3], [6]]),
    ],
)
def test_other_artists_have_their_nearest_songs(
    options: SearchOptions, rows: list[list[int]]
) -> None:
    accept = Filter(song(Tags("Q", "Ann")), frozenset(), replace(options, as_artists=True))
    found = accept((one, 1 - 0.1 * one.id, None) for one in RANKED)
    assert [[one.id for one, _ in row] for row in found] == rows
