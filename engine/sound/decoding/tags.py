"""Texts and pictures in tags, as they are read in a decoder process.

Whatever breaks in here may break: whoever asked then asks for FFmpeg's reading alone. mutagen takes
minutes for a text of megabytes with many zeros in it, and is ended before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mutagen
from av.stream import Disposition
from mutagen.apev2 import APEv2
from mutagen.easyid3 import EasyID3

from engine.errors import DecodeError
from engine.sound.decoding.ffmpeg import opened

# One field, under the names that tag formats give it: Vorbis and "easy", ID3, APEv2, ASF, FFmpeg.
# APEv2's and FFmpeg's are found whatever their case.
_KEYS = {
    "title": ("title", "TIT2", "Title"),
    "artist": ("artist", "TPE1", "Artist", "Author"),
    "album": ("album", "TALB", "Album", "WM/AlbumTitle"),
    "album_artist": ("albumartist", "TPE2", "Album Artist", "WM/AlbumArtist", "album_artist"),
    "genre": ("genre", "TCON", "Genre", "WM/Genre"),
    "year": ("date", "TDRC", "TYER", "year", "Year", "WM/Year"),
    "track_number": ("tracknumber", "TRCK", "Track", "track", "WM/TrackNumber"),
}
_WANTED = ("title", "artist", "album")  # other blocks are read where one of them is missing
_MAX_RAW_CHARS = 2000  # more than is shown, less than a junk tag's megabytes
_MAX_VALUES = 4  # several artists are joined; a tag with thousands of values is junk
Texts = dict[str, list[list[str]]]


def texts(path: Path) -> Texts:
    """By the names of ``Tags``: the values under each name that the field goes by, in order."""
    found: Texts = {field: [] for field in _KEYS}
    for tags in _blocks(path):
        for field, keys in _KEYS.items():
            found[field] += _values(tags, keys)
        if all(map(found.get, _WANTED)):
            break
    return found


def texts_by_ffmpeg(path: Path) -> Texts:
    """The same of those blocks that FFmpeg knows: RIFF's INFO, Matroska's, and many others."""
    tags = _ffmpeg_tags(path)
    return {field: list(_values(tags, keys)) for field, keys in _KEYS.items()}


def _blocks(path: Path) -> Iterator[Any]:
    """The tags of the file's format; then those that other programs put before or behind it."""
    file = mutagen.File(path, easy=True)
    if file is not None and file.tags:
        yield file.tags
    for block in (EasyID3, APEv2):
        with contextlib.suppress(mutagen.MutagenError):
            yield block(path)
    with contextlib.suppress(DecodeError):
        yield _ffmpeg_tags(path)


def _ffmpeg_tags(path: Path) -> dict[str, str]:
    with opened(path) as (container, stream):
        metadata = {**stream.metadata, **container.metadata}
    return {name.lower(): _text(value) for name, value in metadata.items()}


def _text(value: str) -> str:
    """Bytes that are no UTF-8 are taken for what Windows wrote in the West."""
    raw = value.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _values(tags: Any, keys: Iterable[str]) -> Iterator[list[str]]:
    for key in keys:
        try:
            value = tags[key]
        except (KeyError, ValueError):
            continue
        values = getattr(value, "text", value)  # an ID3 frame holds a list of texts
        values = values if isinstance(values, list) else [values]
        yield [str(one)[:_MAX_RAW_CHARS] for one in values[:_MAX_VALUES]]


def pictures(path: Path) -> list[bytes]:
    """Every picture in a file, as FFmpeg finds them, front covers first. Raises DecodeError."""
    found = dict[int, tuple[bool, bytes]]()
    with opened(path) as (container, _):
        attached = [
            one for one in container.streams.video if one.disposition & Disposition.attached_pic
        ]
        for packet in container.demux(attached) if attached else ():
            is_front = "front" in str(packet.stream.metadata).lower()
            found.setdefault(packet.stream.index, (is_front, bytes(packet)))
            if len(found) == len(attached):
                break
    return [data for _, data in sorted(found.values(), key=lambda one: not one[0])]
