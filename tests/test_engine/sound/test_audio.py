"""Decoding: what is in a file comes out, whatever its rate, channels, container or damage."""

import os
from pathlib import Path

import numpy as np
import pytest
from support.sound import buzz, encode, write_wav

from engine.errors import DecodeError
from engine.sound.audio import audio_hash, decode, decode_all, probe


def test_mono_fills_both_channels_at_full_level(tmp_path):
    sound = buzz(0.5)
    path = write_wav(tmp_path / "mono.wav", sound)
    stereo = decode_all(path, sample_rate_hz=16_000, num_channels=2)
    np.testing.assert_allclose(stereo, np.stack([sound, sound]), atol=1e-4)


def test_stereo_to_mono_is_the_mean(tmp_path):
    left, right = buzz(0.5), buzz(0.5, pitch_hz=220) * 0.5
    path = write_wav(tmp_path / "stereo.wav", np.stack([left, right]))
    mono = decode_all(path, sample_rate_hz=16_000, num_channels=1)
    np.testing.assert_allclose(mono[0], (left + right) / 2, atol=1e-4)


def test_surround_does_not_clip(tmp_path):
    same = np.repeat(buzz(0.5)[None] * 2.5, 6, axis=0)
    path = encode(tmp_path / "surround.flac", same, 16_000, "flac", "5.1")
    stereo = decode_all(path, sample_rate_hz=16_000, num_channels=2)
    assert stereo.shape == (2, 8000)
    assert 0.5 * np.abs(same).max() < np.abs(stereo).max() <= 1.0


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 48_000, 96_000])
def test_any_rate_becomes_the_rate_asked_for(tmp_path, rate_hz):
    sine = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    path = write_wav(tmp_path / "a.wav", sine, rate_hz)
    sound = decode_all(path, sample_rate_hz=16_000, num_channels=1)[0]
    assert abs(len(sound) - 16_000) < 40
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(sound[500:-500], expected[500 : len(sound) - 500], atol=0.01)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp3", "libmp3lame"), ("opus", "libopus"), ("m4a", "aac")]
)
def test_lossy_formats(tmp_path, suffix, codec):
    sound = np.stack([buzz(2.0, 48_000)] * 2)
    path = encode(tmp_path / f"a.{suffix}", sound, 48_000, codec, "stereo")
    decoded = decode_all(path, sample_rate_hz=48_000, num_channels=2)
    length = min(decoded.shape[1], sound.shape[1])
    assert length > 1.9 * 48_000
    best = max(
        np.corrcoef(decoded[0, lag : length - 4000 + lag], sound[0, : length - 4000])[0, 1]
        for lag in range(0, 2500)
    )
    assert best > 0.95
    assert 1.9 < probe(path).duration_s < 2.2


def test_a_stream_that_changes_on_the_way(tmp_path):
    one = encode(tmp_path / "1.mp3", buzz(2.0, 22_050)[None], 22_050, "libmp3lame", "mono")
    two = encode(
        tmp_path / "2.mp3", np.stack([buzz(3.0, 44_100)] * 2), 44_100, "libmp3lame", "stereo"
    )
    path = tmp_path / "both.mp3"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    # a part: what the first header says of the length of the whole is wrong
    sound = decode_all(path, sample_rate_hz=16_000, num_channels=1, end_s=60.0)[0]
    assert 4.9 < len(sound) / 16_000 < 5.3
    level = np.abs(buzz(1.0)).mean()
    for start in (8_000, 56_000):
        assert np.abs(sound[start : start + 16_000]).mean() == pytest.approx(level, rel=0.05)


def test_the_length_of_pieces_changes_nothing(tmp_path):
    path = encode(
        tmp_path / "a.mp3", np.stack([buzz(3.0, 44_100)] * 2), 44_100, "libmp3lame", "stereo"
    )
    short, long = (
        np.concatenate(list(decode(path, sample_rate_hz=16_000, num_channels=1, chunk_s=length)), 1)
        for length in (0.1, 2.0)
    )
    np.testing.assert_array_equal(short, long)


