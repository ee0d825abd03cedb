from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.libraries import (
    OVERALL,
    VOCALS,
    ToyModel,
    WholeMixture,
    add_tracks,
    at,
    put_vectors,
    write_song,
)

from engine.cli import similar
from engine.errors import AmbiguousQueryError, DecodeError, QueryError
from engine.library import Library, Tags, files
from engine.library.scan.scan import scan
from engine.listening.embedding import embed_file
from engine.models import calibration_of
from engine.models.calibration import Calibration
from engine.models.checkpoint import Manifest, save_checkpoint
from engine.progress import ignore_progress
from engine.records import HeardTag, SpaceKey
from engine.search import Searcher, SearchOptions, SearchResult, choose_space, resolve
from engine.search.export import as_dict, result_as_dict
from engine.search.file_query import FileEmbedder
from engine.search.index import graph
from engine.search.records import FilePart
from engine.sound import audio

SONGS = [
    Tags("Query", "Ann", "First"),
    Tags("Near", "Bob", "Second"),
    Tags("Nearer", "Ann", "First"),
    Tags("Far", "Cid", "Third"),
    Tags("Instrumental", "Dan", "Fourth"),
]
# angles from the query in degrees
VOCAL_ANGLES = {1: 0, 2: 20, 3: 10, 4: 90}
OVERALL_ANGLES = {1: 0, 2: 30, 3: 80, 4: 20, 5: 10}


@pytest.fixture(autouse=True)
def toy_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path, SONGS)
        put_vectors(library, VOCALS, {i: at(angle) for i, angle in VOCAL_ANGLES.items()})
        put_vectors(library, OVERALL, {i: at(angle) for i, angle in OVERALL_ANGLES.items()})
        vocals = library.space_id(VOCALS)
        library.put_embedding(5, vocals, None, audio_hash="hash 5", duration_s=250)
        for space_id in (1, 2):
            graph.refresh(library, space_id, num_threads=1)
        yield library


def ids(result: SearchResult) -> list[int]:
    return [neighbour.track.id for neighbour in result.neighbours]


def test_by_vocals(library: Library) -> None:
    result = Searcher(library).by_track(1)
    assert ids(result) == [3, 2, 4]
    similarities = [neighbour.similarity for neighbour in result.neighbours]
    assert similarities == pytest.approx(np.cos(np.radians([10, 20, 90])), abs=1e-3)
    assert [neighbour.rank for neighbour in result.neighbours] == [1, 2, 3]
    assert (result.by, result.models, result.note) == ("vocals", {"vocals": "toy"}, None)
    assert result.query.track == library.track(1)


def test_percentages_are_similarities_where_a_model_is_not_calibrated(library: Library) -> None:
    result = Searcher(library).by_track(1)
    assert not result.is_calibrated
    assert [neighbour.percent for neighbour in result.neighbours] == [98, 94, 0]


def test_percentages_are_chances_where_a_model_is_calibrated(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"vocals": Calibration(10.0, -5.0), "overall": Calibration(20.0, -12.0)}
    monkeypatch.setattr("engine.models.calibration_of", lambda name, sha256, view: known[view])
    searcher = Searcher(library)
    result = searcher.by_track(1)
    assert result.is_calibrated
    for neighbour in result.neighbours:
        chance = 1 / (1 + np.exp(5 - 10 * neighbour.similarity))
        assert neighbour.percent == round(100 * chance)
    both = searcher.by_track(1, SearchOptions(by="blend", blend=0.25)).neighbours[0]
    assert both.percent == round(100 / (1 + np.exp(10.25 - 17.5 * both.similarity)))


def test_a_blend_tells_what_each_view_says_alone(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"vocals": Calibration(10.0, -5.0), "overall": Calibration(20.0, -12.0)}
    monkeypatch.setattr("engine.models.calibration_of", lambda name, sha256, view: known[view])
    searcher = Searcher(library)
    alone = {
        view: {
            n.track.id: n.percent for n in searcher.by_track(1, SearchOptions(by=view)).neighbours
        }
        for view in known
    }
    blended = searcher.by_track(1, SearchOptions(by="blend", blend=0.4)).neighbours
    assert len(blended) == len(alone["overall"]) > len(alone["vocals"])
    for neighbour in blended:
        track_id = neighbour.track.id
        expected = tuple((v, alone[v][track_id]) for v in known if track_id in alone[v])
        assert neighbour.parts == expected
    assert all(not n.parts for n in searcher.by_track(1).neighbours)
    assert as_dict(blended[0])["percents"] == dict(blended[0].parts)


