"""The cover of a track: inside the file, or beside it."""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import Picture

from engine.library import big_tags

MAX_COVER_BYTES = 20_000_000
_FRONT = 3  # the picture type "front cover" of ID3, FLAC and ASF
_STEMS = ("cover", "folder", "front", "album", "albumart", "artwork")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")


def cover_bytes(path: Path) -> bytes | None:
    """An image file's bytes (JPEG, PNG, ...), or None. Never raises."""
    try:
        if big_tags.has_huge_text(path):
            pictures = [(_FRONT, data) for data in big_tags.pictures(path)]
        else:
            found = _embedded(mutagen.File(path))
            pictures = sorted(found, key=lambda picture: picture[0] != _FRONT)
    except Exception:  # as in tags: broken pictures break parsers in every way there is
        pictures = []
    for _, data in pictures:
        if len(data) <= MAX_COVER_BYTES and data.startswith(_MAGIC):
            return bytes(data)
    return _beside(path)


def _embedded(file: Any) -> Iterator[tuple[int, bytes]]:
    """(picture type, bytes) of every picture in a file."""
    tags = getattr(file, "tags", None)
    for picture in getattr(file, "pictures", ()):  # FLAC
        yield picture.type, picture.data
    if not tags:
        return
    for frame in tags.getall("APIC") if hasattr(tags, "getall") else ():  # ID3
        yield frame.type, frame.data
    for key, kind in (("covr", _FRONT), ("metadata_block_picture", None), ("WM/Picture", None)):
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
            yield (_FRONT if "Front" in key else 0), tags[key].value.partition(b"\0")[2]


def _asf_picture(raw: bytes) -> tuple[int, bytes]:
    offset = 5
    for _ in range(2):
        while raw[offset : offset + 2] not in (b"\0\0", b""):
            offset += 2
        offset += 2
    return raw[0], raw[offset:]


def _beside(path: Path) -> bytes | None:
    try:
        there = {name.casefold(): name for name in os.listdir(path.parent)}  # noqa: PTH208
        for stem, suffix in itertools.product(_STEMS, _SUFFIXES):
            name = there.get(stem + suffix)
            if name is None:
                continue
            image = path.parent / name
            if image.stat().st_size <= MAX_COVER_BYTES:
                data = image.read_bytes()
                if data.startswith(_MAGIC):
                    return data
    except OSError:
        return None
    return None
