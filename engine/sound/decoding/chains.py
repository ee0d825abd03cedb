"""Chained Ogg: streams one after another in one file, as radio captures and ``cat`` make them.

FFmpeg's reader refuses a link with another rate or other channels than the first, tells the length
of the last as that of all, and cannot seek across. One link by itself is an ordinary file to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

_HEAD_BYTES = 27
_IS_FIRST = 2  # the flag of a stream's first page


def links(file: BinaryIO) -> list[tuple[int, int]]:
    """(first byte, end) of each link; of the whole file, where it is no chain. Raises OSError."""
    size = file.seek(0, os.SEEK_END)
    starts, is_head = [0], True
    for start, is_first in _pages(file):
        if is_first and not is_head:
            starts.append(start)
        is_head = is_first
    return list(zip(starts, [*starts[1:], size], strict=True))


def _pages(file: BinaryIO) -> Iterator[tuple[int, bool]]:
    """(where it begins, whether it is its stream's first) of each page, up to the first flaw."""
    start = 0
    while True:
        file.seek(start)
        head = file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES or not head.startswith(b"OggS"):
            return
        yield start, bool(head[5] & _IS_FIRST)
        start += _HEAD_BYTES + head[26] + sum(file.read(head[26]))


class Part:
    """A file, or a part of it, to read.

    ``check`` raises what a drive failed with: some readers take that for the end of the song.
    """

    def __init__(self, file: BinaryIO, part: tuple[int, int] | None = None) -> None:
        self._file = file
        self._start, self._end = part or (0, file.seek(0, os.SEEK_END))
        self._failure: OSError | None = None
        file.seek(self._start)

    def read(self, num_bytes: int) -> bytes:
        try:
            return self._file.read(min(num_bytes, max(0, self._end - self._file.tell())))
        except OSError as error:
            self._failure = error
            raise

    def check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._end}
        return self._file.seek(base[whence] + offset) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start