def test_calibrations_are_of_one_version_of_a_model(tmp_path: Path) -> None:
    facts = {"title": "", "description": "", "licence": "", "source": ""}
    manifest = Manifest("m", "ge2e", **facts, calibration={"vocals": {"slope": 9, "offset": -4}})
    written = save_checkpoint(tmp_path / "m", manifest, {"a": torch.zeros(1)})
    folder = str(tmp_path / "m")
    assert calibration_of(folder, written.sha256, "vocals") == Calibration(9, -4)
    assert calibration_of(folder, written.sha256, "overall") is None
    assert calibration_of(folder, "other", "vocals") is None
    assert calibration_of(str(tmp_path / "gone"), written.sha256, "vocals") is None


def test_by_overall(library: Library) -> None:
    result = Searcher(library).by_track(1, SearchOptions(by="overall"))
    assert ids(result) == [5, 4, 2, 3]
    assert result.models == {"overall": "toy"}


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.7, 1.0])
def test_a_blend_is_the_weighted_mean_of_both_views(library: Library, weight: float) -> None:
    result = Searcher(library).by_track(1, SearchOptions(by="blend", blend=weight))
    expected = {}
    for track_id in (2, 3, 4, 5):
        vocals = VOCAL_ANGLES.get(track_id)
        voice = 0.0 if vocals is None else np.cos(np.radians(vocals))
        sound = np.cos(np.radians(OVERALL_ANGLES[track_id]))
        expected[track_id] = weight * voice + (1 - weight) * sound
    found = {neighbour.track.id: neighbour.similarity for neighbour in result.neighbours}
    assert found == pytest.approx(expected, abs=1e-3)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert result.models == {"vocals": "toy", "overall": "toy"}


def test_a_blend_finds_what_no_view_has_among_its_first(tmp_path: Path) -> None:
    """Two large groups are near in one view each; one song is rather near in both."""
    num = 400
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path, [Tags(f"Title {i}", "Artist") for i in range(2 * num + 2)])
        middle = 2 * num + 2
        voices = {i: at(20 if i <= num else 100) for i in range(2, 2 * num + 2)}
        sounds = {i: at(100 if i <= num else 20) for i in range(2, 2 * num + 2)}
        put_vectors(library, VOCALS, {1: at(0), middle: at(30), **voices})
        put_vectors(library, OVERALL, {1: at(0), middle: at(30), **sounds})
        result = Searcher(library).by_track(1, SearchOptions(by="blend", k=1))
    assert ids(result) == [middle]


def test_a_song_without_vocals_says_so(library: Library) -> None:
    with pytest.raises(QueryError, match=r"Nobody sings in Instrumental.*overall"):
        Searcher(library).by_track(5)
    result = Searcher(library).by_track(5, SearchOptions(by="blend"))
    assert result.by == "overall"
    assert set(ids(result)[:2]) == {1, 4}
    assert result.note is not None
    assert "nearest songs overall" in result.note


def test_several_songs_without_vocals_say_how_many(library: Library, tmp_path: Path) -> None:
    unheard, unsung = add_tracks(library, tmp_path, [Tags("New"), Tags("Drums")])
    library.put_embedding(unsung, library.space_id(VOCALS), None, audio_hash="drums", duration_s=9)
    with pytest.raises(QueryError, match="Nobody sings in any of the 2 songs"):
        Searcher(library).by_tracks([5, unsung])
    with pytest.raises(QueryError, match="None of the 2 songs can be compared, and not all"):
        Searcher(library).by_tracks([5, unheard])


def test_a_song_that_was_not_heard_yet(library: Library, tmp_path: Path) -> None:
    (new,) = add_tracks(library, tmp_path, [Tags("New", "Eve")])
    with pytest.raises(QueryError, match="New has not been heard"):
        Searcher(library).by_track(new)
    library.put_failure(new, "It holds no audio.")
    with pytest.raises(QueryError, match="It holds no audio"):
        Searcher(library).by_track(new)
    with pytest.raises(QueryError, match="no track 999"):
        Searcher(library).by_track(999)


@pytest.mark.parametrize("k", [1, 2, 100])
def test_as_many_as_asked_for(library: Library, k: int) -> None:
    assert ids(Searcher(library).by_track(1, SearchOptions(k=k))) == [3, 2, 4][:k]


@pytest.mark.parametrize(
    "options", [{"k": 0}, {"blend": 1.5}, {"blend": float("nan")}, {"by": "colour"}]
)
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(QueryError):
        SearchOptions(**options)  # type: ignore[arg-type]


