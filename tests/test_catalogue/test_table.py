"""A catalogue searched like a library: the same songs, the same filters; and what is refused."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import pytest
from support.catalogue import QUIET, song, write_table
from support.libraries import OVERALL, VOCALS, ToyModel, WholeMixture, add_tracks, write_song

from catalogue import cli as catalogue_cli
from catalogue import upkeep
from catalogue.libraries import from_library, to_library
from engine.cli import commands, run_app
from engine.errors import (
    AmbiguousQueryError,
    CatalogueError,
    LibraryError,
    LibraryLockedError,
    QueryError,
)
from engine.library import Library, Tags
from engine.listening.embedding import embed_file
from engine.search import (
    Scope,
    Searcher,
    SearchOptions,
    SearchResult,
    resolve,
    resolve_artist,
)
from engine.search.journey import journey
from engine.search.remote.rows import METADATA, song_id
from engine.search.remote.source import TableSource
from engine.search.remote.table import SongTable
from engine.sound.audio import audio_hash

SPACES = (VOCALS, OVERALL)
STORE = "s3://bucket"
SONGS = [
    song(f"{STORE}/Ann/First/Query.mp3", 0, Tags("Query", "Ann", "First", genre="Pop", year=1999)),
    song(f"{STORE}/Bob/Near.mp3", 20, Tags("Near", "Bob", "Second", genre="Pop/Rock", year=1975)),
    song(f"{STORE}/Ann/First/Nearer.mp3", 10, Tags("Nearer", "Ann feat. Bob", "First", "", "Jazz")),
    song(f"{STORE}/Cid/Far.mp3", 50, Tags("Far", "Cid", "Third", genre="rock", year=1980)),
    song(f"{STORE}/Cid/Farther.mp3", 60, Tags("Farther", "Cid", "Third", genre="R&B", year=2010)),
    song(f"{STORE}/Dan/Choir.mp3", 70, Tags("Choir", "Dan", "", "Various", "Pop", 2011)),
    song(f"{STORE}/Dan/Band.mp3", 30, Tags("Band", "Dan", "", "", "Pop", 2011), sings=False),
    song(f"{STORE}/Copies/Near.mp3", 20.5, Tags("Near", "Bob", "Best of")),
]
ANN = song_id(SONGS[0].audio_hash, SPACES)


@pytest.fixture(autouse=True)
def toy_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> SongTable:
    table = SongTable.create(str(tmp_path_factory.mktemp("catalogue") / "table"), SPACES)
    table.add(SONGS)
    upkeep.index(table, *QUIET)
    return table


@pytest.fixture(scope="module")
def library(table: SongTable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The same songs, taken from the catalogue."""
    with Library.open(tmp_path_factory.mktemp("library") / "library.db") as library:
        assert to_library(table, library, *QUIET) == Counter(new=len(SONGS))
        yield library


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
    SearchOptions("overall", scope=Scope(lowest_note=50, highest_note=70)),
    SearchOptions("overall", scope=Scope(sounds_like=frozenset({"folk", "sad"}))),
]


@pytest.mark.parametrize("options", OPTIONS)
def test_it_finds_what_a_library_finds(
    library: Library, table: SongTable, options: SearchOptions
) -> None:
    (track,) = library.tracks(library.find("Ann Query"))
    expected = Searcher(library).by_track(track.id, options)
    found = Searcher(TableSource(table)).by_track(ANN, options)
    assert places(found) == places(expected)
    for one, other in zip(found.neighbours, expected.neighbours, strict=True):
        assert one.similarity == pytest.approx(other.similarity, abs=0.01)  # float16
        assert one.moments == other.moments
        assert one.track.has_vocals == other.track.has_vocals
    assert (found.by, found.models, found.note) == (expected.by, expected.models, expected.note)


def places(result: SearchResult) -> list[str]:
    return [n.track.path.as_posix() for n in result.neighbours]


