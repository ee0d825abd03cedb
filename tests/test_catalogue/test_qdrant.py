"""Shards in Qdrant's embedded mode, searched like a library: same songs, same filters."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.catalogue import heard_row, write_shards
from support.libraries import (
    OVERALL,
    VOCALS,
    ToyModel,
    WholeMixture,
    at,
    vector_embedding,
    write_song,
)

from catalogue import cli as catalogue_cli
from catalogue.importing import import_shards
from catalogue.shards import ShardRow
from catalogue.to_qdrant import upload_shards
from engine.cli import commands, run_app
from engine.errors import AmbiguousQueryError, QueryError
from engine.library import Library, Tags
from engine.listening.embedding import embed_file
from engine.records import TrackEmbedding, View
from engine.search import Scope, Searcher, SearchOptions, SearchResult
from engine.search.remote.points import folders_of, point_id
from engine.search.remote.query import search_qdrant
from engine.search.remote.source import QdrantSource
from engine.search.remote.store import opened_qdrant
from engine.sound.audio import audio_hash

SPACES = (VOCALS, OVERALL)
STORE = "s3://bucket"
ANN = f"{STORE}/Ann/First/Query.mp3"


@pytest.fixture(autouse=True)
def toy_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")


def song(row: int, path: str, degrees: float, tags: Tags, sings: bool = True) -> ShardRow:
    heard: dict[View, TrackEmbedding | None] = {
        "vocals": vector_embedding(at(degrees)) if sings else None,
        "overall": vector_embedding(at(90 - degrees)),
    }
    return heard_row(row, f"{STORE}/{path}", tags, heard)


ROWS = [
    song(0, "Ann/First/Query.mp3", 0, Tags("Query", "Ann", "First", genre="Pop", year=1999)),
    song(1, "Bob/Near.mp3", 20, Tags("Near", "Bob", "Second", genre="Pop/Rock", year=1975)),
    song(2, "Ann/First/Nearer.mp3", 10, Tags("Nearer", "Ann feat. Bob", "First", genre="Jazz")),
    song(3, "Cid/Far.mp3", 50, Tags("Far", "Cid", "Third", genre="rock", year=1980)),
    song(4, "Cid/Farther.mp3", 60, Tags("Farther", "Cid", "Third", genre="R&B", year=2010)),
    song(5, "Dan/Choir.mp3", 70, Tags("Choir", "Dan", "", "Various", "Pop", 2011)),
    song(6, "Dan/Band.mp3", 30, Tags("Band", "Dan", "Fifth", genre="Pop", year=2011), sings=False),
    song(7, "Copies/Near.mp3", 20.5, Tags("Near", "Bob", "Best of")),
]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_shards(tmp_path_factory.mktemp("shards"), ROWS, SPACES, 3)


@pytest.fixture(scope="module")
def qdrant(shards: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QdrantSource]:
    with opened_qdrant(str(tmp_path_factory.mktemp("qdrant") / "db"), create=True) as client:
        upload_shards(client, [shards])
        yield QdrantSource(client)


@pytest.fixture(scope="module")
def library(shards: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("library") / "library.db") as library:
        import_shards(library, [shards])
        yield library


def places(result: SearchResult) -> list[str]:
    return [n.track.path.as_posix() for n in result.neighbours]


OPTIONS = [
    SearchOptions(),
    SearchOptions(k=2),
    SearchOptions("overall"),
    SearchOptions("blend", blend=0.3),
    SearchOptions("blend", other_artists=True),
    SearchOptions(other_artists=True),
    SearchOptions(other_albums=True),
    SearchOptions(hide_duplicates=True),
    SearchOptions(one_per_artist=True),
    SearchOptions(scope=Scope(genres=frozenset({"rock"}))),
    SearchOptions(scope=Scope(genres=frozenset({"r b", "pop"}), last_year=2010)),
    SearchOptions(scope=Scope(first_year=1980)),
    SearchOptions(scope=Scope(folders=frozenset({Path("s3://bucket/Cid"), Path("s3://none")}))),
    SearchOptions(scope=Scope(min_duration_s=203, max_duration_s=204)),
    SearchOptions("overall", scope=Scope(genres=frozenset({"polka"}))),
]


@pytest.mark.parametrize("options", OPTIONS)
def test_it_finds_what_a_library_finds(
    library: Library, qdrant: QdrantSource, options: SearchOptions
) -> None:
    (track,) = library.tracks(library.find("Ann Query"))
    expected = Searcher(library).by_track(track.id, options)
    found = Searcher(qdrant).by_track(qdrant.resolve(ANN).id, options)
    assert places(found) == places(expected)
    for one, other in zip(found.neighbours, expected.neighbours, strict=True):
        assert one.similarity == pytest.approx(other.similarity, abs=0.01)  # float16
        assert one.percent == pytest.approx(other.percent, abs=1)
        assert one.moments == other.moments
    assert (found.by, found.models, found.is_calibrated) == (
        expected.by,
        expected.models,
        expected.is_calibrated,
    )


@pytest.mark.parametrize("options", OPTIONS[:4])
def test_it_finds_who_sounds_like_an_artist(
    library: Library, qdrant: QdrantSource, options: SearchOptions
) -> None:
    expected = Searcher(library).by_artist("cid", options)
    found = Searcher(qdrant).by_artist("cid", options)
    assert places(found) == places(expected)
    with pytest.raises(QueryError, match="no song by “Nobody”"):
        Searcher(qdrant).by_artist("Nobody", options)


def test_candidates_are_widened_until_enough_pass(
    shards: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [song(i, f"Bob/{i}.mp3", 1 + i / 10, Tags(f"{i}", "Bob")) for i in range(1, 80)]
    rows = [ROWS[0], *many, song(80, "Eve/Last.mp3", 80, Tags("Last", "Eve"))]
    with opened_qdrant(str(tmp_path / "db"), create=True) as client:
        upload_shards(client, [write_shards(tmp_path / "shards", rows, (VOCALS,), 200)])
        source = QdrantSource(client)
        options = SearchOptions(k=2, one_per_artist=True)
        found = Searcher(source).by_track(source.resolve(ANN).id, options)
    assert [n.track.artist for n in found.neighbours] == ["Bob", "Eve"]


def test_songs_are_meant_by_words_addresses_and_ids(qdrant: QdrantSource) -> None:
    assert qdrant.resolve("ann query").path == Path(ANN)
    assert qdrant.resolve(str(point_id(ANN))).title == "Query"
    assert qdrant.resolve("far third cid").title in ("Far", "Farther")
    with pytest.raises(AmbiguousQueryError) as error:
        qdrant.resolve("near")
    assert {track.path.parent.name for track in qdrant.tracks(error.value.candidates)} == {
        "Bob",
        "Copies",
    }
    with pytest.raises(QueryError, match="No recording matches “nothing of it”"):
        qdrant.resolve("nothing of it")


def test_a_song_without_vocals_is_told(qdrant: QdrantSource) -> None:
    band = qdrant.resolve("Dan Band")
    with pytest.raises(QueryError, match="Nobody sings in Band"):
        Searcher(qdrant).by_track(band.id, SearchOptions())
    blend = Searcher(qdrant).by_track(band.id, SearchOptions("blend"))
    assert blend.by == "overall"
    assert "nearest songs overall" in (blend.note or "")


def test_a_second_upload_changes_nothing(
    shards: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened_qdrant(str(tmp_path / "db"), create=True) as client:
        first = upload_shards(client, [shards])
        assert upload_shards(client, [shards]).points == first.points
        assert {name: client.count(name).count for name in first.points} == first.points
        assert sorted(first.points.values()) == [7, 8]
        with pytest.raises(QueryError, match="Name a song"):
            search_qdrant(client, None, None, SearchOptions())
        with pytest.raises(QueryError, match="not on this machine"):
            search_qdrant(client, ANN, None, SearchOptions(), (0.0, 5.0))
        with pytest.raises(QueryError, match="the model other has heard"):
            search_qdrant(client, ANN, None, replace(SearchOptions(), model="other"))


def test_the_command_line_goes_all_the_way(
    shards: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    db = str(tmp_path / "db")

    def run(app: object, code: int, *words: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["singalike", *words])
        with pytest.raises(SystemExit) as end:
            run_app(lambda: app)  # type: ignore[arg-type, return-value]
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.out, captured.err

    _, said = run(catalogue_cli.app, 0, "to-qdrant", shards, "--qdrant", db)
    assert "8 recordings are in the collection singalike.overall.toy" in said
    out, _ = run(commands.app, 0, "similar", "ann query", "--qdrant", db, "--json", "-k", "1")
    found = json.loads(out)
    assert found["query"]["path"] == ANN
    assert found["neighbours"][0]["path"] == f"{STORE}/Ann/First/Nearer.mp3"
    assert found["neighbours"][0]["moments"]
    out, _ = run(commands.app, 0, "similar", ANN, "--qdrant", db, "--other-artists")
    assert "Nearest voices to Ann – Query  (toy)" in out
    assert "Bob – Near" in out
    assert "Nearer" not in out
    _, said = run(commands.app, 2, "similar", "near", "--qdrant", db)
    assert "Several recordings match" in said
    _, said = run(commands.app, 1, "similar", "near", "--qdrant", str(tmp_path / "nowhere"))
    assert "no Qdrant collection" in said
    assert not (tmp_path / "nowhere").exists()
    _, said = run(commands.app, 1, "similar", "near", "--qdrant", "http://127.0.0.1:9")
    assert "Qdrant at http://127.0.0.1:9" in said


def test_any_file_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is listened to with the model of the collection; copies of it are not shown."""
    monkeypatch.setattr("engine.models.load", lambda name: ToyModel())
    monkeypatch.setattr("engine.separation.load", lambda name: WholeMixture())
    rows = []
    for row, pitch_hz in enumerate((200, 220, 900)):
        path = write_song(tmp_path / f"{pitch_hz}.wav", pitch_hz, duration_s=5)
        heard = embed_file(path, ToyModel(), "vocals", separator=WholeMixture())  # type: ignore[arg-type]
        views: dict[View, TrackEmbedding | None] = {"vocals": heard}
        tags, sound = Tags(path.stem, path.stem), audio_hash(path)
        rows.append(heard_row(row, f"{STORE}/{path.name}", tags, views, sound=sound))
    with opened_qdrant(str(tmp_path / "db"), create=True) as client:
        upload_shards(client, [write_shards(tmp_path / "shards", rows, (VOCALS,))])
        file = str(tmp_path / "200.wav")
        for part, is_voice in ((None, False), ((1.0, 4.0), True)):
            found = search_qdrant(client, file, None, SearchOptions(), part, is_voice)
            assert [n.track.title for n in found.neighbours] == ["220", "900"]
            assert found.query.path == Path(file)


def test_folders_of_paths_and_addresses() -> None:
    assert folders_of("s3://b/c/d.mp3") == ["s3://b", "s3://b/c"]
    assert folders_of("/a/b/c.mp3") == ["/", "/a", "/a/b"]
