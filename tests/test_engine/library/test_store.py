from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.libraries import OVERALL, VOCALS, add_tracks, embedding, put_vectors

from engine.errors import LibraryError
from engine.library import Library, Tags, TrackStatus, files, indexes
from engine.records import MomentCodes, SpaceKey, TrackEmbedding

SONGS = [
    Tags("Hyperballad", "Björk", "Post", genre="Electronic", year=1995, track_number=2),
    Tags("Army of Me", "Björk", "Post", genre="Electronic", year=1995, track_number=1),
    Tags("Hurt", "Johnny Cash", "American IV", genre="Country", year=2002, track_number=2),
    Tags("Hurt", "Nine Inch Nails", "The Downward Spiral", genre="Rock", year=1994),
    Tags("99 Luftballons", "Nena", "Nena", year=1983),
]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        yield library


@pytest.fixture
def ids(library: Library, tmp_path: Path) -> list[int]:
    return add_tracks(library, tmp_path, SONGS)


def titles(library: Library, ids: list[int]) -> list[str]:
    return [track.title for track in library.tracks(ids)]


def test_tracks_keep_the_order_asked_for_and_leave_out_strangers(
    library: Library, ids: list[int]
) -> None:
    assert titles(library, [ids[4], 999, ids[0]]) == ["99 Luftballons", "Hyperballad"]
    assert library.track(ids[2]).artist == "Johnny Cash"
    with pytest.raises(LibraryError, match="no track 999"):
        library.track(999)


def test_albums_are_listed_in_their_own_order(library: Library, ids: list[int]) -> None:
    assert titles(library, library.track_ids())[:2] == ["Army of Me", "Hyperballad"]
    assert library.track_ids(descending=True) == library.track_ids()[::-1]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("title", "99 Luftballons"),
        ("album", "Hurt"),
        ("genre", "99 Luftballons"),
        ("year", "99 Luftballons"),
        ("path", "Hyperballad"),
        ("added", "Hyperballad"),
        ("status", "Army of Me"),
        ("duration", "Hyperballad"),
    ],
)
def test_sorting(library: Library, ids: list[int], sort: str, first: str) -> None:
    found = library.track_ids(sort=sort)
    assert sorted(found) == ids
    assert titles(library, found)[0] == first


def test_an_unknown_order_is_refused(library: Library) -> None:
    with pytest.raises(ValueError, match="sorted"):
        library.track_ids(sort="id; DROP TABLE track")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bjork", {"Hyperballad", "Army of Me"}),
        ("BJÖRK army", {"Army of Me"}),
        ("post ballad", {"Hyperballad"}),
        ("nine inch", {"Hurt"}),
        ("country", {"Hurt"}),
        ("00004", {"99 Luftballons"}),
        ("nothing like it", set()),
        ("%", set()),
        ("_", set()),
        ("   ", {tags.title for tags in SONGS}),
    ],
)
def test_instant_search(library: Library, ids: list[int], text: str, expected: set[str]) -> None:
    assert set(titles(library, library.track_ids(text))) == expected
    assert set(titles(library, library.track_ids(text, sort="title"))) == expected


def test_signs_of_sql_patterns_are_only_signs(library: Library, tmp_path: Path) -> None:
    (track_id,) = add_tracks(library, tmp_path, [Tags("%_%")])
    assert library.tracks([track_id])[0].title == "%_%"
    assert library.track_ids("%") == []  # between other words, signs do not count
    assert library.find("%_%") == [track_id]


def test_filters_by_status_and_folder(library: Library, tmp_path: Path, ids: list[int]) -> None:
    library.put_failure(ids[0], "It is broken.")
    assert library.track_ids(status=TrackStatus.FAILED) == [ids[0]]
    assert len(library.track_ids(status=TrackStatus.NEW)) == 4
    assert library.track_ids(status=TrackStatus.MISSING) == []
    (folder,) = library.folders()
    assert len(library.track_ids(folder_id=folder.id)) == 5
    assert library.track_ids(folder_id=folder.id + 1) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Hyperballad", [0]),
        ("bjork hyperballad", [0]),
        ("Björk - Hyperballad", [0]),
        ("hyperballad björk", [0]),
        ("hurt", [2, 3]),
        ("hurt cash", [2]),
        ("ballad", [0]),
        ("hyper post", [0]),
        ("luft", [4]),
        ("nena", [4]),
        ("", []),
        ("nobody", []),
    ],
)
def test_find_by_words(library: Library, ids: list[int], words: str, expected: list[int]) -> None:
    assert library.find(words) == [ids[i] for i in expected]


