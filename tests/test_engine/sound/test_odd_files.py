"""Odd files of real libraries, after public reports (docs/reliability.md): each is heard whole."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from support.sound import buzz, encode, write_wav

from engine.errors import DecodeError
from engine.sound.audio import audio_hash, decode, decode_all, probe

RATE_HZ = 16_000


def heard(path: Path, start_s: float = 0.0) -> np.ndarray:
    return decode_all(path, sample_rate_hz=RATE_HZ, num_channels=1, start_s=start_s)[0]


def vorbis(path: Path, seconds: float, rate_hz: int, num_channels: int, pitch_hz: float) -> bytes:
    samples = np.stack([buzz(seconds, rate_hz, pitch_hz)] * num_channels, axis=1)
    soundfile.write(path, samples, rate_hz, format="OGG", subtype="VORBIS")
    return path.read_bytes()


def opus(path: Path, seconds: float, num_channels: int, pitch_hz: float) -> bytes:
    samples = np.stack([buzz(seconds, 48_000, pitch_hz)] * num_channels)
    layout = "stereo" if num_channels == 2 else "mono"
    return encode(path, samples, 48_000, "libopus", layout).read_bytes()


def pitch_hz(samples: np.ndarray) -> float:
    """Of half a second: the strongest below 600 Hz."""
    spectrum = np.abs(np.fft.rfft(samples[: RATE_HZ // 2] * np.hanning(RATE_HZ // 2)))
    return float(2 * spectrum[:300].argmax())


@pytest.fixture(params=["vorbis", "opus", "vorbis then opus"])
def chained(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """4 s at 150 Hz, stereo, then 3 s at 400 Hz, mono, in one Ogg file."""
    part = tmp_path / "part.ogg"
    first = vorbis(part, 4.0, 44_100, 2, 150)
    if request.param == "opus":
        first = opus(part, 4.0, 2, 150)
    second = vorbis(part, 3.0, 48_000, 1, 400)
    if "opus" in request.param:
        second = opus(part, 3.0, 1, 400)
    path = tmp_path / "chained.ogg"
    path.write_bytes(first + second)
    return path


def test_a_chain_is_heard_whole(chained: Path) -> None:
    samples = heard(chained)
    assert len(samples) / RATE_HZ == pytest.approx(7.0, abs=0.05)
    assert probe(chained).duration_s == pytest.approx(7.0, abs=0.05)
    for start_s, pitch in ((0.5, 150), (3.0, 150), (4.5, 400), (6.0, 400)):
        assert pitch_hz(samples[round(start_s * RATE_HZ) :]) == pytest.approx(pitch, abs=6)
    told = list[str]()
    list(decode(chained, sample_rate_hz=RATE_HZ, num_channels=1, on_hash=told.append))
    assert told == [audio_hash(chained)]


@pytest.mark.parametrize("start_s", [3.0, 4.0, 5.5])
def test_a_part_of_a_chain_is_that_part(chained: Path, start_s: float) -> None:
    whole, part = heard(chained), heard(chained, start_s)
    assert len(part) / RATE_HZ == pytest.approx(7.0 - start_s, abs=0.05)
    length = round(0.4 * RATE_HZ)
    near = whole[round(start_s * RATE_HZ) - 400 :][: length + 800]
    matches = np.correlate(near, part[:length], "valid")
    assert matches.max() > 0.9 * np.square(part[:length]).sum()


def test_a_chain_that_was_cut_off(chained: Path) -> None:
    chained.write_bytes(chained.read_bytes()[:-2000])
    assert 4.0 < len(heard(chained)) / RATE_HZ < 7.0


@pytest.mark.parametrize(("suffix", "codec"), [("aac", "aac"), ("ac3", "ac3"), ("m2ts", "aac")])
def test_parts_of_other_rates_one_after_another(tmp_path: Path, suffix: str, codec: str) -> None:
    stereo = np.stack([buzz(3, 44_100)] * 2)
    first = encode(tmp_path / f"1.{suffix}", stereo, 44_100, codec, "stereo")
    second = encode(tmp_path / f"2.{suffix}", buzz(2, 32_000)[None], 32_000, codec, "mono")
    path = tmp_path / f"both.{suffix}"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert len(heard(path)) / RATE_HZ == pytest.approx(5.0, abs=0.2)


def after_the_headers(flac: bytes) -> int:
    position = 4
    while True:
        head = flac[position]
        position += 4 + int.from_bytes(flac[position + 1 : position + 4], "big")
        if head & 0x80:
            return position


def test_junk_before_the_first_frame_is_left_to_another_reader(tmp_path: Path) -> None:
    plain = encode(
        tmp_path / "plain.flac", np.stack([buzz(4.0, 44_100)] * 2), 44_100, "flac", "stereo"
    )
    data = plain.read_bytes()
    place = after_the_headers(data)
    path = tmp_path / "junk.flac"
    path.write_bytes(
        data[:place] + random.Random(1).randbytes(3_000_000).replace(b"\xff", b"") + data[place:]
    )
    np.testing.assert_allclose(heard(path), heard(plain), atol=1e-4)
    np.testing.assert_allclose(heard(path, 2.0), heard(path)[2 * RATE_HZ :], atol=1e-4)
    told = list[str]()
    list(decode(path, sample_rate_hz=RATE_HZ, num_channels=1, on_hash=told.append))
    assert told == [audio_hash(path)]


def mp3(path: Path, seconds: float, bit_rate: int) -> bytes:
    """Without a header that tells its length."""
    with av.open(str(path), "w", options={"write_xing": "0", "id3v2_version": "0"}) as out:
        stream = out.add_stream("libmp3lame", rate=44_100)
        stream.bit_rate = bit_rate
        stream.layout = "stereo"
        stream.codec_context.open()
        sound = np.stack([buzz(seconds, 44_100)] * 2)
        for start in range(0, sound.shape[1], 1152):
            piece = np.ascontiguousarray(sound[:, start : start + 1152])
            frame = av.AudioFrame.from_ndarray(piece, "fltp", "stereo")
            frame.sample_rate = 44_100
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path.read_bytes()


def test_a_thin_beginning_makes_no_song_damaged(tmp_path: Path) -> None:
    """FFmpeg takes this one for 90 s: it infers a length from how dense the beginning is."""
    path = tmp_path / "a.mp3"
    thin = mp3(path, 1.5, 32_000)
    path.write_bytes(thin + mp3(path, 9.0, 320_000))
    assert probe(path).duration_s > 60
    assert len(heard(path)) / RATE_HZ == pytest.approx(10.5, abs=0.2)


def test_an_mp3_that_tells_its_length_is_damaged_where_that_is_not_there(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", buzz(9.0, 44_100)[None], 44_100, "libmp3lame", "mono")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(DecodeError, match="only 3 of 9 seconds"):
        heard(path)


@pytest.mark.parametrize("junk", [b"\xff\xfb\x90\0abc" * 1500, bytes(300_000)])
def test_an_mp3_with_junk_before_its_first_frame(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(junk + mp3(path, 4.0, 128_000))
    assert len(heard(path)) / RATE_HZ == pytest.approx(4.0, abs=0.2)


def test_a_recording_whose_clock_begins_late(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mka"), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=RATE_HZ)
        stream.layout = "mono"
        for second in range(3):
            frame = av.AudioFrame.from_ndarray(np.ones((1, RATE_HZ), np.int16), "s16", "mono")
            frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
            frame.pts = (3600 + second) * RATE_HZ
            out.mux(stream.encode(frame))
    assert probe(tmp_path / "a.mka").duration_s == pytest.approx(3.0, abs=0.1)
    assert len(heard(tmp_path / "a.mka")) == 3 * RATE_HZ
    assert len(heard(tmp_path / "a.mka", 2.0)) == RATE_HZ


@pytest.mark.parametrize("size", [b"\0\0\0\0", b"\xff\xff\xff\xff"])
def test_a_wav_whose_length_was_not_known_when_it_was_begun(tmp_path: Path, size: bytes) -> None:
    path = write_wav(tmp_path / "a.wav", buzz(2.0))
    data = path.read_bytes()
    place = data.index(b"data") + 4
    path.write_bytes(data[:4] + size + data[8:place] + size + data[place + 4 :])
    assert len(heard(path)) == 2 * RATE_HZ


@pytest.mark.parametrize("suffix", ["flac", "m4a", "wav", "ogg", "wma"])
def test_a_name_that_says_another_format(tmp_path: Path, suffix: str) -> None:
    encode(tmp_path / "a.mp3", buzz(2.0, 44_100)[None], 44_100, "libmp3lame", "mono")
    path = (tmp_path / "a.mp3").rename(tmp_path / f"a.{suffix}")
    assert len(heard(path)) / RATE_HZ == pytest.approx(2.0, abs=0.2)


def test_a_codec_that_is_not_known_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", buzz(2.0, 44_100)[None], 44_100, "aac", "mono")
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"wxyz").replace(b"esds", b"wxyz"))
    with pytest.raises(DecodeError, match="Convert it first"):
        heard(path)


def test_where_neither_reader_finds_sound_the_first_tells_why(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC" + bytes(5000))
    with pytest.raises(DecodeError, match=r"No (audio|sound) could be"):
        heard(path)
