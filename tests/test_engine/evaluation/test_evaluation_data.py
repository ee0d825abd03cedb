from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.evaluation import SINGERS, write_table
from support.sound import buzz, write_wav

from engine.demo.cover import cover_png
from engine.errors import EvaluationError, LibraryError
from engine.evaluation.evaluation_data import (
    LIBRARY_COLUMNS,
    Clip,
    read_data,
    read_library,
    read_table,
)
from engine.library import Library
from engine.library.scan.scan import scan
from engine.sound.encode import SongTags, write_audio, write_tags


def table(folder: Path, text: str) -> Path:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_stems_of_a_song_are_one_clip(tmp_path: Path) -> None:
    data = read_table(write_table(tmp_path))
    assert len(data.clips) == 12
    clip = data.clips[0]
    assert (clip.singer, clip.song, clip.labels) == ("Ann", "Song 0", {"group": "low"})
    vocals, accompaniment = tmp_path / "Ann-0.vocals.wav", tmp_path / "Ann-0.accompaniment.wav"
    assert clip.parts("vocals") == (vocals,)
    assert clip.parts("mixture") == clip.parts("separated") == (vocals, accompaniment)
    assert clip.parts("accompaniment") == (accompaniment,)
    assert (clip.label("singer"), clip.label("group"), clip.label("none")) == ("Ann", "low", "")


def test_a_mixture_is_taken_before_the_sum_of_stems() -> None:
    files = {"mixture": Path("m"), "vocals": Path("v"), "accompaniment": Path("a")}
    assert Clip("A", "B", files=files).parts("mixture") == (Path("m"),)
    alone = Clip("A", "B", files={"mixture": Path("m")})
    assert alone.parts("separated") == (Path("m"),)
    assert alone.parts("vocals") == alone.parts("accompaniment") == ()
    assert Clip("A", "B", files={"vocals": Path("v")}).parts("mixture") == ()


def test_rows_can_be_chosen(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "\ufeffpath,singer,song,kind,use\na.wav,A,1,mixture,dev: only\nb.wav,B,1,mixture,train\n",
    )
    assert [c.singer for c in read_table(path, ["use=dev*"]).clips] == ["A"]
    assert [c.singer for c in read_table(path, ["use=TRAIN", "singer=b"]).clips] == ["B"]
    with pytest.raises(EvaluationError, match="no column 'usage'"):
        read_table(path, ["usage=dev"])
    with pytest.raises(EvaluationError, match=r"No row of t\.csv is left"):
        read_table(path, ["use=dev"])
    with pytest.raises(EvaluationError, match="write it as COLUMN=TEXT"):
        read_table(path, ["use"])


def test_clips_of_a_song_are_told_apart_by_their_column(tmp_path: Path) -> None:
    rows = "path,singer,song,kind,clip,album\na.wav,A,1,mixture,x,LP\nb.wav,A,1,mixture,y,LP\n"
    clips = read_table(table(tmp_path, rows)).clips
    assert [(c.song, c.album, c.files["mixture"].name) for c in clips] == [
        ("1", "LP", "a.wav"),
        ("1", "LP", "b.wav"),
    ]
    assert clips[0].labels == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,singer\na,b\n", "lacks the columns song, kind"),
        ("path,singer,song,kind\na,A,1,mixture\nb,A,1,mixture\n", "two mixture files for '1' by A"),
        ("path,singer,song,kind\na,A,1,drums\n", "kind 'drums' of a"),
        ("path,singer,song,kind\na,,1,mixture\n", "No row of t.csv names both"),
        ("", "lacks the columns"),
    ],
)
def test_bad_tables_are_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        read_table(table(tmp_path, text))


def test_rows_without_a_singer_are_counted(tmp_path: Path) -> None:
    rows = "path,singer,song,kind\na,A,1,mixture\nb,,1,accompaniment\nc,,2,accompaniment\n"
    assert read_table(table(tmp_path, rows)).notes == (
        "Left out, without a singer or a song: 2 rows.",
    )


def test_files_that_are_no_data(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_data(tmp_path / "nothing.csv")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(EvaluationError, match="cannot be read as a table"):
        read_data(tmp_path / "x.csv")


def test_a_library_is_a_data_set(tmp_path: Path) -> None:
    music = tmp_path / "music"
    for artist in SINGERS[:2]:
        (music / artist / "LP").mkdir(parents=True)
        write_wav(music / artist / "LP" / "Song.wav", buzz(0.5))
    write_wav(music / "Nameless.wav", np.zeros(8000, np.float32))
    with Library.open(tmp_path / "l.db") as library:
        scan(library, [music])
        data = read_library(library)
    assert [(c.singer, c.song, c.album) for c in data.clips] == [
        ("Ann", "Song", "LP"),
        ("Bea", "Song", "LP"),
    ]
    assert data.notes == (
        "Left out, because no artist is named or the file cannot be read: 1 of 3 tracks.",
    )
    assert [clip.label("artist") for clip in data.clips] == ["Ann", "Bea"]
    assert read_data(tmp_path / "l.db").clips == data.clips
    chosen = read_data(tmp_path / "l.db", ["artist=b*"])
    assert [clip.singer for clip in chosen.clips] == ["Bea"]
    assert chosen.name == "l.db (artist=b*)"
    with pytest.raises(EvaluationError, match="a library has no column 'a'"):
        read_data(tmp_path / "l.db", ["a=b"])
    with pytest.raises(EvaluationError, match=r"No song of l\.db is left"):
        read_data(tmp_path / "l.db", ["artist=Zoe"])


def test_two_spellings_of_a_singer_are_one(tmp_path: Path) -> None:
    for artist in ("Buena Pregunta", "Buena-Pregunta", "buena pregunta"):
        (tmp_path / "music" / artist / "LP").mkdir(parents=True)
        write_wav(tmp_path / "music" / artist / "LP" / "Song.wav", buzz(0.5))
    with Library.open(tmp_path / "l.db") as library:
        scan(library, [tmp_path / "music"])
        singers = {clip.singer for clip in read_library(library).clips}
    assert singers == {"Buena Pregunta"}


def test_tags_of_a_library_are_labels(tmp_path: Path) -> None:
    path = tmp_path / "music" / "song.flac"
    path.parent.mkdir()
    write_audio(path, np.zeros((2, 44_100), np.float32), 44_100)
    write_tags(path, SongTags("T", "Ann", "LP", "Soul", 1987, 1, cover_png(1)))
    with Library.open(tmp_path / "l.db") as library:
        scan(library, [path.parent])
        [clip] = read_library(library).clips
    labels = {column: clip.label(column) for column in LIBRARY_COLUMNS}
    assert labels == {
        "artist": "Ann", "singer": "Ann", "song": "T", "album": "LP", "genre": "Soul",
        "year": "1987", "decade": "1980s",
    }  # fmt: skip


def test_a_damaged_library_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "l.db").write_bytes(b"SQLite format 3\0" + b"junk" * 100)
    with pytest.raises(LibraryError):
        read_data(tmp_path / "l.db")


def test_the_hash_of_a_data_set_follows_its_labels(tmp_path: Path) -> None:
    text = "path,singer,song,kind,g\na.wav,A,1,mixture,x\n"
    first = read_table(table(tmp_path, text)).sha256
    assert first == read_table(table(tmp_path, text)).sha256
    assert first != read_table(table(tmp_path, text.replace(",x", ",y"))).sha256