def test_embeddings_come_back_as_they_went_in(library: Library, ids: list[int]) -> None:
    space_id = library.space_id(OVERALL)
    stored = {track_id: embedding(track_id) for track_id in ids}
    for track_id, one in stored.items():
        library.put_embedding(track_id, space_id, one, audio_hash="h", duration_s=9.0)
    found, vectors = library.embeddings(space_id)
    assert found.dtype == np.int64
    assert vectors.dtype == np.float32
    for track_id, vector in zip(found, vectors, strict=True):
        assert vector @ stored[track_id].vector == pytest.approx(1, abs=1e-6)
    some, vectors = library.embeddings(space_id, [ids[3], 999, ids[1]])
    assert some.tolist() == [ids[3], ids[1]]
    assert vectors[0] @ stored[ids[3]].vector == pytest.approx(1, abs=1e-6)
    moments = library.moments_of([ids[2]], space_id).get(ids[2])
    assert moments is not None
    np.testing.assert_array_equal(moments.codes, stored[ids[2]].moments.codes)
    np.testing.assert_array_equal(moments.starts_s, stored[ids[2]].moments.starts_s)
    track = library.track(ids[2])
    assert (track.status, track.audio_hash, track.duration_s) == (TrackStatus.INDEXED, "h", 9.0)


def test_an_empty_space_has_vectors_of_its_dimension(library: Library) -> None:
    track_ids, vectors = library.embeddings(library.space_id(OVERALL))
    assert track_ids.shape == (0,)
    assert vectors.shape == (0, OVERALL.dim)


def test_embeddings_by_chunks_are_all_of_them_once(
    library: Library, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "_CHUNK_ROWS", 2)
    space_id = put_vectors(library, OVERALL, {i: embedding(i).vector for i in ids})
    chunks = list(indexes.stored_vectors(library.database, space_id, OVERALL.dim))
    assert [len(chunk[0]) for chunk in chunks] == [2, 2, 1]
    assert np.concatenate([chunk[1] for chunk in chunks]).tolist() == ids
    after_id = int(chunks[1][0][-1])
    (newer,) = indexes.stored_vectors(library.database, space_id, OVERALL.dim, after_id)
    assert newer[1].tolist() == [ids[4]]
    assert library.embeddings(space_id)[0].tolist() == ids


def test_a_replaced_embedding_gets_a_new_id(library: Library, ids: list[int]) -> None:
    space_id = put_vectors(library, OVERALL, {ids[0]: embedding(1).vector})
    before = indexes.embedding_ids(library.database, space_id)
    put_vectors(library, OVERALL, {ids[0]: embedding(2).vector})
    assert indexes.embedding_ids(library.database, space_id) > before


@pytest.mark.parametrize(
    "vector",
    [np.ones(3), np.zeros(OVERALL.dim), np.full(OVERALL.dim, np.nan), np.ones(OVERALL.dim)],
    ids=["wrong dimension", "no direction", "not finite", "not of unit length"],
)
def test_bad_vectors_are_refused(library: Library, ids: list[int], vector: np.ndarray) -> None:
    space_id = library.space_id(OVERALL)
    bad = TrackEmbedding(vector.astype(np.float32), embedding().moments)
    with pytest.raises(ValueError, match="vector"):
        library.put_embedding(ids[0], space_id, bad, audio_hash="h", duration_s=1)
    assert library.track(ids[0]).status is TrackStatus.NEW


def test_damaged_vectors_are_noticed(library: Library, ids: list[int]) -> None:
    space_id = put_vectors(library, OVERALL, {ids[0]: embedding().vector})
    for blob in (b"\0\0", b"\xff\xff" * OVERALL.dim, b"\0\0" * OVERALL.dim):
        with library.database.write() as db:
            db.execute("UPDATE embedding SET vector = ?", (blob,))
        with pytest.raises(LibraryError, match="damaged"):
            library.embeddings(space_id)


def test_a_track_without_moments(library: Library, ids: list[int]) -> None:
    space_id = library.space_id(OVERALL)
    none = MomentCodes(np.empty((0, 8), np.int8), np.empty(0, np.float32), 5.0)
    library.put_embedding(
        ids[0], space_id, TrackEmbedding(embedding().vector, none), audio_hash="h", duration_s=1
    )
    found = library.moments_of([ids[0]], space_id).get(ids[0])
    assert found is not None
    assert len(found.codes) == 0
    assert library.moments_of([ids[1]], space_id).get(ids[1]) is None


