from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import DIM, OVERALL, add_tracks, put_vectors

from engine.errors import CancelledError, QueryError
from engine.library import Library, Tags
from engine.library.maps import MapRecord, ids_in_space, labels, map_of, put_map
from engine.map.library_map import MAX_GAP, current_map, make_map, similarities
from engine.progress import CancelToken, Progress

SINGERS = 4
EACH = 8


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        yield library


def voice(singer: int, song: int) -> np.ndarray:
    own = np.random.default_rng(singer).standard_normal(DIM)
    return own + 0.25 * np.random.default_rng(100 * singer + song + 1).standard_normal(DIM)


def add_songs(library: Library, folder: Path, singers: range, songs: range) -> list[int]:
    """Songs that were listened to, ids by singer and then by song."""
    names = [(singer, song) for singer in singers for song in songs]
    tags = [Tags(title=f"Song {song}", artist=f"Singer {singer}") for singer, song in names]
    ids = add_tracks(library, folder, tags)
    put_vectors(library, OVERALL, {i: voice(*name) for i, name in zip(ids, names, strict=True)})
    return ids


def places_of(record: MapRecord, ids: list[int]) -> np.ndarray:
    by_id = dict(zip(record.track_ids.tolist(), record.positions, strict=True))
    return np.array([by_id[i] for i in ids])


def test_songs_by_one_singer_lie_together_and_the_map_is_kept(library, tmp_path):
    ids = add_songs(library, tmp_path, range(SINGERS), range(EACH))
    space = library.space_id(OVERALL)
    reports: list[Progress] = []
    record = make_map(library, space, reports.append)
    groups = places_of(record, ids).reshape(SINGERS, EACH, 2)
    centres = groups.mean(1)
    to_centres = np.linalg.norm(groups[:, :, None] - centres, axis=3)
    assert (to_centres.argmin(2) == np.arange(SINGERS)[:, None]).all()
    assert np.abs(record.positions).max() == pytest.approx(1, abs=0.01)
    assert {r.stage for r in reports} == {"map-read", "map-neighbours", "map-layout"}
    kept = map_of(library.database, space)
    np.testing.assert_array_equal(kept.positions, record.positions)
    np.testing.assert_array_equal(kept.track_ids, record.track_ids)
    assert kept.num_laid_out == len(ids)


def test_the_same_songs_give_the_same_map(library, tmp_path):
    add_songs(library, tmp_path, range(SINGERS), range(EACH))
    space = library.space_id(OVERALL)
    first, again = make_map(library, space), make_map(library, space)
    np.testing.assert_array_equal(first.positions, again.positions)
    assert not np.array_equal(first.positions, make_map(library, space, seed=1).positions)


def test_equal_songs_have_places_of_their_own(library, tmp_path):
    ids = add_tracks(library, tmp_path, [Tags(title=str(i)) for i in range(6)])
    put_vectors(library, OVERALL, dict.fromkeys(ids, voice(0, 0)))
    record = make_map(library, library.space_id(OVERALL))
    assert np.isfinite(record.positions).all()
    assert len(np.unique(record.positions, axis=0)) == 6


def test_newcomers_lie_with_their_like_and_nothing_else_moves(library, tmp_path):
    ids = add_songs(library, tmp_path, range(SINGERS), range(EACH))
    space = library.space_id(OVERALL)
    before = make_map(library, space)
    new = add_songs(library, tmp_path, range(SINGERS), range(EACH, EACH + 2))
    after = current_map(library, space)
    np.testing.assert_array_equal(places_of(after, ids), places_of(before, ids))
    centres = places_of(before, ids).reshape(SINGERS, EACH, 2).mean(1)
    to_centres = np.linalg.norm(places_of(after, new)[:, None] - centres, axis=2)
    np.testing.assert_array_equal(to_centres.argmin(1), np.repeat(np.arange(SINGERS), 2))
    assert after.num_laid_out == len(ids)
    kept = map_of(library.database, space)
    np.testing.assert_array_equal(kept.positions, after.positions)


