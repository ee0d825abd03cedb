from __future__ import annotations

import base64
import io
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen import apev2, asf, flac, id3, mp4
from PIL import Image
from support.libraries import write_song

from engine.library import Tags
from engine.library.scan.covers import cover_bytes
from engine.library.scan.tags import from_path, read_tags
from engine.library.text import MAX_TEXT_CHARS

CODECS = {
    ".mp3": "libmp3lame",
    ".flac": "flac",
    ".ogg": "vorbis",
    ".opus": "libopus",
    ".m4a": "aac",
    ".wma": "wmav2",
    ".wv": "wavpack",
    ".aiff": "pcm_s16be",
    ".wav": "pcm_s16le",
}
FULL = Tags("Title", "Artist", "Album", "Album Artist", "Genre", 1999, 7)


def picture(kind: str) -> bytes:
    """Of one pixel."""
    data = io.BytesIO()
    Image.new("RGB", (1, 1)).save(data, kind)
    return data.getvalue()


PNG, JPEG = picture("PNG"), picture("JPEG")


def encode(path: Path) -> Path:
    """A tenth of a second of real sound in the format of the extension."""
    rate_hz = 48_000
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(CODECS[path.suffix], rate=rate_hz)
        stream.layout, stream.bit_rate = "stereo", 128_000
        stream.options = {"strict": "experimental"}  # for FFmpeg's own Vorbis encoder
        samples = np.zeros((2, 4800), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        resampler = av.AudioResampler(stream.format.name, "stereo", rate_hz)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        while piece := fifo.read(stream.frame_size or 1024, partial=True):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def tag(path: Path) -> None:
    """Write FULL, in the way of the file's format."""
    names = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "albumartist": "TPE2"}
    names |= {"genre": "TCON", "date": "TDRC", "tracknumber": "TRCK"}
    texts = dict(zip(names, ("Title", "Artist", "Album", "Album Artist", "Genre"), strict=False))
    texts |= {"date": "1999-12-31", "tracknumber": "7/12"}
    file: Any = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    for name, text in texts.items():
        if isinstance(file.tags, id3.ID3):
            file.tags.add(getattr(id3, names[name])(encoding=3, text=[text]))
        elif isinstance(file.tags, apev2.APEv2):
            ape = {"albumartist": "Album Artist", "date": "Year", "tracknumber": "Track"}
            file.tags[ape.get(name, name.title())] = text
        elif isinstance(file.tags, asf.ASFTags):
            wm = {"title": "Title", "artist": "Author", "album": "WM/AlbumTitle"}
            wm |= {"albumartist": "WM/AlbumArtist", "genre": "WM/Genre"}
            wm |= {"date": "WM/Year", "tracknumber": "WM/TrackNumber"}
            file.tags[wm[name]] = [text]
        else:
            file.tags[name] = [text]
    file.save()


@pytest.mark.parametrize("extension", CODECS)
def test_tags_of_every_format(tmp_path: Path, extension: str) -> None:
    path = encode(tmp_path / f"song{extension}")
    assert read_tags(path, tmp_path).title == "song"
    tag(path)
    assert read_tags(path, tmp_path) == FULL


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("Artist/Album/03 Title.mp3", Tags("Title", "Artist", "Album", track_number=3)),
        ("Artist/Album/03. Title.mp3", Tags("Title", "Artist", "Album", track_number=3)),
        ("Artist/Album/03 - Title.mp3", Tags("Title", "Artist", "Album", track_number=3)),
        ("Artist/Album/1-03 Title.mp3", Tags("Title", "Artist", "Album", track_number=3)),
        (
            "Artist/Album/CD 2/03_Some_Title.mp3",
            Tags("Some Title", "Artist", "Album", "", "", None, 3),
        ),
        ("Rock/Artist/Album/Disc1/Title.mp3", Tags("Title", "Artist", "Album")),
        ("Artist/Title.mp3", Tags("Title", "Artist")),
        ("Artist - Title.mp3", Tags("Title", "Artist")),
        ("03 - Title.mp3", Tags("Title", track_number=3)),
        ("03 - Artist - Title.mp3", Tags("Title", "Artist", track_number=3)),
        ("Artist - Album - 03 - Title.mp3", Tags("Title", "Artist", "Album", track_number=3)),
        ("Best of/Artist - Title.mp3", Tags("Title", "Artist", "Best of")),
        ("Artist/Artist - Title.mp3", Tags("Title", "Artist")),
        ("99 Luftballons.mp3", Tags("Luftballons", track_number=99)),
        ("1999.mp3", Tags("1999")),
        ("Title.mp3", Tags("Title")),
        ("-.mp3", Tags("-")),
        (" .mp3", Tags(".mp3")),
    ],
)
def test_guesses_from_the_path(place: str, expected: Tags) -> None:
    assert from_path(Path(place)) == expected


