"""What the fuzz run reads: short songs in every container, broken at random but repeatably."""

from __future__ import annotations

import base64
import random
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.oggvorbis
import numpy as np

from engine.sound.encode import SongTags, write_audio, write_tags

_mutagen: Any = mutagen  # which carries no types for its classes
# one pixel, grey
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
NASTY = (
    b"\x1b[31m\x1b]0;owned\x07", "\u202e\u2066\u200b\x9b31m".encode(), b"<script>alert(1)</script>",
    b"../../../etc/passwd", b"CON", b"=cmd|' /C calc'!A0", b"%s%n%x" * 9, b"\0" * 64, b"A" * 5000,
)  # fmt: skip
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF,
           0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)  # fmt: skip


def make_seeds(folder: Path) -> list[Path]:
    """One short song with tags and a cover in every container."""
    rate_hz = 44_100
    time_s = np.arange(round(1.5 * rate_hz)) / rate_hz
    tone = sum(np.sin(2 * np.pi * 220 * k * time_s) / k for k in range(1, 8))
    samples = np.stack([0.2 * tone, 0.1 * tone]).astype(np.float32)
    tags = SongTags("Title", "Artist", "Album", "Genre", 1999, 7, PNG)
    paths = [folder / f"song.{suffix}" for suffix in ("mp3", "flac", "opus", "m4a")]
    for path in paths:
        write_audio(path, samples, rate_hz)
        write_tags(path, tags)
    for suffix, codec in (("wav", "pcm_s16le"), ("aiff", "pcm_s16be"), ("ogg", "vorbis"),
                          ("wma", "wmav2"), ("wv", "wavpack"), ("mka", "flac")):  # fmt: skip
        paths.append(folder / f"song.{suffix}")
        _encode(paths[-1], samples, rate_hz, codec)
        if suffix not in ("wv", "mka"):
            _tag(paths[-1])
    return paths


def _encode(path: Path, samples: np.ndarray, rate_hz: int, codec: str) -> None:
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream(codec, rate=rate_hz)
        stream.layout, stream.bit_rate = "stereo", 128_000
        stream.options = {"strict": "experimental"}
        resampler = av.AudioResampler(stream.format.name, "stereo", rate_hz)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        fifo = av.AudioFifo()
        for piece in resampler.resample(frame):
            fifo.write(piece)
        while (part := fifo.read(stream.frame_size or 1024, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def _tag(path: Path) -> None:
    file: Any = _mutagen.File(path)
    if isinstance(file, _mutagen.asf.ASF):
        file["Title"], file["Author"] = "Title", "Artist"
        raw = b"\x03" + len(PNG).to_bytes(4, "little") + "image/png\0\0".encode("utf-16-le")
        file["WM/Picture"] = [_mutagen.asf.ASFByteArrayAttribute(raw + PNG)]
    elif isinstance(file, _mutagen.oggvorbis.OggVorbis):
        picture = _mutagen.flac.Picture()
        picture.type, picture.data, picture.mime = 3, PNG, "image/png"
        file["title"], file["artist"] = "Title", "Artist"
        file["metadata_block_picture"] = base64.b64encode(picture.write()).decode()
    else:  # WAV and AIFF
        file.add_tags()
        id3 = _mutagen.id3
        for frame in (id3.TIT2(3, "Title"), id3.TPE1(3, "Artist"), id3.APIC(3, "", 3, "", PNG)):
            file.tags.add(frame)
    file.save()


class Mutator:
    """Makes input number n: always the same for the same seed and the same songs."""

    def __init__(self, songs: list[Path], seed: int) -> None:
        self._songs = {path.suffix: path.read_bytes() for path in songs}
        self._seed = seed

    def input(self, number: int) -> tuple[str, bytes]:
        """(suffix, content)."""
        chance = random.Random(f"{self._seed} {number}")
        suffix = chance.choice(sorted(self._songs))
        content = bytearray(self._songs[suffix])
        for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 10, 30))):
            chance.choice(MUTATIONS)(content, chance, self._songs)
        if chance.random() < 0.8:
            _seal(content)
        if chance.random() < 0.02:  # under a name that promises another container
            suffix = chance.choice(sorted(self._songs))
        return suffix, bytes(content)