def test_filters_leave_out_the_same_artist_and_album(library: Library) -> None:
    assert ids(Searcher(library).by_track(1, SearchOptions(other_artists=True))) == [2, 4]
    assert ids(Searcher(library).by_track(1, SearchOptions(other_albums=True))) == [2, 4]


def test_filters_widen_the_search_until_there_are_enough(tmp_path: Path) -> None:
    """The 900 nearest songs are by the query's artist; three others are far away."""
    with Library.open(tmp_path / "library.db") as library:
        own = [Tags(f"Title {i}", "Ann") for i in range(900)]
        add_tracks(library, tmp_path, [*own, *(Tags(f"Title {i}", "Bob") for i in range(3))])
        angles = [*np.linspace(0, 60, 900), 70, 80, 90]
        put_vectors(library, VOCALS, {i: at(angle) for i, angle in enumerate(angles, start=1)})
        graph.refresh(library, 1, num_threads=1)
        options = SearchOptions(other_artists=True, k=2)
        assert ids(Searcher(library).by_track(1, options)) == [901, 902]
        options = SearchOptions(other_artists=True, k=10)
        assert ids(Searcher(library).by_track(1, options)) == [901, 902, 903]


def test_duplicates_are_hidden_on_request(library: Library, tmp_path: Path) -> None:
    copies = add_tracks(
        library,
        tmp_path,
        [Tags("Query (copy)", "Nobody"), Tags("Near", "Bob", "Best of"), Tags("Other", "Eve")],
    )
    vocals = library.space_id(VOCALS)
    from support.libraries import vector_embedding

    about = [("hash 1", 210.0, 0), ("hash 7", 500.0, 25), ("hash 8", 230.5, 10.2)]
    for track_id, (audio_hash, duration_s, angle) in zip(copies, about, strict=True):
        library.put_embedding(
            track_id,
            vocals,
            vector_embedding(at(angle)),
            audio_hash=audio_hash,
            duration_s=duration_s,
        )
    assert ids(Searcher(library).by_track(1)) == [6, 3, 8, 2, 7, 4]
    assert ids(Searcher(library).by_track(1, SearchOptions(hide_duplicates=True))) == [3, 2, 4]


def test_missing_tracks_are_not_offered(library: Library) -> None:
    with library.database.write() as db:
        files.set_missing(db, [3], True)
    assert ids(Searcher(library).by_track(1)) == [2, 4]


def test_moments_are_those_of_both_songs(library: Library) -> None:
    result = Searcher(library).by_track(1)
    for neighbour in result.neighbours:
        assert neighbour.moments
        assert neighbour.moments[0].query_start_s == neighbour.moments[0].start_s
        assert neighbour.moments[0].similarity == pytest.approx(1)


def test_a_broken_index_gives_results_and_a_note(library: Library) -> None:
    with library.database.write() as db:
        db.execute("UPDATE hnsw_chunk SET data = x'00'")
    result = Searcher(library).by_track(1)
    assert ids(result) == [3, 2, 4]
    assert result.note is not None
    assert "damaged" in result.note


def test_one_searcher_sees_what_is_indexed_later(library: Library, tmp_path: Path) -> None:
    searcher = Searcher(library)
    assert ids(searcher.by_track(1))[0] == 3
    (new,) = add_tracks(library, tmp_path, [Tags("New", "Eve")])
    put_vectors(library, VOCALS, {new: at(1)})
    assert ids(searcher.by_track(1))[0] == new


# spaces


def test_the_space_of_the_model_asked_for(library: Library) -> None:
    other = SpaceKey("other", "1" * 64, "vocals", "all", 4)
    put_vectors(library, other, {1: [1, 0, 0, 0], 4: [1, 0, 0, 0.1]})
    assert choose_space(library, "vocals", None)[1] == VOCALS
    assert choose_space(library, "vocals", "other")[1] == other
    result = Searcher(library).by_track(1, SearchOptions(model="other"))
    assert (ids(result), result.models) == ([4], {"vocals": "other"})
    with pytest.raises(QueryError, match=r"model third.*have heard songs: other, toy"):
        choose_space(library, "vocals", "third")


def test_without_the_default_model_the_fullest_space_serves(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SpaceKey("other", "1" * 64, "vocals", "all", 4)
    put_vectors(library, other, {1: [1, 0, 0, 0], 4: [1, 0, 0, 0.1]})
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "not in the library")
    assert choose_space(library, "vocals", None)[1] == VOCALS