def test_spaces_are_told_apart_by_all_of_their_key(library: Library) -> None:
    keys = [
        OVERALL,
        VOCALS,
        SpaceKey("toy", "0" * 64, "vocals", "other separator", 16),
        SpaceKey("toy", "1" * 64, "overall", None, 16),
        SpaceKey("other", "0" * 64, "overall", None, 16),
    ]
    ids = [library.space_id(key) for key in keys]
    assert len(set(ids)) == len(keys)
    assert [library.space_id(key) for key in keys] == ids
    assert [key for _, key in library.spaces()] == keys
    with pytest.raises(LibraryError, match="dimensions"):
        library.space_id(SpaceKey("toy", "0" * 64, "overall", None, 17))


def test_what_is_pending(library: Library, ids: list[int]) -> None:
    overall, vocals = library.space_id(OVERALL), library.space_id(VOCALS)
    other = library.space_id(SpaceKey("other", "1" * 64, "vocals", VOCALS.separator, 4))
    elsewhere = library.space_id(SpaceKey("other", "1" * 64, "vocals", "another", 4))
    library.put_embedding(ids[0], overall, embedding(), audio_hash="a", duration_s=1)
    library.put_embedding(ids[1], vocals, None, audio_hash="b", duration_s=1)
    library.put_failure(ids[2], "It is broken.")
    with library.database.write() as db:
        files.set_missing(db, [ids[3]], True)
    assert library.pending(overall) == [ids[1], ids[4]]
    assert library.pending(vocals) == [ids[0], ids[4]]
    assert library.pending(other) == [ids[0], ids[1], ids[4]]  # other ears decide for themselves
    assert library.pending(elsewhere) == [ids[0], ids[1], ids[4]]
    library.clear_failure([ids[2]])
    assert library.pending(overall) == [ids[1], ids[2], ids[4]]
    with library.database.write() as db:
        files.set_available(db, library.folders()[0].id, False)
    assert library.pending(overall) == []


def test_no_vocals_is_of_the_view_vocals(library: Library, ids: list[int]) -> None:
    vocals = library.space_id(VOCALS)
    assert library.track(ids[0]).has_vocals is None
    library.put_embedding(ids[0], vocals, None, audio_hash="a", duration_s=1)
    assert library.track(ids[0]).has_vocals is False
    library.put_embedding(ids[0], vocals, embedding(), audio_hash="a", duration_s=1)
    assert library.track(ids[0]).has_vocals is True
    assert not library.track(ids[0]).is_from_mixture
    rough = replace(embedding(), from_mixture=True)
    library.put_embedding(ids[0], vocals, rough, audio_hash="a", duration_s=1)
    assert library.track(ids[0]).is_from_mixture
    with pytest.raises(ValueError, match="vocals"):
        library.put_embedding(ids[0], library.space_id(OVERALL), None, audio_hash="a", duration_s=1)


def test_another_sound_forgets_what_was_heard_in_the_old_one(
    library: Library, ids: list[int]
) -> None:
    overall, vocals = library.space_id(OVERALL), library.space_id(VOCALS)
    library.put_embedding(ids[0], overall, embedding(), audio_hash="old", duration_s=1)
    library.put_embedding(ids[0], vocals, None, audio_hash="old", duration_s=1)
    library.put_embedding(ids[0], overall, embedding(1), audio_hash="new", duration_s=1)
    assert ids[0] in library.pending(vocals)
    assert library.track(ids[0]).has_vocals is None


def test_failures_are_kept_listed_and_cleared(library: Library, ids: list[int]) -> None:
    overall = library.space_id(OVERALL)
    library.put_embedding(ids[0], overall, embedding(), audio_hash="a", duration_s=1)
    for track_id in ids[:3]:
        library.put_failure(track_id, "The separator failed.")
    assert library.track(ids[0]).error == "The separator failed."
    assert library.embeddings(overall)[0].tolist() == [ids[0]]
    assert library.clear_failure() == 3
    assert library.track(ids[0]).status is TrackStatus.INDEXED
    assert library.track(ids[1]).status is TrackStatus.NEW
    assert library.track(ids[1]).error is None
    assert library.clear_failure(ids) == 0


def test_success_ends_a_failure(library: Library, ids: list[int]) -> None:
    library.put_failure(ids[0], "It is broken.")
    library.put_embedding(
        ids[0], library.space_id(OVERALL), embedding(), audio_hash="a", duration_s=1
    )
    assert library.track(ids[0]).status is TrackStatus.INDEXED


def test_counts(library: Library, ids: list[int]) -> None:
    overall, vocals = library.space_id(OVERALL), library.space_id(VOCALS)
    for track_id in ids[:3]:
        library.put_embedding(track_id, overall, embedding(), audio_hash="a", duration_s=1)
    library.put_embedding(ids[0], vocals, None, audio_hash="a", duration_s=1)
    library.put_failure(ids[3], "It is broken.")
    with library.database.write() as db:
        files.set_missing(db, [ids[2]], True)
    counts = library.counts()
    assert (counts.tracks, counts.new, counts.indexed) == (5, 1, 2)
    assert (counts.failed, counts.missing, counts.no_vocals) == (1, 1, 1)
    assert counts.embeddings == {overall: 3}