Songs = dict[str, bytes]
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))  # Ogg's CRC runs backwards


def _seal(content: bytearray) -> None:
    """Make the checksums of Ogg pages right again, or nothing behind them would be reached."""
    place = content.find(b"OggS")
    while place >= 0 and place + 27 <= len(content):
        table = content[place + 27 : place + 27 + content[place + 26]]
        end = place + 27 + len(table) + sum(table)
        content[place + 22 : place + 26] = bytes(4)
        crc = ~zlib.crc32(content[place:end].translate(_MIRRORED), 0xFFFFFFFF) & 0xFFFFFFFF
        content[place + 22 : place + 26] = crc.to_bytes(4, "big").translate(_MIRRORED)
        place = content.find(b"OggS", max(end, place + 4))


def _place(content: bytearray, chance: random.Random) -> int:
    """Headers are where most can go wrong."""
    reach = len(content)
    if chance.random() < 0.4:
        reach = min(reach, chance.choice((64, 512, 4096)))
    return chance.randrange(reach) if reach else 0


def _flip(content: bytearray, chance: random.Random, songs: Songs) -> None:
    for _ in range(chance.choice((1, 2, 8))):
        if content:
            content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _number(content: bytearray, chance: random.Random, songs: Songs) -> None:
    size, place = chance.choice((1, 2, 3, 4, 8)), _place(content, chance)
    value = chance.choice((*NUMBERS, len(content), chance.getrandbits(64))) & (256**size - 1)
    content[place : place + size] = value.to_bytes(size, chance.choice(("little", "big")))


def _noise(content: bytearray, chance: random.Random, songs: Songs) -> None:
    place, size = _place(content, chance), chance.choice((4, 32, 256, 2048))
    content[place : place + size] = chance.randbytes(size)


def _cut(content: bytearray, chance: random.Random, songs: Songs) -> None:
    place = _place(content, chance)
    del content[place : place + chance.choice((1, 4, 100, 5000))]


def _end(content: bytearray, chance: random.Random, songs: Songs) -> None:
    del content[chance.randrange(len(content) + 1) :]


def _repeat(content: bytearray, chance: random.Random, songs: Songs) -> None:
    place, size = _place(content, chance), chance.choice((1, 8, 64, 1024))
    times = chance.choice((1, 2, 10, 100))
    content[place:place] = content[place : place + size] * times


def _say(content: bytearray, chance: random.Random, songs: Songs) -> None:
    """Nasty text where there was text, or anywhere, of the same length or longer."""
    text = chance.choice(NASTY)
    found = [p for word in (b"Title", b"Artist", b"Album") if (p := content.find(word)) >= 0]
    place = chance.choice(found) if found else _place(content, chance)
    if chance.random() < 0.5:
        text = text[:5]
    content[place : place + chance.choice((0, len(text)))] = text


def _graft(content: bytearray, chance: random.Random, songs: Songs) -> None:
    """A part of another container."""
    other = songs[chance.choice(sorted(songs))]
    start = chance.randrange(len(other))
    place = _place(content, chance)
    size = chance.choice((16, 256, 4096))
    content[place : place + chance.choice((0, size))] = other[start : start + size]


def _rename(content: bytearray, chance: random.Random, songs: Songs) -> None:
    """One chunk gets the name of another."""
    names = (b"RIFF", b"fmt ", b"data", b"LIST", b"id3 ", b"FORM", b"COMM", b"SSND", b"moov",
             b"trak", b"mdia", b"stbl", b"stsd", b"stsz", b"stco", b"meta", b"ilst", b"covr",
             b"mdat", b"OggS", b"fLaC", b"ID3\4", b"TIT2", b"APIC", b"vorb", b"Opus")  # fmt: skip
    found = [place for name in names if (place := content.find(name)) >= 0]
    if found:
        place = chance.choice(found)
        content[place : place + 4] = chance.choice(names)


MUTATIONS: tuple[Callable[[bytearray, random.Random, Songs], None], ...] = (
    _flip, _flip, _number, _number, _noise, _cut, _end, _repeat, _say, _graft, _rename,
)  # fmt: skip