def test_what_the_tags_lack_comes_from_the_path(tmp_path: Path) -> None:
    path = write_song(tmp_path / "Ann" / "First" / "01 One.wav")
    file: Any = mutagen.File(path)
    file.add_tags()
    file.tags.add(id3.TPE2(encoding=3, text=["The Anns"]))
    file.tags.add(id3.TIT2(encoding=3, text=["  "]))
    file.save()
    assert read_tags(path, tmp_path) == Tags("One", "The Anns", "First", "The Anns", track_number=1)


def test_an_id3_block_before_a_file_of_another_kind(tmp_path: Path) -> None:
    song = encode(tmp_path / "song.flac")
    block = id3.ID3()
    block.add(id3.TPE1(encoding=3, text="An Artist"))
    block.add(id3.TIT2(encoding=3, text="A Title"))
    block.save(tmp_path / "block")
    song.write_bytes((tmp_path / "block").read_bytes() + song.read_bytes())
    assert read_tags(song, tmp_path) == Tags("A Title", "An Artist")


def info_list(**texts: bytes) -> bytes:
    chunks = b"".join(
        name.encode() + len(text).to_bytes(4, "little") + text + b"\0" * (len(text) % 2)
        for name, text in texts.items()
    )
    return b"LIST" + (4 + len(chunks)).to_bytes(4, "little") + b"INFO" + chunks


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_the_info_list_of_a_wav(tmp_path: Path, encoding: str) -> None:
    path = write_song(tmp_path / "song.wav")
    texts = {"IART": "Käse", "INAM": "Süß", "IPRD": "Über", "ICRD": "1999", "IGNR": "Rock"}
    data = path.read_bytes() + info_list(**{n: t.encode(encoding) for n, t in texts.items()})
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    assert read_tags(path, tmp_path) == Tags("Süß", "Käse", "Über", "", "Rock", 1999)


def test_an_apev2_block_behind_an_mp3(tmp_path: Path) -> None:
    path = encode(tmp_path / "song.mp3")
    tags = apev2.APEv2()
    tags["Artist"], tags["Title"], tags["Year"] = "An Artist", "A Title", "2001"
    tags.save(path)
    assert read_tags(path, tmp_path) == Tags("A Title", "An Artist", year=2001)


def test_tags_of_a_container_that_mutagen_does_not_know(tmp_path: Path) -> None:
    encode(tmp_path / "song.flac")
    with (
        av.open(str(tmp_path / "song.flac")) as song,
        av.open(str(tmp_path / "song.mka"), "w") as out,
    ):
        out.metadata.update(artist="An Artist", title="A Title", album="An Album")
        stream = out.add_stream_from_template(song.streams.audio[0])
        for packet in song.demux():
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    assert read_tags(tmp_path / "song.mka", tmp_path) == Tags("A Title", "An Artist", "An Album")


def test_a_name_that_is_said_twice_is_told_once(tmp_path: Path) -> None:
    path = encode(tmp_path / "song.wma")
    file: Any = mutagen.File(path)
    file.tags["Author"] = ["An Artist", "An Artist", "Another"]
    file.save()
    assert read_tags(path, tmp_path).artist == "An Artist, Another"


def write_junk(path: Path, encoding: int) -> None:
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    junk = "<b>junk</b>\r\n\x1b[31m " * 200_000
    file.tags.add(id3.TIT2(encoding=encoding, text=[junk]))
    file.tags.add(id3.TPE1(encoding=3, text=["x"] * 10_000))
    file.tags.add(id3.TALB(encoding=3, text=["\u202eAlbum\u200b\u2066"]))
    file.tags.add(id3.TRCK(encoding=3, text=["9" * 1000]))
    file.tags.add(id3.TCON(encoding=3, text=["Rock &amp; Roll"]))
    file.tags.add(id3.APIC(3, "image/png", 3, "", PNG))
    file.save()


@pytest.mark.parametrize("encoding", [1, 3], ids=["UTF-16", "UTF-8"])
@pytest.mark.parametrize("extension", [".mp3", ".wav", ".aiff"])
def test_junk_of_megabytes_becomes_a_line_of_text(
    tmp_path: Path, extension: str, encoding: int
) -> None:
    path = encode(tmp_path / f"song{extension}")
    write_junk(path, encoding)
    if encoding == 1:  # say that it is Latin-1: now every other character is a zero
        content = path.read_bytes()
        place = content.index(b"\x01\xff\xfe<\0b\0>\0")
        path.write_bytes(content[:place] + b"\0" + content[place + 1 :])
    tags = read_tags(path, tmp_path)
    assert len(tags.title) <= MAX_TEXT_CHARS
    assert tags.title.isprintable()
    assert len(tags.artist) <= MAX_TEXT_CHARS
    assert tags.album == "Album"
    assert tags.track_number is None
    assert tags.genre == "Rock & Roll"
    assert cover_bytes(path) == PNG