def test_an_empty_library_asks_to_be_indexed(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library.db") as library:
        library.space_id(VOCALS)
        with pytest.raises(QueryError, match="Index your folders first"):
            choose_space(library, "vocals", None)


# which song is meant


def test_a_song_by_path_id_or_words(library: Library, tmp_path: Path) -> None:
    path = library.track(2).path
    path.parent.mkdir()
    path.touch()
    assert resolve(library, str(path)) == 2
    assert resolve(library, "2") == 2
    assert resolve(library, "near") == 2  # the whole title, although Nearer holds it too
    assert resolve(library, "ANN nearer") == 3
    assert resolve(library, "instru") == 5


def test_a_song_that_cannot_be_told(library: Library, tmp_path: Path) -> None:
    with pytest.raises(AmbiguousQueryError, match="2 songs match") as error:
        resolve(library, "ann")
    assert set(error.value.candidates) == {1, 3}
    with pytest.raises(QueryError, match="No song matches “nothing”"):
        resolve(library, "nothing")
    for words in ("", "~nobody/song", "x" * 5000, "9" * 5000, "qx\0zq", "/"):
        with pytest.raises(QueryError, match="No song matches"):
            resolve(library, words)
    outside = write_song(tmp_path / "outside.wav")
    with pytest.raises(QueryError, match="not in the library"):
        resolve(library, str(outside))


def test_a_title_that_is_a_number(library: Library, tmp_path: Path) -> None:
    (track_id,) = add_tracks(library, tmp_path, [Tags("1979", "Smashing Pumpkins")])
    assert resolve(library, "1979") == track_id


# files


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for number, pitch_hz in enumerate((300, 330, 900, 1300), start=1):
        write_song(tmp_path / "music" / f"Artist {number}" / "Song.wav", pitch_hz, duration_s=5)
    return tmp_path / "music"


@pytest.fixture
def heard(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Library, Searcher]]:
    """A library of real files, heard by the toy model."""
    monkeypatch.setattr("engine.models.load", lambda name: ToyModel())
    monkeypatch.setattr("engine.separation.load", lambda name: WholeMixture())
    with Library.open(tmp_path / "heard.db") as library:
        scan(library, [music])
        for track in library.tracks(library.track_ids()):
            for key in (OVERALL, VOCALS):
                embedding = embed_file(track.path, ToyModel(), key.view, separator=WholeMixture())
                assert embedding is not None
                about = {"audio_hash": audio.audio_hash(track.path), "duration_s": 5.0}
                library.put_embedding(track.id, library.space_id(key), embedding, **about)
        yield library, Searcher(library)


def artists(result: SearchResult) -> list[str]:
    return [neighbour.track.artist for neighbour in result.neighbours]


@pytest.mark.parametrize("by", ["vocals", "overall", "blend"])
def test_any_file_is_a_query(heard: tuple[Library, Searcher], tmp_path: Path, by: str) -> None:
    path = write_song(tmp_path / "outside.wav", 905, duration_s=6)
    result = heard[1].by_file(path, SearchOptions(by=by))  # type: ignore[arg-type]
    assert artists(result)[0] == "Artist 3"
    assert len(result.neighbours) == 4
    assert result.query.track is None
    assert result.neighbours[0].similarity == pytest.approx(1, abs=0.2)