def test_streams_in_chunks(tmp_path):
    sound = buzz(3.0)
    path = write_wav(tmp_path / "a.wav", sound)
    chunks = list(decode(path, sample_rate_hz=16_000, num_channels=1, chunk_s=0.5))
    assert len(chunks) >= 5
    np.testing.assert_allclose(np.concatenate(chunks, axis=1)[0], sound, atol=1e-4)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_part_is_that_part_of_the_whole(tmp_path, suffix):
    sound = np.stack([buzz(6.0)])
    codec = {"wav": "pcm_s16le", "flac": "flac"}[suffix]
    path = encode(tmp_path / f"a.{suffix}", sound, 16_000, codec, "mono")
    part = decode_all(path, sample_rate_hz=16_000, num_channels=1, start_s=3.25, end_s=4.5)
    np.testing.assert_allclose(part[0], sound[0, 52_000:72_000], atol=1e-4)


def test_a_part_of_an_mp3_is_right_from_its_first_sample(tmp_path):
    sound = np.random.default_rng(0).standard_normal((2, 44_100 * 8)) * 0.1
    path = encode(tmp_path / "a.mp3", sound, 44_100, "libmp3lame", "stereo")
    whole = decode_all(path, sample_rate_hz=44_100, num_channels=2)
    part = decode_all(path, sample_rate_hz=44_100, num_channels=2, start_s=4.0, end_s=4.5)
    expected = whole[:, 4 * 44_100 :][:, : part.shape[1]]
    np.testing.assert_allclose(part, expected, atol=1e-4)


def test_a_part_beyond_the_end_is_an_error(tmp_path):
    path = write_wav(tmp_path / "a.wav", buzz(1.0))
    with pytest.raises(DecodeError, match="another part"):
        decode_all(path, sample_rate_hz=16_000, num_channels=1, start_s=5.0)


def test_hash_is_of_the_sound_not_of_the_tags(tmp_path):
    import mutagen.flac

    sound = np.stack([buzz(1.0)])
    path = encode(tmp_path / "a.flac", sound, 16_000, "flac", "mono")
    other = encode(tmp_path / "b.flac", sound * 0.5, 16_000, "flac", "mono")
    before = audio_hash(path)
    tags = mutagen.flac.FLAC(path)
    tags["title"] = "x" * 100_000
    tags.save()
    assert audio_hash(path) == before
    assert audio_hash(other) != before


@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("flac", "flac")])
def test_decoding_tells_the_hash_of_a_whole_file(tmp_path, suffix, codec):
    path = encode(tmp_path / f"a.{suffix}", buzz(1.0, 44_100)[None], 44_100, codec, "mono")
    told = []
    for part in ({}, {"start_s": 0.5}, {"end_s": 0.5}):
        list(decode(path, sample_rate_hz=16_000, num_channels=1, on_hash=told.append, **part))
    assert told == [audio_hash(path)]


@pytest.mark.linux
def test_a_name_that_is_not_text(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9: \xff.wav"))
    write_wav(tmp_path / "a.wav", buzz(1.0)).rename(path)
    assert probe(path).duration_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"just some words\n" * 100, "not audio"),
        (b"\x00" * 5000, "not audio"),
        (b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n", "audio"),
    ],
)
def test_what_is_not_audio_is_told_in_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(DecodeError, match=sentence):
        decode_all(path, sample_rate_hz=16_000, num_channels=1)


def test_a_missing_file(tmp_path):
    with pytest.raises(DecodeError, match="gone"):
        probe(tmp_path / "a.mp3")


def test_a_truncated_file_is_not_a_short_song(tmp_path):
    path = encode(tmp_path / "a.flac", np.stack([buzz(8.0)]), 16_000, "flac", "mono")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 4])
    with pytest.raises(DecodeError, match="damaged"):
        decode_all(path, sample_rate_hz=16_000, num_channels=1)


def test_a_broken_spot_costs_only_itself(tmp_path):
    sound = np.stack([buzz(8.0, 44_100)] * 2)
    path = encode(tmp_path / "a.mp3", sound, 44_100, "libmp3lame", "stereo")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 600] = bytes(600)
    path.write_bytes(data)
    assert decode_all(path, sample_rate_hz=44_100, num_channels=1).shape[1] > 7.5 * 44_100
