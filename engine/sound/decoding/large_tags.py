"""Tags and covers of files with huge texts in their ID3 tags, read by FFmpeg.

mutagen splits a text frame at its zero bytes in a time that grows with the square of its size: ten
megabytes of junk take it minutes, and UTF-16 taken for Latin-1 has a zero in every other byte.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from engine.sound.decoding.streams import opened

MAX_TEXT_BYTES = 65_536  # of one text frame that mutagen is given: 0.2 s at the very worst
_NAMES = {"date": "year", "track": "track_number"}  # FFmpeg's names where they are not ours


def has_huge_text(path: Path) -> bool:
    """Whether a text in the file's ID3 tags is too long for mutagen. Raises OSError."""
    with path.open("rb") as file:
        return any(_is_huge(file, start, size) for start, size in _id3_tags(file))


def read(path: Path) -> dict[str, str]:
    """Texts by the names of ``Tags``. Raises DecodeError."""
    with opened(path) as (container, _):
        found = dict(container.metadata)
    return {_NAMES.get(name.lower(), name.lower()): text for name, text in found.items()}


def pictures(path: Path) -> Iterator[bytes]:
    """The attached images, as files. Raises DecodeError."""
    with opened(path) as (container, _):
        for stream in container.streams.video:
            for packet in container.demux(stream):
                yield bytes(packet)
                break


def _id3_tags(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(where it begins, size in bytes) of the ID3 tags of an MP3, DSF, WAV or AIFF file."""
    head = file.read(28)
    num_bytes = file.seek(0, os.SEEK_END)
    if head[:3] == b"ID3":
        yield 0, num_bytes
    elif head[:4] == b"DSD ":
        start = int.from_bytes(head[20:28], "little")
        yield start, num_bytes - start
    elif head[:4] in (b"RIFF", b"FORM"):
        order: Literal["little", "big"] = "little" if head[:4] == b"RIFF" else "big"
        start = 12
        while start < num_bytes:
            file.seek(start)
            name, size = file.read(4), int.from_bytes(file.read(4), order)
            if name.upper() == b"ID3 ":
                yield start + 8, size
            start += 8 + size + size % 2


def _is_huge(file: BinaryIO, start: int, num_bytes: int) -> bool:
    """Walk along the headers of the frames of one ID3 tag."""
    if num_bytes <= MAX_TEXT_BYTES:
        return False
    file.seek(start)
    head = file.read(10)
    len_name, len_size, len_header = (3, 3, 6) if head[3:4] == b"\2" else (4, 4, 10)
    end = start + min(num_bytes, 10 + _synchsafe(head[6:10]))
    start += 10
    while start < end:
        file.seek(start)
        name, raw = file.read(len_name), file.read(len_size)
        is_synchsafe = head[3:4] == b"\4" and max(raw, default=0) < 0x80
        size = _synchsafe(raw) if is_synchsafe else int.from_bytes(raw, "big")
        if not name.isalnum():
            return False
        if name.startswith(b"T") and size > MAX_TEXT_BYTES:
            return True
        start += len_header + size
    return False


def _synchsafe(raw: bytes) -> int:
    """Seven bits a byte, as ID3 writes sizes."""
    value = 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
    return value