def test_what_is_heard_in_a_file_is_told_with_the_answer(
    heard: tuple[Library, Searcher],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    weak, folk = HeardTag("jazz", "genre", 0.4, 0.01), HeardTag("folk", "genre", 0.75, 0.5)
    monkeypatch.setattr(ToyModel, "tags", lambda model, embeddings: (weak, folk))
    path = write_song(tmp_path / "outside.wav", 905, duration_s=6)
    result = heard[1].by_file(path, SearchOptions(by="overall"))
    assert result.query.heard == ("folk",)
    assert result_as_dict(result)["query"]["heard"] == ("folk",)
    similar.show(result)
    assert "It sounds like folk." in capsys.readouterr().out


def test_a_file_of_the_library_and_its_copies_are_not_found(
    heard: tuple[Library, Searcher], music: Path, tmp_path: Path
) -> None:
    library, searcher = heard
    own = music / "Artist 1" / "Song.wav"
    result = searcher.by_file(own)
    assert artists(result)[0] == "Artist 2"
    assert sorted(artists(result)) == ["Artist 2", "Artist 3", "Artist 4"]
    assert result.query.track == library.track_by_path(own)
    copy = tmp_path / "copy.wav"
    copy.write_bytes(own.read_bytes())
    assert artists(searcher.by_file(copy)) == artists(result)


def test_a_part_of_a_file(heard: tuple[Library, Searcher], tmp_path: Path) -> None:
    path = write_song(tmp_path / "both.wav", 300, 1300, duration_s=10)
    result = heard[1].by_file(path, start_s=10.0, end_s=20.0)
    assert artists(result)[0] == "Artist 4"
    assert (result.query.start_s, result.query.end_s) == (10.0, 20.0)
    assert result.neighbours[0].moments[0].query_start_s in (10, 15)
    assert artists(heard[1].by_file(path, end_s=10.0))[0] in ("Artist 1", "Artist 2")


def test_a_file_in_which_nobody_sings(
    heard: tuple[Library, Searcher], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoVocals(WholeMixture):
        def vocals(self, chunks: object, cancel: object = None) -> Iterator[np.ndarray]:
            for chunk in super().vocals(chunks, cancel):  # type: ignore[arg-type]
                yield 0.001 * chunk

    monkeypatch.setattr("engine.separation.load", lambda name: NoVocals())
    searcher = heard[1]
    path = write_song(tmp_path / "outside.wav", 905, duration_s=6)
    with pytest.raises(QueryError, match=r"Nobody sings in outside\.wav"):
        searcher.by_file(path)
    result = searcher.by_file(path, SearchOptions(by="blend"))
    assert (result.by, artists(result)[0]) == ("overall", "Artist 3")


def test_only_the_separator_that_served_last_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: weakref.WeakSet[WholeMixture] = weakref.WeakSet()

    def load(name: str) -> WholeMixture:
        loaded.add(separator := WholeMixture())
        return separator

    monkeypatch.setattr("engine.models.load", lambda name: ToyModel())
    monkeypatch.setattr("engine.separation.load", load)
    path = write_song(tmp_path / "outside.wav", 905, duration_s=6)
    embedder = FileEmbedder()
    for name in ("spleeter", "umxhq", "hdemucs"):
        key = replace(VOCALS, separator=name)
        embedder.embedding(FilePart(path), "hash", key, None, ignore_progress, None)
        assert len(loaded) == 1


def test_files_that_cannot_be_heard(heard: tuple[Library, Searcher], tmp_path: Path) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("no audio")
    for path in (text, tmp_path / "nowhere.mp3"):
        with pytest.raises(DecodeError):
            heard[1].by_file(path)


def test_another_version_of_the_model_is_noticed(
    heard: tuple[Library, Searcher], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Retrained(ToyModel):
        sha256 = "f" * 64

    monkeypatch.setattr("engine.models.load", lambda name: Retrained())
    searcher = heard[1]
    with pytest.raises(QueryError, match="another version of the model toy"):
        searcher.by_file(write_song(tmp_path / "outside.wav", duration_s=6))


def test_filters_know_the_tags_of_a_file(heard: tuple[Library, Searcher], tmp_path: Path) -> None:
    path = write_song(tmp_path / "Artist 3 - Live.wav", 905, duration_s=6)
    assert "Artist 3" not in artists(heard[1].by_file(path, SearchOptions(other_artists=True)))


def test_artists_in_place_of_songs(library: Library) -> None:
    result = Searcher(library).by_track(3, SearchOptions(by="overall", as_artists=True))
    assert result.query.track is not None
    told = [
        (one.rank, one.track.artist, [song.track.title for song in (one, *(one.more or ()))])
        for one in result.neighbours
    ]
    assert told == [
        (1, "Bob", ["Near"]),
        (2, "Cid", ["Far"]),
        (3, "Dan", ["Instrumental"]),
    ]
    add_tracks(library, Path("/other"), [Tags("Another", "Cid", "Fifth")])
    put_vectors(library, OVERALL, {6: at(70)})
    result = Searcher(library).by_track(3, SearchOptions(by="overall", k=1, as_artists=True))
    (row,) = result.neighbours
    assert [song.track.title for song in (row, *(row.more or ()))] == ["Another", "Far"]
    assert [(song.rank, song.percent) for song in row.more or ()] == [(1, 50)]


def test_what_an_earlier_default_heard_goes_on_serving_and_says_so(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = SpaceKey("singalike-3", "3" * 64, "overall", None, 4)
    put_vectors(library, heard, {i: [1, 0, 0, i / 10] for i in (1, 2, 3, 4, 5)})
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "better")
    options = SearchOptions(by="overall", model=None)
    found = Searcher(library).by_track(1, options)
    assert found.models == {"overall": "singalike-3"}
    assert "heard in an older way" in (found.note or "")
    assert Searcher(library).by_track(1, replace(options, model="singalike-3")).note is None
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "singalike-3")
    assert Searcher(library).by_track(1, options).note is None