def test_newcomers_cover_no_other_song(library, tmp_path):
    add_songs(library, tmp_path, range(SINGERS), range(EACH))
    space = library.space_id(OVERALL)
    make_map(library, space)
    new = add_songs(library, tmp_path, range(1), range(EACH, 2 * EACH))  # all among the same
    record = current_map(library, space)
    places = places_of(record, new)
    away = np.linalg.norm(places[:, None] - record.positions, axis=2)
    assert np.sort(away, axis=1)[:, 1].min() >= 0.9 * MAX_GAP  # but for itself
    assert away.shape == (EACH, EACH * (SINGERS + 1))


def test_songs_that_are_gone_leave_the_map(library, tmp_path):
    kept = add_songs(library, tmp_path / "a", range(SINGERS), range(EACH))
    add_songs(library, tmp_path / "b", range(1), range(EACH, EACH + 2))
    space = library.space_id(OVERALL)
    make_map(library, space)
    library.forget_folder(tmp_path / "b")
    record = current_map(library, space)
    assert record.track_ids.tolist() == kept
    assert record.num_laid_out == len(kept)


def test_a_map_that_most_songs_are_not_on_does_not_count(library, tmp_path):
    add_songs(library, tmp_path, range(SINGERS), range(3))
    space = library.space_id(OVERALL)
    make_map(library, space)
    add_songs(library, tmp_path, range(SINGERS), range(3, 6))
    assert current_map(library, space) is None


def test_stopping_leaves_the_earlier_map(library, tmp_path):
    add_songs(library, tmp_path, range(SINGERS), range(EACH))
    space = library.space_id(OVERALL)
    before = make_map(library, space)
    token = CancelToken()

    def stop_late(progress: Progress) -> None:
        if progress.stage == "map-layout" and progress.num_done > 10:
            token.cancel()

    with pytest.raises(CancelledError):
        make_map(library, space, stop_late, token, seed=1)
    np.testing.assert_array_equal(map_of(library.database, space).positions, before.positions)


def test_too_few_songs_are_told(library, tmp_path):
    add_songs(library, tmp_path, range(1), range(3))
    with pytest.raises(QueryError, match="there are 3"):
        make_map(library, library.space_id(OVERALL))


def test_likeness_to_one_song(library, tmp_path):
    ids = add_songs(library, tmp_path, range(2), range(4))
    space = library.space_id(OVERALL)
    track_ids, scores = similarities(library, space, ids[0])
    by_id = dict(zip(track_ids.tolist(), scores, strict=True))
    assert by_id[ids[0]] == pytest.approx(1, abs=1e-3)
    assert min(by_id[i] for i in ids[:4]) > max(by_id[i] for i in ids[4:])
    (silent,) = add_tracks(library, tmp_path, [Tags(title="Unheard")])
    with pytest.raises(QueryError, match="not been listened to"):
        similarities(library, space, silent)


def test_a_damaged_map_is_no_map(library, tmp_path):
    add_songs(library, tmp_path, range(1), range(4))
    space = library.space_id(OVERALL)
    record = make_map(library, space)
    for column, value in (("positions", b"abc"), ("positions", b"\xff" * 32)):
        put_map(library.database, record)
        with library.database.write() as db:
            db.execute(f"UPDATE map SET {column} = ?", (value,))
        assert map_of(library.database, space) is None
        assert current_map(library, space) is None
    with pytest.raises(ValueError, match="finite"):
        put_map(library.database, MapRecord(space, 0, 1, np.array([1]), np.full((1, 2), np.nan)))


def test_labels_tell_artist_genre_and_year(library, tmp_path):
    tags = [
        Tags(title="a", artist="Björk", genre="Pop", year=1995),
        Tags(title="b", artist="bjork", genre="pop "),
        Tags(title="c", album_artist="Various", genre="Jazz", year=1960),
    ]
    ids = add_tracks(library, tmp_path, tags)
    found = labels(library.database)
    assert found.track_ids.tolist() == sorted(ids)
    by_id = {track_id: row for row, track_id in enumerate(found.track_ids.tolist())}
    a, b, c = (by_id[i] for i in ids)
    assert found.artist_of[a] == found.artist_of[b] != found.artist_of[c]
    assert found.artists[found.artist_of[c]] == "Various"
    assert found.genre_of[a] == found.genre_of[b] != found.genre_of[c]
    assert [found.years[row] for row in (a, b, c)] == [1995, 0, 1960]
    assert ids_in_space(library.database, 99).tolist() == []
