from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pyworld
from support.speech import talk, write_talk
from typer.testing import CliRunner

from engine.errors import CancelledError
from engine.progress import CancelToken
from training.cli import app
from training.data.rendering import decode_mono
from training.data.sources import read_source
from training.errors import DataError
from training.material.melody import Note, compose
from training.material.singing import sing
from training.material.sung import SingOptions, keys_of, sing_table
from training.material.voice import FRAME_S, Voice, analyse, midi_of, pitch_at

runner = CliRunner()
TUNE = [
    Note(0.4, 1.2, 0.0, 0.0, False),
    Note(1.2, 2.0, 4.0, 0.0, False),
    Note(2.0, 3.2, -3.0, 0.0, True),
]


def tune(centre_midi: float) -> list[Note]:
    return [Note(n.start_s, n.end_s, n.midi + centre_midi, 0.0, n.is_last) for n in TUNE]


@pytest.fixture(scope="module")
def voice() -> Voice:
    return analyse(talk(130.0))


def f0_hz(samples: np.ndarray) -> np.ndarray:
    """By WORLD's DIO, which shares nothing with the way the song was made."""
    found, times_s = pyworld.dio(samples.astype(float), 16_000, f0_ceil=900.0)
    return np.asarray(pyworld.stonemask(samples.astype(float), found, times_s, 16_000))


@pytest.mark.parametrize("offset", [-5, 0, 12])
def test_the_melody_is_followed_in_any_key(voice: Voice, offset: int) -> None:
    notes = tune(voice.median_midi + offset)
    song = sing(voice, notes, np.random.default_rng(3), 3.6)
    assert song.shape == (57_600,)
    found = f0_hz(song)
    for note in notes:
        middle = found[round((note.start_s + 0.25) / FRAME_S) : round((note.end_s - 0.2) / FRAME_S)]
        assert (middle > 0).mean() > 0.9
        cents = 100 * (midi_of(middle[middle > 0]) - note.midi)
        assert abs(np.median(cents)) < 25


def test_the_speaking_pitch_is_found(voice: Voice) -> None:
    assert abs(voice.median_midi - midi_of(np.array(130.0))) < 1.0
    assert len(voice.syllables) == 12
    noise = np.random.default_rng(0).standard_normal(16_000)
    assert (pitch_at(noise, np.arange(0, 1, FRAME_S)) > 0).mean() < 0.1


def test_formants_stay_when_the_key_changes() -> None:
    voice, small = (analyse(talk(130.0, tract)) for tract in (1.0, 1.15))

    def envelope(singer: Voice, offset: float) -> np.ndarray:
        song = sing(singer, tune(singer.median_midi + offset), np.random.default_rng(5), 3.6)
        pitch_hz = f0_hz(song)
        times_s = np.arange(len(pitch_hz)) * FRAME_S
        power = pyworld.cheaptrick(song.astype(float), pitch_hz, times_s, 16_000)
        mean = np.log(power[pitch_hz > 0]).mean(axis=0)[10:260]
        return np.asarray(mean - mean.mean())

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.square(a - b))))

    low, high = envelope(voice, -3), envelope(voice, 8)
    assert distance(low, high) < 0.25 * distance(low, envelope(small, -3))


def test_vowels_last_as_long_as_their_notes_and_pauses_are_silent(voice: Voice) -> None:
    long = [
        Note(0.5, 2.5, voice.median_midi, 0.0, True),
        Note(3.0, 5.0, voice.median_midi, 0, True),
    ]
    song = sing(voice, long, np.random.default_rng(1), 5.4)
    found = f0_hz(song)
    assert (found[round(0.7 / FRAME_S) : round(2.3 / FRAME_S)] > 0).all()
    assert np.abs(song[int(5.25 * 16_000) :]).max() < 1e-3