@pytest.mark.parametrize("options", OPTIONS[:4])
def test_it_finds_who_sounds_like_an_artist(
    library: Library, table: SongTable, options: SearchOptions
) -> None:
    source = TableSource(table)
    expected = Searcher(library).by_artist("Cid", options)
    found = Searcher(source).by_artist(resolve_artist(source, "cid"), options)
    assert places(found) == places(expected)
    with pytest.raises(QueryError, match="No artist matches"):
        resolve_artist(source, "Nobody")


def test_a_journey_goes_the_same_way(library: Library, table: SongTable) -> None:
    ends = [library.find(words)[0] for words in ("Ann Query", "Dan Choir")]
    expected = journey(Searcher(library), *ends)
    source = TableSource(table)
    ends = [source.find(words)[0] for words in ("Ann Query", "Dan Choir")]
    found = journey(Searcher(source), *ends)
    assert [track.path for track in found.tracks] == [track.path for track in expected.tracks]


def test_candidates_are_widened_until_enough_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.search.remote.source._MIN_CANDIDATES", 4)
    many = [song(f"Bob/{i}.mp3", 1 + i / 10, Tags(f"{i}", "Bob")) for i in range(1, 80)]
    some = [SONGS[0], *many, song("Eve/Last.mp3", 80, Tags("Last", "Eve"))]
    source = TableSource(write_table(tmp_path / "table", some, SPACES))
    found = Searcher(source).by_track(ANN, SearchOptions(k=2, one_per_artist=True))
    assert [n.track.artist for n in found.neighbours] == ["Bob", "Eve"]


def test_songs_are_meant_by_words_addresses_and_ids(table: SongTable) -> None:
    source = TableSource(table)

    def title(words: str) -> str:
        return source.tracks([resolve(source, words)])[0].title

    assert title("ann query") == title(str(ANN)) == title(SONGS[0].path) == "Query"
    with pytest.raises(AmbiguousQueryError, match="2 songs match"):
        resolve(source, "near")
    with pytest.raises(QueryError, match="No song matches “nothing of it”"):
        resolve(source, "nothing of it")


def test_the_table_of_the_window_lists_and_offers(table: SongTable) -> None:
    source = TableSource(table)
    tracks = source.tracks(source.track_ids("ann", "title"))
    assert [track.title for track in tracks] == ["Nearer", "Query"]
    assert len(source.track_ids(sort="year", descending=True)) == len(SONGS)
    facets = source.facets()
    assert (facets.first_year, facets.last_year) == (1975, 2011)
    assert ("Pop", 4) in facets.genres
    assert (Path(f"{STORE}/Cid"), 2) in facets.folders
    assert facets.heard == (("folk", "genre", 8), ("sad", "mood", 4))


def test_what_is_heard_goes_along(library: Library, table: SongTable, tmp_path: Path) -> None:
    def told(source: Library | TableSource) -> dict[str, tuple[str, ...]]:
        return {track.title: track.heard for track in source.tracks(source.track_ids())}

    assert told(library) == told(TableSource(table))
    assert told(library)["Far"] == ("folk", "sad")
    assert told(library)["Query"] == ("folk",)


def test_a_library_goes_into_a_catalogue_and_comes_back(
    library: Library, table: SongTable, tmp_path: Path
) -> None:
    add_tracks(library, tmp_path / "music", [Tags("Not heard yet", "Eve")])
    counts = from_library(library, str(tmp_path / "copy"), *QUIET)
    assert counts == Counter(new=len(SONGS), waiting=0)
    again = from_library(library, str(tmp_path / "copy"), *QUIET)
    assert again == Counter(known=len(SONGS))
    copy = SongTable.open(str(tmp_path / "copy"))
    upkeep.index(copy, *QUIET)
    found = Searcher(TableSource(copy)).by_track(ANN)
    assert places(found) == places(Searcher(TableSource(table)).by_track(ANN))
    assert to_library(copy, library, *QUIET) == Counter(known=len(SONGS))
    assert list(upkeep.verify(copy, *QUIET)) == []