def test_markup_stays_plain_text(tmp_path: Path) -> None:
    path = write_song(tmp_path / "song.wav")
    file: Any = mutagen.File(path)
    file.add_tags()
    file.tags.add(id3.TIT2(encoding=3, text=["<img src=x>\0two"]))
    file.tags.add(id3.TPE1(encoding=3, text=["A", "B", "", "C", "D", "E"]))
    file.save()
    assert read_tags(path, tmp_path) == Tags("<img src=x>, two", "A, B, C")


@pytest.mark.parametrize("extension", [*CODECS, ".ape", ".dsf", ".mpc", ".tta", ".mkv"])
@pytest.mark.parametrize("content", [b"", b"ID3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f", b"x" * 5000])
def test_files_that_are_something_else_are_named_by_their_path(
    tmp_path: Path, extension: str, content: bytes
) -> None:
    path = tmp_path / f"Artist - Title{extension}"
    path.write_bytes(content)
    assert read_tags(path, tmp_path) == Tags("Title", "Artist")
    assert cover_bytes(path) is None


@given(st.data())
def test_damaged_files_never_raise(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    extension = data.draw(st.sampled_from(sorted(CODECS)))
    whole = folder / f"whole{extension}"
    if not whole.exists():
        tag(encode(whole))
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = folder / f"damaged{extension}"
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    tags = read_tags(damaged, folder)
    assert tags.title
    assert len(tags.title) <= MAX_TEXT_CHARS
    cover_bytes(damaged)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert read_tags(tmp_path / "Artist - Title.mp3", tmp_path) == Tags("Title", "Artist")
    assert cover_bytes(tmp_path / "no" / "song.mp3") is None


def add_cover(path: Path) -> None:
    """Put a back cover, then a front cover into a file, in the way of its format."""
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    pictures = []
    for kind, data in ((4, JPEG), (3, PNG)):
        picture: Any = flac.Picture()
        picture.type, picture.data, picture.mime = kind, data, "image/png"
        pictures.append(picture)
    if isinstance(file, flac.FLAC):
        for picture in pictures:
            file.add_picture(picture)
    elif isinstance(file.tags, id3.ID3):
        for picture in pictures:
            file.tags.add(id3.APIC(3, "image/png", picture.type, str(picture.type), picture.data))
    elif isinstance(file, mp4.MP4):
        file.tags["covr"] = [mp4.MP4Cover(PNG, mp4.MP4Cover.FORMAT_PNG)]
    elif isinstance(file.tags, apev2.APEv2):
        for name, data in (("Back", JPEG), ("Front", PNG)):
            value = apev2.APEValue(b"cover.png\0" + data, apev2.BINARY)
            file.tags[f"Cover Art ({name})"] = value
    elif isinstance(file.tags, asf.ASFTags):
        raw = b"\x03" + len(PNG).to_bytes(4, "little") + "image/png\0cover\0".encode("utf-16-le")
        file.tags["WM/Picture"] = [asf.ASFByteArrayAttribute(raw + PNG)]
    else:
        encoded = [base64.b64encode(picture.write()).decode() for picture in pictures]
        file.tags["metadata_block_picture"] = encoded
    file.save()


@pytest.mark.parametrize("extension", CODECS)
def test_the_front_cover_of_every_format(tmp_path: Path, extension: str) -> None:
    path = encode(tmp_path / f"song{extension}")
    assert cover_bytes(path) is None
    add_cover(path)
    assert cover_bytes(path) == PNG


def test_a_cover_beside_the_song(tmp_path: Path) -> None:
    path = write_song(tmp_path / "song.wav")
    (tmp_path / "holiday.jpg").write_bytes(JPEG)
    (tmp_path / "cover.txt").write_bytes(JPEG)
    assert cover_bytes(path) is None
    (tmp_path / "cover.jpg").write_text("no image")
    (tmp_path / "Folder.PNG").write_bytes(PNG)
    assert cover_bytes(path) == PNG
    (tmp_path / "cover.jpg").write_bytes(JPEG)
    assert cover_bytes(path) == JPEG


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    relative = Path(os.fsdecode(b"Bj\xf6rk")) / os.fsdecode(b"J\xf3ga.mp3")
    assert from_path(relative) == Tags("J�ga", "Bj�rk")
