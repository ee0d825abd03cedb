"""The cover of a track: inside the file, or beside it."""

from __future__ import annotations

import io
import itertools
import os
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from engine.errors import DecodeError
from engine.sound.decoding import pool
from engine.sound.decoding.worker import MAX_PICTURE_BYTES

# Of what is not compressed into bytes, but blown up from them: 40 megapixels are 160 MB in memory.
MAX_COVER_PIXELS = 40_000_000
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
_BROKEN = (OSError, ValueError, SyntaxError, IndexError, struct.error)  # by kind of picture
_STEMS = ("cover", "folder", "front", "album", "albumart", "artwork")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")


def cover_bytes(path: Path) -> bytes | None:
    """An image file's bytes (JPEG, PNG, GIF, BMP, WebP), or None. Never raises.

    At most MAX_PICTURE_BYTES and MAX_COVER_PIXELS, as its header says.
    """
    return next(itertools.chain(_inside(path), _beside(path)), None)


def _inside(path: Path) -> Iterator[bytes]:
    request = {"do": "pictures", "path": os.path.abspath(path)}  # noqa: PTH100
    with suppress(DecodeError), closing(pool.ask(request)) as messages:
        yield from (data for _, data in messages if _is_cover(data))


def _beside(path: Path) -> Iterator[bytes]:
    try:
        there = {name.casefold(): name for name in os.listdir(path.parent)}  # noqa: PTH208
    except OSError:
        return
    for stem, suffix in itertools.product(_STEMS, _SUFFIXES):
        name = there.get(stem + suffix)
        if name is not None and (data := _image(path.parent / name)) is not None:
            yield data


def _image(path: Path) -> bytes | None:
    try:
        # a pipe, or another thing that one waits for, is no file
        if not path.is_file() or path.stat().st_size > MAX_PICTURE_BYTES:
            return None
        with path.open("rb") as file:
            data = file.read(MAX_PICTURE_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_PICTURE_BYTES and _is_cover(data) else None


def _is_cover(data: bytes) -> bool:
    """Told by the header: nothing is unpacked."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            return 0 < picture.width * picture.height <= MAX_COVER_PIXELS
    except (*_BROKEN, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return False