def test_all_commands_know_a_catalogue(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = str(tmp_path / "table")

    def run(app: object, code: int, *words: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["singalike", *words])
        with pytest.raises(SystemExit) as end:
            run_app(lambda: app)  # type: ignore[arg-type, return-value]
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.out, captured.err

    write_table(tmp_path / "table", SONGS, SPACES)
    file = str(tmp_path / "library.db")
    _, said = run(catalogue_cli.app, 0, "to-library", place, "--library", file)
    assert "8 songs are new" in said
    out, _ = run(catalogue_cli.app, 0, "from-library", place + "2", "--library", file, "--json")
    assert json.loads(out) == {"new": 8, "known": 0, "waiting": 0}
    run(catalogue_cli.app, 0, "index", place)
    out, _ = run(catalogue_cli.app, 0, "status", place)
    assert "8 songs" in out
    assert "in 7 of them somebody sings" in out
    assert "sound" in run(catalogue_cli.app, 0, "verify", place)[0]
    out, _ = run(commands.app, 0, "similar", "ann query", "--catalogue", place, "--json", "-k", "1")
    found = json.loads(out)
    assert found["query"]["path"] == SONGS[0].path
    assert found["neighbours"][0]["path"] == f"{STORE}/Ann/First/Nearer.mp3"
    assert found["neighbours"][0]["moments"]
    out, _ = run(commands.app, 0, "similar", SONGS[0].path, "--catalogue", place, "--other-artists")
    assert "Nearest voices to Ann – Query  (toy)" in out
    assert "Nearer" not in out
    playlist = tmp_path / "list.m3u8"
    run(commands.app, 0, "export", str(playlist), "ann query", "--catalogue", place)
    assert "s3://bucket/Bob/Near.mp3" in playlist.read_text("utf-8")
    assert "Choir" in run(commands.app, 0, "journey", "ann query", "choir", "--catalogue", place)[0]
    assert "2 songs match" in run(commands.app, 2, "similar", "near", "--catalogue", place)[1]
    assert "Name a song" in run(commands.app, 1, "similar", "--catalogue", place)[1]
    _, said = run(commands.app, 1, "similar", SONGS[0].path, "--at", "0-5", "--catalogue", place)
    assert "not on this machine" in said
    _, said = run(commands.app, 1, "similar", "near", "--catalogue", str(tmp_path / "nowhere"))
    assert "There is no catalogue at" in said
    assert not (tmp_path / "nowhere").exists()


def test_any_file_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is listened to with the model of the catalogue; copies of it are not shown."""
    monkeypatch.setattr("engine.models.load", lambda name: ToyModel())
    monkeypatch.setattr("engine.separation.load", lambda name: WholeMixture())
    songs = []
    for pitch_hz in (200, 220, 900):
        path = write_song(tmp_path / f"{pitch_hz}.wav", pitch_hz, duration_s=5)
        heard = embed_file(path, ToyModel(), "vocals", separator=WholeMixture())  # type: ignore[arg-type]
        one = song(f"{STORE}/{path.name}", 0, Tags(path.stem, path.stem), sound=audio_hash(path))
        songs.append(replace(one, heard={"vocals": heard}))
    searcher = Searcher(TableSource(write_table(tmp_path / "table", songs, (VOCALS,))))
    file = tmp_path / "200.wav"
    for found in (
        searcher.by_file(file),
        searcher.by_file(file, start_s=1, end_s=4, is_vocals=True),
    ):
        assert [n.track.title for n in found.neighbours] == ["220", "900"]
        assert found.query.path == file
    with pytest.raises(QueryError, match="not heard for the view overall"):
        searcher.by_file(file, SearchOptions("overall"))


def test_two_writers_bring_no_song_twice(tmp_path: Path) -> None:
    """Each saw the table before the other wrote: the key is LanceDB's to hold."""
    first = write_table(tmp_path / "table", SONGS[:2], SPACES)
    second = SongTable.open(first.place)
    for one, some in ((first, SONGS[2:5]), (second, SONGS[2:7])):
        one.add(some)
    assert SongTable.open(first.place).count() == 7
    assert list(upkeep.verify(SongTable.open(first.place), *QUIET)) == []


def test_damage_is_found(tmp_path: Path, library: Library) -> None:
    table = write_table(tmp_path / "table", SONGS, SPACES)
    table.songs.update("audio_hash = 'else'", values={"vocals_codes": b"odd", "mtime_ns": 1})
    assert list(upkeep.verify(table, *QUIET)) == []
    key = song_id(SONGS[1].audio_hash, SPACES)
    table.songs.update(f"id = {key}", values={"vocals_codes": b"odd", "audio_hash": "other"})
    problems = list(upkeep.verify(table, *QUIET))
    assert [p for p in problems if "Bob/Near.mp3 is damaged" in p]
    table.songs.update(f"id = {ANN}", values={"audio_hash": "other"})
    problems = list(upkeep.verify(table, *QUIET))
    assert [p for p in problems if "Query.mp3 has a key that is not of its sound" in p]
    with pytest.raises(CatalogueError, match=r"Bob/Near\.mp3 is damaged"):
        to_library(table, library, *QUIET)


@pytest.mark.parametrize(("value", "said"), [(np.nan, "not finite"), (9.0, "length 9")])
def test_what_is_no_vector_is_not_written(tmp_path: Path, value: float, said: str) -> None:
    table = write_table(tmp_path / "table", SONGS[:1], SPACES)
    bad = song("b.mp3", 10)
    bad.heard["vocals"].vector[1] = value  # type: ignore[union-attr]
    with pytest.raises(CatalogueError, match=said):
        table.add([*SONGS, bad])
    assert table.count() == 1


SPACE = '{"model": "m", "model_sha256": "", "view": "overall", "separator": null, "dim": 16}'


@pytest.mark.parametrize(
    "told",
    [
        "[",
        "[" * 100_000,
        "[]",
        '{"version": 1}',
        '{"version": 1, "spaces": []}',
        '{"version": 1, "spaces": [7]}',
        '{"version": 1, "spaces": [{"model": "m"}]}',
        f'{{"version": 1, "spaces": [{SPACE}]}}'.replace("16", "17"),
        f'{{"version": 1, "spaces": [{SPACE}]}}'.replace("16", '"16"'),
        f'{{"version": 1, "spaces": [{SPACE}]}}'.replace("overall", "id"),
    ],
)
def test_what_a_stranger_s_table_says_of_itself_is_checked(tmp_path: Path, told: str) -> None:
    fields = [("id", pa.int64()), ("overall_vector", pa.list_(pa.float16(), 16))]
    for name in ("songs", "skipped"):
        lancedb.connect(tmp_path).create_table(name, schema=pa.schema(fields, {METADATA: told}))
    with pytest.raises(CatalogueError, match="no catalogue of Singalike's"):
        SongTable.open(str(tmp_path))


@pytest.mark.parametrize("told", ["", "!", "AAAA", "/" * 1000])
def test_a_stranger_s_centre_that_cannot_be_one_counts_as_none(tmp_path: Path, told: str) -> None:
    table = write_table(tmp_path / "table", SONGS[:1], SPACES)
    table.keep(SPACES[0], "singalike.centre", told)
    assert SongTable.open(table.place).centre(SPACES[0]) is None


def test_what_cannot_be_used_is_told(table: SongTable, tmp_path: Path, library: Library) -> None:
    with pytest.raises(CatalogueError, match="There is no catalogue"):
        SongTable.open(str(tmp_path))
    with pytest.raises(CatalogueError, match="was made by toy"):
        SongTable.create(table.place, (OVERALL,))
    newer = pa.schema([("id", pa.int64())], {METADATA: '{"version": 9}'})
    for name in ("songs", "skipped"):
        lancedb.connect(tmp_path / "newer").create_table(name, schema=newer)
    with pytest.raises(CatalogueError, match=r"is of version 9.* Update Singalike"):
        SongTable.open(str(tmp_path / "newer"))
    library.space_id(replace(OVERALL, model="other", dim=8))
    other = write_table(tmp_path / "other", [], (replace(OVERALL, model="other"),))
    with pytest.raises(LibraryError, match="another number of dimensions than 16"):
        to_library(other, library, *QUIET)
    with library.lease(), Library.open(library.path) as again, pytest.raises(LibraryLockedError):
        to_library(table, again, *QUIET)
