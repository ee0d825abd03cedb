"""Texts and pictures in tags (mutagen), as they are read in a decoder process.

Whatever breaks in here may break: the file then counts as one without tags.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import Picture

from engine.sound.decoding import large_tags

# one field, under the names that the tag formats give it: Vorbis and "easy" names, ID3, APEv2, ASF
_KEYS = {
    "title": ("title", "TIT2", "Title"),
    "artist": ("artist", "TPE1", "Artist", "Author"),
    "album": ("album", "TALB", "Album", "WM/AlbumTitle"),
    "album_artist": ("albumartist", "TPE2", "Album Artist", "album artist", "WM/AlbumArtist"),
    "genre": ("genre", "TCON", "Genre", "WM/Genre"),
    "year": ("date", "TDRC", "TYER", "year", "Year", "WM/Year"),
    "track_number": ("tracknumber", "TRCK", "Track", "track", "WM/TrackNumber"),
}
_MAX_RAW_CHARS = 2000  # more than is shown, less than a junk tag's megabytes
_MAX_VALUES = 4  # several artists are joined; a tag with thousands of values is junk
FRONT = 3  # the picture type "front cover" of ID3, FLAC and ASF


def texts(path: Path) -> dict[str, list[list[str]]]:
    """By the names of ``Tags``: the values under each name that the field goes by, in order."""
    if large_tags.has_huge_text(path):
        found = large_tags.read(path)
        return {field: list(_values(found, (field,))) for field in _KEYS}
    file = mutagen.File(path, easy=True)
    if file is None or not file.tags:
        return {}
    return {field: list(_values(file.tags, keys)) for field, keys in _KEYS.items()}


def _values(tags: Any, keys: Iterable[str]) -> Iterator[list[str]]:
    for key in keys:
        try:
            value = tags[key]
        except (KeyError, ValueError):
            continue
        values = getattr(value, "text", value)  # an ID3 frame holds a list of texts
        values = values if isinstance(values, list) else [values]
        yield [str(one)[:_MAX_RAW_CHARS] for one in values[:_MAX_VALUES]]


def pictures(path: Path) -> Iterator[bytes]:
    """Every picture in a file, a front cover first."""
    if large_tags.has_huge_text(path):
        yield from large_tags.pictures(path)
        return
    found = _embedded(mutagen.File(path))
    yield from (bytes(data) for _, data in sorted(found, key=lambda one: one[0] != FRONT))


def _embedded(file: Any) -> Iterator[tuple[int, bytes]]:
    """(picture type, bytes) of every picture in a file."""
    tags = getattr(file, "tags", None)
    for picture in getattr(file, "pictures", ()):  # FLAC
        yield picture.type, picture.data
    if not tags:
        return
    for frame in tags.getall("APIC") if hasattr(tags, "getall") else ():  # ID3
        yield frame.type, frame.data
    for key, kind in (("covr", FRONT), ("metadata_block_picture", None), ("WM/Picture", None)):
        for value in tags.get(key, ()):
            if key == "covr":  # MP4
                yield kind or 0, bytes(value)
            elif key == "metadata_block_picture":  # Ogg
                ogg: Any = Picture(base64.b64decode(value))  # type: ignore[no-untyped-call]
                yield ogg.type, ogg.data
            else:  # ASF: type, length, then two UTF-16 texts that end in zeros
                yield _asf_picture(value.value)
    for key in ("Cover Art (Front)", "Cover Art (Back)"):  # APEv2: a file name, zero, the bytes
        if key in tags:
            yield (FRONT if "Front" in key else 0), tags[key].value.partition(b"\0")[2]


def _asf_picture(raw: bytes) -> tuple[int, bytes]:
    offset = 5
    for _ in range(2):
        while raw[offset : offset + 2] not in (b"\0\0", b""):
            offset += 2
        offset += 2
    return raw[0], raw[offset:]
