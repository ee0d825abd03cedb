"""Searching in a part of the library, and for the voices of an artist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import (
    OVERALL,
    VOCALS,
    ToyModel,
    WholeMixture,
    add_tracks,
    at,
    embedding,
    put_vectors,
    write_song,
)

from engine.cli.similar import parse_scope
from engine.errors import QueryError
from engine.library import Library, Tags
from engine.library.heard import put_portrait
from engine.library.scope import artist_ids, artists_like, facets, ids_within, latest_ids_within
from engine.records import MomentCodes, View, VoicePortrait
from engine.search import Scope, Searcher, SearchOptions, SearchResult, resolve_artist
from engine.search.export import result_as_dict

SONGS = [
    Tags("Query", "Ann", "First", genre="Pop", year=1999),
    Tags("Near", "Bob", "Second", genre="Pop/Rock", year=1975),
    Tags("Nearer", "Ann feat. Bob", "First", genre="Jazz; Vocal"),
    Tags("Far", "Cid", "Third", genre="rock", year=1980),
    Tags("Farther", "Cid", "Third", genre="R&B", year=2010),
    Tags("Choir", "Annabel", "Fourth", album_artist="Various", genre="Pop", year=2011),
]
ANGLES = {1: 0, 2: 20, 3: 10, 4: 50, 5: 60, 6: 90}


@pytest.fixture(autouse=True)
def toy_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path / "music", SONGS)
        for key in (VOCALS, OVERALL):
            put_vectors(library, key, {i: at(angle) for i, angle in ANGLES.items()})
        yield library


def put_portraits(library: Library, *ranges: tuple[float, float]) -> None:
    """Of the first tracks: what is sung lies between these notes."""
    with library.database.write() as db:
        for track_id, (lowest, highest) in enumerate(ranges, start=1):
            middle = (lowest + highest) / 2
            timbre = (None, None, 0.0, None, None, None)
            put_portrait(db, track_id, VoicePortrait(lowest, middle, highest, *timbre, 0.5))


def ids(result: SearchResult) -> list[int]:
    return [neighbour.track.id for neighbour in result.neighbours]


def test_voices_within_a_range_of_notes(library: Library) -> None:
    put_portraits(library, (45, 64), (45.4, 63), (40, 60), (50, 70), (50, 62))
    within = Scope(lowest_note=45, highest_note=64)
    np.testing.assert_array_equal(ids_within(library.database, within), [1, 2, 5])
    assert found(library, within) == [2, 5]
    assert within.num_conditions == 1
    assert parse_scope(None, None, None, None, "A2-E4") == within


def found(library: Library, scope: Scope, **options: object) -> list[int]:
    return ids(Searcher(library).by_track(1, SearchOptions(scope=scope, **options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), [1, 2, 3, 4, 5, 6]),
        (Scope(genres=frozenset({"rock"})), [2, 4]),
        (Scope(genres=frozenset({"jazz", "r b"})), [3, 5]),
        (Scope(genres=frozenset({"polka"})), []),
        (Scope(first_year=1980), [1, 4, 5, 6]),
        (Scope(first_year=1975, last_year=1980), [2, 4]),
        (Scope(last_year=1975), [2]),
        (Scope(min_duration_s=230, max_duration_s=240), [3, 4]),
        (Scope(genres=frozenset({"pop"}), last_year=1999), [1, 2]),
    ],
)
def test_a_scope_narrows_by_tags(library: Library, scope: Scope, expected: list[int]) -> None:
    assert ids_within(library.database, scope).tolist() == expected
    assert found(library, scope) == [i for i in (3, 2, 4, 5, 6) if i in expected]


def test_a_scope_narrows_by_folder(library: Library, tmp_path: Path) -> None:
    more = add_tracks(library, tmp_path / "more", [Tags("Other", "Cid"), Tags("Like", "Cidre")])
    inside = Scope(folders=frozenset({tmp_path / "music" / "Cid"}))
    assert ids_within(library.database, inside).tolist() == [4, 5]
    above = Scope(folders=frozenset({tmp_path / "more" / "Cid", tmp_path / "music" / "Ann"}))
    assert ids_within(library.database, above).tolist() == [1, more[0]]
    assert len(ids_within(library.database, Scope(folders=frozenset({tmp_path})))) == 8
    nowhere = Scope(folders=frozenset({Path("/nowhere")}))
    assert found(library, nowhere) == []


@pytest.mark.parametrize("by", ["vocals", "overall", "blend"])
def test_a_scope_narrows_whatever_is_compared(library: Library, by: str) -> None:
    assert found(library, Scope(genres=frozenset({"pop", "rock"})), by=by) == [2, 4, 6]


def test_a_scope_follows_the_library(library: Library, tmp_path: Path) -> None:
    scope = Scope(genres=frozenset({"pop"}))
    first = latest_ids_within(library.database, scope)
    assert latest_ids_within(library.database, scope) is first
    with library.database.write() as db:
        db.execute("UPDATE track SET genre = 'Pop' WHERE id = 5")
    assert latest_ids_within(library.database, scope).tolist() == [1, 2, 5, 6]
    with Library.open(tmp_path / "library.db") as other, other.database.write() as db:
        db.execute("UPDATE track SET genre = 'Pop' WHERE id = 4")
    assert latest_ids_within(library.database, scope).tolist() == [1, 2, 4, 5, 6]
    assert latest_ids_within(library.database, Scope(first_year=2011)).tolist() == [6]


def test_how_much_a_scope_is_narrowed() -> None:
    assert Scope().num_conditions == 0
    scope = Scope(frozenset({"pop"}), 1970, 1980, frozenset({Path("/a")}), None, 200.0)
    assert scope.num_conditions == 4
    with pytest.raises(QueryError, match="Swap"):
        Scope(first_year=1980, last_year=1970)


def test_what_there_is_to_choose_from(library: Library, tmp_path: Path) -> None:
    known = facets(library.database)
    assert dict(known.genres) == {"Pop": 3, "Rock": 2, "Jazz": 1, "Vocal": 1, "R&B": 1}
    assert known.genres[0] == ("Pop", 3)
    assert (known.first_year, known.last_year) == (1975, 2011)
    music = tmp_path / "music"
    assert (music, 6) in known.folders
    assert (music / "Cid", 2) in known.folders


def test_an_empty_library_offers_nothing(tmp_path: Path) -> None:
    with Library.open(tmp_path / "empty.db") as empty:
        known = facets(empty.database)
    assert (known.genres, known.first_year, known.folders) == ((), None, ())


def test_one_song_of_each_artist(library: Library) -> None:
    assert found(library, Scope(), one_per_artist=True) == [3, 2, 4, 6]


# Artists


def test_who_an_artists_songs_are(library: Library) -> None:
    assert artist_ids(library.database, "ANN") == [1, 3]
    assert artist_ids(library.database, "Ann feat. Somebody") == [1, 3]
    assert artist_ids(library.database, "") == []
    assert artists_like(library.database, "an") == ["Ann", "Annabel"]


def test_an_artist_is_compared_by_the_mean_of_the_songs(library: Library) -> None:
    result = Searcher(library).by_artist("Ann")
    assert ids(result) == [2, 4, 5, 6]
    expected = np.cos(np.radians([15, 45, 55, 85]))
    assert [n.similarity for n in result.neighbours] == pytest.approx(expected, abs=1e-3)
    assert result.query.artist == "Ann"
    assert result.query.track is not None
    assert result.query.track.id in (1, 3)
    assert result.neighbours[0].moments
    told = result_as_dict(result)["query"]
    assert told["artist"] == "Ann"
    assert told["most_typical"]["track_id"] in (1, 3)


def test_an_artist_in_a_blend_and_with_filters(library: Library) -> None:
    options = SearchOptions(by="blend", one_per_artist=True, scope=Scope(first_year=1970))
    assert ids(Searcher(library).by_artist("Ann", options)) == [2, 4, 6]


def test_an_artist_who_is_unknown_or_not_heard(library: Library, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no song by “Zoe”"):
        Searcher(library).by_artist("Zoe")
    add_tracks(library, tmp_path / "music", [Tags("New", "Eve")])
    with pytest.raises(QueryError, match="voice of Eve cannot be compared"):
        Searcher(library).by_artist("Eve")


def test_which_artist_is_meant(library: Library) -> None:
    source = Searcher(library).source
    assert resolve_artist(source, "ann") == "ann"
    assert resolve_artist(source, "nnabe") == "Annabel"
    with pytest.raises(QueryError, match="2 artists match “an”: Ann, Annabel"):
        resolve_artist(source, "an")
    with pytest.raises(QueryError, match="No artist matches"):
        resolve_artist(source, "Zoe")


# Files


def test_a_file_is_listened_to_once(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CountingModel(ToyModel):
        num_batches = 0

        def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
            CountingModel.num_batches += 1
            return super().embed_segments(segments)

        def moment_codes(
            self, segment_embeddings: np.ndarray, starts_s: np.ndarray, view: View
        ) -> MomentCodes:
            return embedding().moments  # of as many dimensions as those of the library

    class NoSeparator(WholeMixture):
        def vocals(self, chunks: object, cancel: object = None) -> Iterator[np.ndarray]:
            raise AssertionError("a voice alone is not separated")

    path = write_song(tmp_path / "mine.wav", 220, duration_s=6.0)
    monkeypatch.setattr("engine.models.load", lambda name: CountingModel())
    monkeypatch.setattr("engine.separation.load", lambda name: NoSeparator())
    voices = Searcher(library)
    first = voices.by_file(path, is_vocals=True)
    assert len(first.neighbours) == 6
    again = voices.by_file(path, SearchOptions(k=2, one_per_artist=True), is_vocals=True)
    assert len(again.neighbours) == 2
    assert CountingModel.num_batches == 1
    write_song(path, 440, duration_s=6.0)
    voices.by_file(path, is_vocals=True)
    assert CountingModel.num_batches == 2


# The command line


def test_options_make_a_scope() -> None:
    scope = parse_scope(["Hip-Hop"], "1970-1979", [Path("/a")], "2:00-5:00")
    assert scope == Scope(frozenset({"hip hop"}), 1970, 1979, frozenset({Path("/a")}), 120, 300)
    assert parse_scope(None, "1970", None, None) == Scope(first_year=1970, last_year=1970)
    assert parse_scope(None, None, None, None) == Scope()