def test_a_track_forgotten_while_it_was_heard_stays_forgotten(
    library: Library, tmp_path: Path, ids: list[int]
) -> None:
    overall = library.space_id(OVERALL)
    assert library.forget_folder(tmp_path) == 5
    library.put_embedding(ids[0], overall, embedding(), audio_hash="a", duration_s=1)
    library.put_failure(ids[0], "It is broken.")
    assert library.track_ids() == []
    assert library.embeddings(overall)[0].tolist() == []


def test_forgetting_a_folder_takes_all_that_was_learned_from_it(
    library: Library, tmp_path: Path, ids: list[int]
) -> None:
    overall = put_vectors(library, OVERALL, {i: embedding(i).vector for i in ids})
    with pytest.raises(LibraryError, match="not a folder of the library"):
        library.forget_folder(tmp_path / "elsewhere")
    library.forget_folder(tmp_path)
    assert library.folders() == []
    assert library.counts().embeddings == {}
    assert library.moments_of([ids[0]], overall).get(ids[0]) is None
    assert library.database.row("SELECT count(*) FROM moments") == (0,)


def test_ids_are_never_used_twice(library: Library, tmp_path: Path, ids: list[int]) -> None:
    library.forget_folder(tmp_path)
    assert min(add_tracks(library, tmp_path, SONGS)) > max(ids)


def test_folders_never_overlap(library: Library, tmp_path: Path) -> None:
    inner, outer = tmp_path / "music" / "rock", tmp_path / "music"
    inner.mkdir(parents=True)
    (track_id,) = add_tracks(library, inner, SONGS[:1])
    path = library.track(track_id).path
    assert library.add_folder(outer).num_tracks == 1
    assert [folder.path for folder in library.folders()] == [outer]
    assert library.track(track_id).path == path
    assert library.add_folder(inner).path == outer
    assert len(library.folders()) == 1
    assert library.track_by_path(path) == library.track(track_id)


def test_folders_that_are_added_at_once_are_added_once(library: Library, tmp_path: Path) -> None:
    inner = tmp_path / "music" / "rock"
    inner.mkdir(parents=True)
    folders = [inner, inner.parent] * 4
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(library.add_folder, folders))
    assert {folder.path for folder in found} <= {inner, inner.parent}
    assert [folder.path for folder in library.folders()] == [inner.parent]


def test_a_folder_with_a_similar_name_is_another_one(library: Library, tmp_path: Path) -> None:
    for name in ("music", "music2"):
        (tmp_path / name).mkdir()
        library.add_folder(tmp_path / name)
    assert len(library.folders()) == 2


def test_a_track_is_found_by_its_path(library: Library, tmp_path: Path, ids: list[int]) -> None:
    path = library.track(ids[0]).path
    assert library.track_by_path(path) == library.track(ids[0])
    assert library.track_by_path(path.parent / ".." / path.parent.name / path.name) is not None
    assert library.track_by_path(tmp_path / "other.mp3") is None
    assert library.track_by_path(Path("/elsewhere/song.mp3")) is None


def test_threads_have_connections_of_their_own(library: Library, ids: list[int]) -> None:
    space_id = library.space_id(OVERALL)
    errors: list[Exception] = []

    def work(track_id: int) -> None:
        try:
            for seed in range(10):
                library.put_embedding(
                    track_id, space_id, embedding(seed), audio_hash="a", duration_s=1
                )
                assert library.tracks([track_id])[0].status is TrackStatus.INDEXED
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(track_id,)) for track_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert library.counts().embeddings == {space_id: 5}


def test_a_transaction_is_kept_whole_or_not_at_all(library: Library, ids: list[int]) -> None:
    def fail_half_way() -> None:
        with library.database.write() as db:
            db.execute("UPDATE track SET title = 'half done'")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_half_way()
    assert "half done" not in titles(library, ids)
    library.put_failure(ids[0], "The next transaction is not disturbed.")


def test_forgetting_a_folder_gives_its_room_back(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Library.open(path) as library:
        add_tracks(library, tmp_path / "music", [Tags(f"Title {i}", "A") for i in range(2000)])
    before = path.stat().st_size
    with Library.open(path) as library:
        assert library.forget_folder(tmp_path / "music") == 2000
        assert library.add_folder(tmp_path / "music").id > 1  # ids are never given twice
    assert path.stat().st_size < before / 3
