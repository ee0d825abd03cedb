"""The demo library on disk: complete files or none, with tags and covers."""

from pathlib import Path

import numpy as np
import pytest

from engine.demo import SONGS, Stems, make_demo_library, make_demo_stems, song_path
from engine.demo.cover import cover_png
from engine.errors import CancelledError
from engine.evaluation.evaluation_data import read_table
from engine.library.scan.covers import cover_bytes
from engine.library.scan.tags import read_tags
from engine.progress import CancelToken
from engine.sound.audio import decode_all, probe
from engine.sound.encode import SongTags, write_audio, write_tags


def files_in(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_songs_lie_by_artist_and_album_in_several_formats():
    paths = [song_path(song) for song in SONGS]
    assert len(set(paths)) == 24
    assert song_path(SONGS[0]).parts[:2] == ("Ysolde Marrin", "Lanterns at Low Tide")
    assert {path.suffix for path in paths} == {".mp3", ".flac", ".m4a", ".opus"}


def test_a_song_is_made_once(tmp_path):
    reports = []
    [path] = make_demo_library(tmp_path, reports.append, songs=SONGS[3:4])
    assert files_in(tmp_path) == {song_path(SONGS[3])}
    assert (reports[-1].stage, reports[-1].num_done, reports[-1].num_total) == ("demo", 1, 1)
    info = probe(path)
    assert (info.sample_rate_hz, info.num_channels) == (44_100, 2)
    assert 24 < info.duration_s < 32
    assert read_tags(path, tmp_path).artist == SONGS[3].artist
    made_at = path.stat().st_mtime_ns
    assert make_demo_library(tmp_path, songs=SONGS[3:4]) == [path]
    assert path.stat().st_mtime_ns == made_at


def test_a_request_to_stop_leaves_no_half_song(tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        make_demo_library(tmp_path, cancel=cancel)
    assert files_in(tmp_path) == set()


def test_a_failing_write_leaves_no_half_song(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    short = Stems(*np.zeros((2, 2, 10_000), np.float32))
    monkeypatch.setattr("engine.demo.library.stems", lambda _: short)
    monkeypatch.setattr("engine.demo.library.write_tags", fail)
    with pytest.raises(OSError, match="No space"):
        make_demo_library(tmp_path, songs=SONGS[:1])
    assert files_in(tmp_path) == set()


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".m4a", ".opus"])
def test_each_format_keeps_sound_tags_and_cover(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    time_s = np.arange(44_100) / 44_100
    sound = np.stack([0.5 * np.sin(2 * np.pi * 440 * time_s), np.zeros(44_100)])
    write_audio(path, sound.astype(np.float32), 44_100)
    write_tags(path, SongTags("Title é", "Artist", "Album", "Genre", 2014, 2, cover_png(1)))
    left, right = decode_all(path, sample_rate_hz=44_100, num_channels=2)
    assert len(left) == pytest.approx(44_100, abs=3000)  # encoders pad
    middle = slice(15_000, 30_000)  # lossy codecs overshoot where a sound sets in
    assert np.abs(left[middle]).max() == pytest.approx(0.5, abs=0.05)
    assert np.abs(right[middle]).max() < 0.05
    tags = read_tags(path, tmp_path)
    assert (tags.title, tags.artist, tags.album, tags.genre) == (
        "Title é", "Artist", "Album", "Genre",
    )  # fmt: skip
    assert (tags.year, tags.track_number) == (2014, 2)
    assert cover_bytes(path) == cover_png(1)


def test_covers_are_pictures_of_their_own():
    assert cover_png(1).startswith(b"\x89PNG\r\n\x1a\n")
    assert cover_png(1) == cover_png(1) != cover_png(2)


def test_stems_add_up_to_songs_and_their_table_can_be_evaluated(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, (2, 2, 20_000)).astype(np.float32)
    monkeypatch.setattr("engine.demo.library.stems", lambda _: Stems(*noise))
    songs = SONGS[:1] + SONGS[3:4]
    table = make_demo_stems(tmp_path, songs=songs)
    data = read_table(table)
    assert [(c.singer, c.song, c.album) for c in data.clips] == [
        (s.artist, s.title, s.album) for s in songs
    ]
    assert [c.label("voice_type") for c in data.clips] == ["mezzo-soprano", "baritone"]
    assert [c.label("register") for c in data.clips] == ["high", "low"]
    vocals, accompaniment = (
        decode_all(path, sample_rate_hz=44_100, num_channels=2)
        for path in data.clips[0].parts("mixture")
    )
    step = 1 / 32767
    np.testing.assert_allclose(vocals + accompaniment, noise.sum(0), atol=2 * step)
    made_at = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.flac")}
    assert len(made_at) == 4
    make_demo_stems(tmp_path, songs=songs)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.flac")} == made_at