def test_melodies_stay_within_an_octave_and_fill_their_time() -> None:
    for seed in range(20):
        notes = compose(np.random.default_rng(seed), 60.0, 12.0)
        assert notes == compose(np.random.default_rng(seed), 60.0, 12.0)
        assert all(54 <= note.midi <= 66 for note in notes)
        assert all(note.end_s - note.start_s > 0.1 for note in notes)
        assert all(a.end_s <= b.start_s for a, b in pairwise(notes))
        assert 9.0 < notes[-1].end_s <= 12.0
        assert notes[-1].is_last


def readings(folder: Path) -> Path:
    """Two talkers, one silent file, one that is missing."""
    write_talk(folder / "a.wav", 120.0)
    write_talk(folder / "b.wav", 210.0, 1.15)
    write_talk(folder / "c.wav", 150.0, num_syllables=2)
    lines = ["path,singer,song,kind,licence,source"]
    lines += [f"{name}.wav,reader {name},text,speech,CC BY 4.0,Readings" for name in "abcd"]
    (folder / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "t.csv"


def test_sing_writes_a_table_that_prepare_reads(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["sing", "--from", str(readings(tmp_path)), "-o", str(out), "--length", "8"]
    arguments += ["--songs", "2"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 3, result.output
    assert "reader c: Only" in result.output
    assert "reader d: " in result.output
    songs = read_source(out / "tracks.csv")
    assert len(songs) == 4
    assert len({song.artist for song in songs}) == 2
    assert {song.kind for song in songs} == {"vocals"}
    assert {song.licence for song in songs} == {"CC BY 4.0"}
    assert {song.corpus for song in songs} == {"Readings, sung by code"}
    for song in songs:
        assert abs(len(decode_mono(song.paths[0])) - 8 * 16_000) < 800


def test_a_voice_is_heard_all_over_its_range(voice: Voice) -> None:
    for seed in range(10):
        centres = np.sort(keys_of(voice, np.random.default_rng(seed), SingOptions(num_songs=4)))
        offsets = centres - voice.median_midi
        assert offsets[0] < 0
        assert offsets[-1] > 8
        assert np.diff(offsets).min() > 0


def test_sing_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    songs = read_source(readings(tmp_path))
    options, out = SingOptions(num_songs=1, song_s=8.0), tmp_path / "out"
    cancel = CancelToken()
    with pytest.raises(CancelledError):
        sing_table(songs, out, options, progress=lambda _: cancel.cancel(), cancel=cancel)
    first = read_source(out / "tracks.csv")
    assert [song.artist for song in first] == ["reader a"]
    before = first[0].paths[0].read_bytes()
    changed_ns = first[0].paths[0].stat().st_mtime_ns
    made = sing_table(songs, out, options)
    assert {row.singer for row in made.rows} == {"reader a", "reader b"}
    assert [name for name, _ in made.failures] == ["reader c", "reader d"]
    assert first[0].paths[0].stat().st_mtime_ns == changed_ns
    other = sing_table(songs, tmp_path / "again", options)
    assert (tmp_path / "again" / other.rows[0].path).read_bytes() == before
    with pytest.raises(DataError, match="other options"):
        sing_table(songs, out, SingOptions(num_songs=2))


def test_several_processes_make_the_same(tmp_path: Path) -> None:
    songs = read_source(readings(tmp_path))
    options = SingOptions(num_songs=1, song_s=8.0)
    one = sing_table(songs, tmp_path / "one", options)
    two = sing_table(songs, tmp_path / "two", options, num_processes=2)
    assert one.rows == two.rows
    for row in one.rows:
        assert (tmp_path / "one" / row.path).read_bytes() == (
            tmp_path / "two" / row.path
        ).read_bytes()


def test_a_table_without_speech_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,singer,song,kind\na.wav,x,y,vocals\n", encoding="utf-8")
    with pytest.raises(DataError, match="kind speech"):
        sing_table(read_source(tmp_path / "t.csv"), tmp_path / "out", SingOptions())
