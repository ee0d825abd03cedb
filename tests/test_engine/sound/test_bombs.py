"""Small files that would become large, and files that lie about themselves: real ones."""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
from mutagen import id3
from support.libraries import write_song
from support.sound import buzz, encode

from engine.errors import DecodeError
from engine.library import Tags
from engine.library.scan.covers import cover_bytes
from engine.library.scan.tags import read_tags
from engine.sound import audio
from engine.sound.decoding import pool, worker

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.linux


RATE_HZ = 16_000


@pytest.fixture(autouse=True)
def memory_is_capped() -> Iterator[None]:
    """Neither here nor in a decoder is more taken than a song needs."""
    pool.close()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    for pid in pool.pids():
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
        peak_kb = int(status.partition("VmHWM:")[2].split()[0])
        assert 1024 * peak_kb <= 1.1 * worker.MAX_MEMORY_BYTES
    pool.close()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000


def decode(path: Path) -> np.ndarray:
    return audio.decode_all(path, sample_rate_hz=RATE_HZ, num_channels=1)


def crc(data: bytes, polynomial: int, num_bits: int) -> bytes:
    value, top = 0, 1 << num_bits
    for byte in data:
        value ^= byte << (num_bits - 8)
        for _ in range(8):
            value <<= 1
            value ^= (value & top) and (top | polynomial)
    return value.to_bytes(num_bits // 8, "big")


def silent_flac(rate_hz: int, num_frames: int, num_samples: int = 0) -> bytes:
    """65,535 samples of nothing in every 17 bytes; says to hold so many (0: does not say)."""
    info = struct.pack(">HH6xQ16x", 65_535, 65_535, rate_hz << 44 | 15 << 36 | num_samples)
    frames = []
    for number in range(num_frames):
        head = b"\xff\xf8\x70\x08" + chr(number).encode("utf-8", "surrogatepass") + b"\xff\xfe"
        head += crc(head, 0x07, 8)
        frame = head + b"\0\0\0"  # the same value throughout: nought
        frames.append(frame + crc(frame, 0x8005, 16))
    return b"fLaC\x80\x00\x00\x22" + info + b"".join(frames)


def test_days_of_silence_from_kilobytes_are_no_music(tmp_path: Path) -> None:
    path = tmp_path / "bomb.flac"
    path.write_bytes(silent_flac(8_000, 1_000))  # 2 h 16 min
    assert path.stat().st_size < 20_000
    chunks = audio.decode(path, sample_rate_hz=RATE_HZ, num_channels=1)
    with pytest.raises(DecodeError, match=r"More than 1 hours come out of 0\.0 MB"):
        assert max(chunk.shape[1] for chunk in chunks) < 200 * RATE_HZ


def test_an_hour_of_silence_is_an_hour(tmp_path: Path) -> None:
    path = tmp_path / "pause.flac"
    path.write_bytes(silent_flac(8_000, 12))
    assert decode(path).shape[1] == pytest.approx(12 * 2 * 65_535, abs=100)


@pytest.mark.parametrize("rate_hz", [0, 1, 999, 7_000_000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_rate_that_no_sound_has(tmp_path: Path, rate_hz: int) -> None:
    path = write_song(tmp_path / "a.wav", duration_s=2)
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", rate_hz)
    path.write_bytes(content)
    with pytest.raises(DecodeError):
        decode(path)
    audio_info(path)


@pytest.mark.parametrize("num_channels", [0, 100, 65_535])
def test_more_channels_than_there_are_ears(tmp_path: Path, num_channels: int) -> None:
    path = write_song(tmp_path / "a.wav", duration_s=2)
    content = bytearray(path.read_bytes())
    content[22:24] = struct.pack("<H", num_channels)
    content[32:34] = struct.pack("<H", 2 * num_channels & 0xFFFF)
    path.write_bytes(content)
    with pytest.raises(DecodeError):
        decode(path)
    audio_info(path)


def audio_info(path: Path) -> None:
    """Headers may be refused as well, but never told as they are where they are absurd."""
    with contextlib.suppress(DecodeError):
        assert 0 <= audio.probe(path).duration_s <= 360_000


@pytest.mark.parametrize("num_samples", [1, 2**36 - 1])  # 99 days
def test_a_length_that_cannot_be_is_not_believed(tmp_path: Path, num_samples: int) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(silent_flac(8_000, 2, num_samples))
    assert audio.probe(path).duration_s < 1
    assert decode(path).shape[1] > 16 * RATE_HZ


def test_a_length_that_is_not_there_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(silent_flac(8_000, 2, 8_000 * 200))
    with pytest.raises(DecodeError, match="only 16 of 200 seconds"):
        decode(path)


def test_headers_that_lie_cost_nothing_where_the_tables_do_not(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", np.stack([buzz(2.0, 44_100)]), 44_100, "aac", "mono")
    content = bytearray(path.read_bytes())
    for name in (b"mvhd", b"mdhd", b"tkhd"):
        place = content.index(name) + (24 if name == b"tkhd" else 20)
        struct.pack_into(">I", content, place, 0xFFFFFFFE)
    path.write_bytes(content)
    assert decode(path).shape[1] == pytest.approx(2 * RATE_HZ, abs=2_000)


def test_samples_that_are_no_numbers_are_lost_and_no_others(tmp_path: Path) -> None:
    samples = buzz(2.0)
    path = encode(tmp_path / "a.wav", np.stack([samples]), RATE_HZ, "pcm_f32le", "mono")
    content = bytearray(path.read_bytes())
    start = content.index(b"data") + 8
    for index, value in ((1000, np.nan), (2000, np.inf), (3000, -1e38)):
        struct.pack_into("<f", content, start + 4 * index, value)
    path.write_bytes(content)
    decoded = decode(path)[0]
    assert np.abs(decoded).max() <= audio.MAX_SAMPLE
    assert decoded[1000] == 0
    kept = np.delete(np.arange(len(samples)), (1000, 2000, 3000))
    np.testing.assert_allclose(decoded[kept], samples[kept], atol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile 'other.wav'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nother.wav\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{folder}/other.wav\n",
        "<MPD><Period><AdaptationSet><BaseURL>other.wav</BaseURL></AdaptationSet></Period></MPD>",
    ],
)
def test_a_file_that_names_others_does_not_open_them(tmp_path: Path, text: str) -> None:
    write_song(tmp_path / "other.wav", duration_s=2)
    for name in ("song.mp3", "song.m3u8", "song.ffconcat", "song.mpd"):
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        with pytest.raises(DecodeError):
            decode(tmp_path / name)


def deflated_zeros(num_megabytes: int) -> bytes:
    """A zlib stream, made without ever having what it blows up to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    adler = (num_megabytes * 1_000_000 % 65_521) << 16 | 1
    return b"\x78\xda" + block * num_megabytes + b"\x03\x00" + struct.pack(">I", adler)


def test_a_tag_that_blows_up_is_no_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert zlib.decompress(deflated_zeros(3)) == bytes(3_000_000)
    packed = deflated_zeros(2_000)
    less = "worker.MAX_MEMORY_BYTES = 200_000_000; worker.main()"  # which is soon reached
    start = "import sys; sys.path[:] = sys.argv[1:]; from engine.sound.decoding import worker; "
    monkeypatch.setattr(pool, "_BOOT", start + less)
    size = id3.BitPaddedInt.to_str(len(packed) + 4, width=4)
    length = id3.BitPaddedInt.to_str(0x0FFFFFFF, width=4)
    frame = b"APIC" + size + b"\x00\x09" + length + packed
    tag = b"ID3\x04\x00\x00" + id3.BitPaddedInt.to_str(len(frame), width=4) + frame
    song = encode(tmp_path / "a.mp3", np.stack([buzz(2.0, 44_100)]), 44_100, "libmp3lame", "mono")
    path = tmp_path / "Artist - Title.mp3"
    path.write_bytes(tag + song.read_bytes())
    assert path.stat().st_size < 3_000_000
    assert read_tags(path, tmp_path) == Tags("Title", "Artist")
    assert cover_bytes(path) is None
    assert decode(path).shape[1] > 1.8 * RATE_HZ


def png(width: int, height: int) -> bytes:
    """A black picture of one bit a pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress(bytes((1 + (width + 7) // 8) * min(height, 64)), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def put_pictures(path: Path, *pictures: bytes) -> None:
    file: Any = mutagen.File(path)  # type: ignore[attr-defined]
    if file.tags is None:
        file.add_tags()
    for number, data in enumerate(pictures):
        file.tags.add(id3.APIC(3, "image/png", 3 + number, str(number), data))
    file.save()


def test_a_picture_of_a_gigapixel_is_passed_over(tmp_path: Path) -> None:
    path, small = write_song(tmp_path / "a.wav"), png(64, 64)
    put_pictures(path, png(50_000, 50_000))
    assert cover_bytes(path) is None
    put_pictures(path, png(50_000, 50_000), small)
    assert cover_bytes(path) == small


def test_a_picture_of_many_megabytes_is_passed_over(tmp_path: Path) -> None:
    path, small = write_song(tmp_path / "a.wav"), png(64, 64)
    put_pictures(path, small + bytes(worker.MAX_PICTURE_BYTES))
    (tmp_path / "folder.png").write_bytes(small + bytes(worker.MAX_PICTURE_BYTES))
    assert cover_bytes(path) is None
    (tmp_path / "front.png").write_bytes(small)
    assert cover_bytes(path) == small


def test_a_picture_beside_the_song_is_measured_too(tmp_path: Path) -> None:
    path = write_song(tmp_path / "a.wav")
    (tmp_path / "cover.png").write_bytes(png(50_000, 50_000))
    assert cover_bytes(path) is None


def test_a_pipe_named_like_a_cover_is_not_waited_for(tmp_path: Path) -> None:
    path = write_song(tmp_path / "a.wav")
    os.mkfifo(tmp_path / "cover.jpg")
    assert cover_bytes(path) is None


def test_a_pipe_named_like_a_song_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp3")
    assert read_tags(tmp_path / "a.mp3", tmp_path) == Tags("a")
    with pytest.raises(DecodeError):
        decode(tmp_path / "a.mp3")


@pytest.mark.parametrize("kind", ["PNG", "JPG", "GIF", "BMP", "WEBP"])
def test_pictures_of_all_kinds_are_covers_and_their_beginnings_are_none(
    tmp_path: Path, kind: str
) -> None:
    from PIL import Image

    path, beside = write_song(tmp_path / "a.wav"), tmp_path / f"cover.{kind.lower()}"
    Image.new("RGB", (300, 200)).save(beside)
    data = beside.read_bytes()
    assert cover_bytes(path) == data
    for broken in (data[:8], b"", b"\xff\xd8\xff\xe0\0\0" * 9, b"RIFFxxxxWEBP"):
        beside.write_bytes(broken)
        assert cover_bytes(path) is None
