from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.libraries import VOCALS, add_tracks, embedding, put_vectors

from engine.library import Library, Tags, Track
from engine.search import Searcher, SearchResult
from engine.search.export import ExportError, as_dict, export, render, result_as_dict


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(
            library,
            tmp_path / "music",
            [
                Tags("One", "Ann", "First", genre="Pop", year=1999, track_number=1),
                Tags("Two, “quoted”", "Björk"),
                Tags("", ""),
            ],
        )
        put_vectors(library, VOCALS, {i: embedding(i).vector for i in (1, 2)})
        yield library


@pytest.fixture
def tracks(library: Library) -> list[Track]:
    return library.tracks([1, 2, 3])


@pytest.fixture
def result(library: Library, monkeypatch: pytest.MonkeyPatch) -> SearchResult:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")
    return Searcher(library).by_track(1)


def test_a_playlist_with_absolute_paths(tracks: list[Track], tmp_path: Path) -> None:
    export(tracks, tmp_path / "list.m3u8")
    assert (tmp_path / "list.m3u8").read_text("utf-8").splitlines() == [
        "#EXTM3U",
        "#EXTINF:210,Ann - One",
        str(tmp_path / "music" / "Ann" / "00000 One.mp3"),
        "#EXTINF:220,Björk - Two, “quoted”",
        str(tmp_path / "music" / "Björk" / "00001 Two, “quoted”.mp3"),
        "#EXTINF:-1,",
        str(tmp_path / "music" / "00002 .mp3"),
    ]


def test_a_playlist_with_relative_paths(tracks: list[Track], tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    target = tmp_path / "lists" / "list.m3u"
    export(tracks[:1], target, has_relative_paths=True)
    last = target.read_text("utf-8").splitlines()[-1]
    assert last == os.path.join("..", "music", "Ann", "00000 One.mp3")  # noqa: PTH118
    assert (target.parent / last).resolve() == tracks[0].path


@pytest.mark.linux
def test_names_that_a_playlist_cannot_hold_as_they_are(tracks: list[Track], tmp_path: Path) -> None:
    names = ["#hash.mp3", "line\nbreak.mp3", os.fsdecode(b"Bj\xf6rk.mp3")]
    odd = [replace(tracks[0], path=tmp_path / name) for name in names]
    lines = render(odd, "m3u8", relative_to=tmp_path).splitlines()[2::2]
    assert lines == [
        os.fsencode(f".{os.sep}#hash.mp3"),
        (tmp_path / "line\nbreak.mp3").as_uri().encode(),
        b"Bj\xf6rk.mp3",
    ]


def test_json_of_tracks(tracks: list[Track], tmp_path: Path) -> None:
    export(tracks, tmp_path / "list.json")
    written = json.loads((tmp_path / "list.json").read_bytes())
    assert written == [as_dict(track) for track in tracks]
    assert written[0] == {
        "track_id": 1,
        "path": str(tracks[0].path),
        "artist": "Ann",
        "title": "One",
        "album": "First",
        "album_artist": "",
        "genre": "Pop",
        "year": 1999,
        "track_number": 1,
        "duration_s": 210.0,
        "status": "indexed",
    }


@pytest.mark.linux
def test_json_of_a_path_that_is_not_text_names_the_same_file(tracks: list[Track]) -> None:
    path = Path(os.fsdecode(b"/Bj\xf6rk.mp3"))
    (written,) = json.loads(render([replace(tracks[0], path=path)], "json"))
    assert os.fsencode(written["path"]) == b"/Bj\xf6rk.mp3"


def test_csv_of_neighbours(result: SearchResult, tmp_path: Path) -> None:
    export(result.neighbours, tmp_path / "list.CSV")
    with (tmp_path / "list.CSV").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["rank"], row["track_id"], row["artist"]) == ("1", "2", "Björk")
    assert row["title"] == "Two, “quoted”"
    assert float(row["similarity"]) == pytest.approx(result.neighbours[0].similarity, abs=1e-6)
    assert float(row["start_s"]) == result.neighbours[0].moments[0].start_s


def test_csv_of_tracks_has_the_same_columns(tracks: list[Track], result: SearchResult) -> None:
    of_tracks = render(tracks, "csv").splitlines()
    assert of_tracks[0] == render(result.neighbours, "csv").splitlines()[0]
    assert len(of_tracks) == 4


def test_neighbours_make_a_playlist(result: SearchResult) -> None:
    assert b"#EXTINF:220," in render(result.neighbours, "m3u8")


def test_a_search_result_as_scripts_read_it(result: SearchResult) -> None:
    printed = json.loads(json.dumps(result_as_dict(result)))
    assert (printed["by"], printed["model"], printed["note"]) == ("vocals", "toy", result.note)
    assert printed["query"]["track_id"] == 1
    assert (printed["query"]["start_s"], printed["query"]["end_s"]) == (0, None)
    (neighbour,) = printed["neighbours"]
    expected = {"rank", "track_id", "path", "artist", "album", "similarity", "percent", "moments"}
    assert expected <= set(neighbour)
    assert set(neighbour["moments"][0]) == {"query_start_s", "start_s", "similarity"}


def test_a_query_from_outside_the_library(result: SearchResult) -> None:
    query = replace(result.query, track=None, path=Path("/else/where.mp3"), end_s=9.5)
    printed = result_as_dict(replace(result, query=query))
    assert printed["query"] == {
        "track_id": None,
        "path": str(query.path),
        "heard": (),
        "start_s": 0.0,
        "end_s": 9.5,
    }


def test_an_empty_list(tmp_path: Path) -> None:
    assert render([], "m3u8") == b"#EXTM3U\n"
    assert json.loads(render([], "json")) == []
    assert render([], "csv").count(b"\n") == 1


def test_an_earlier_file_is_replaced_whole(tracks: list[Track], tmp_path: Path) -> None:
    target = tmp_path / "list.m3u8"
    export(tracks, target)
    export(tracks[:1], target)
    assert target.read_bytes() == render(tracks[:1], "m3u8")
    assert {path.name for path in tmp_path.iterdir()} == {"library.db", "list.m3u8"} | {
        f"library.db-{part}" for part in ("wal", "shm")
    }


@pytest.mark.linux
def test_a_link_to_a_file_stays_a_link(tracks: list[Track], tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    export(tracks, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").stat().st_size > 0


def test_what_cannot_be_written_is_a_sentence(tracks: list[Track], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"End the name in \.m3u8, \.json or \.csv"):
        export(tracks, tmp_path / "list.txt")
    with pytest.raises(ExportError, match=r"^\. does not tell what to write"):
        export(tracks, Path())
    with pytest.raises(ExportError, match="cannot be written: No such file"):
        export(tracks, tmp_path / "nowhere" / "list.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.csv" / "kept").touch()
    with pytest.raises(ExportError, match="cannot be written"):
        export(tracks, tmp_path / "folder.csv")
    assert not list(tmp_path.glob(".*"))
