"""Reads the files of a TensorFlow checkpoint without TensorFlow.

``PREFIX.index`` is a sorted table of LevelDB's format, uncompressed, of BundleEntryProto messages;
the tensors lie one after another, raw, in ``PREFIX.data-00000-of-00001``. Sources: LevelDB's
table_format.md, TensorFlow's tensor_bundle.proto.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from engine.errors import CheckpointError

FOOTER_BYTES = 48
MAX_INDEX_BYTES = 1 << 24  # that of CVSM has 100,000
MAX_TENSORS = 100_000
MAX_VARINT_BYTES = 10  # 64 bits
MAGIC = 0xDB4775248B80FB57
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}  # numbers of tensorflow.DataType
Fields = dict[int, list[int | bytes]]


@dataclass(frozen=True)
class Entry:
    """Where one tensor lies. ``dtype`` is TensorFlow's number."""

    dtype: int
    shape: tuple[int, ...]
    offset: int
    size_bytes: int


class Bundle:
    """The tensors of a checkpoint by their names; each is read when it is asked for."""

    def __init__(self, prefix: Path, entries: dict[str, Entry]) -> None:
        self.prefix, self.entries = prefix, entries
        self.data_path = prefix.with_name(f"{prefix.name}.data-00000-of-00001")

    def tensor(self, name: str) -> np.ndarray:
        """Raises CheckpointError: no such tensor, no numbers, its file missing or too short."""
        entry = self.entries.get(name)
        if entry is None:
            raise CheckpointError(f"{self.prefix} has no tensor {name!r}.")
        if entry.dtype not in DTYPES:
            raise CheckpointError(f"{name!r} of {self.prefix} does not hold plain numbers.")
        dtype = np.dtype(DTYPES[entry.dtype])
        if entry.size_bytes != dtype.itemsize * math.prod(entry.shape):
            raise _damaged(self.prefix)
        path = self.data_path
        try:
            with path.open("rb") as file:
                num_bytes = file.seek(0, 2)
                if entry.offset + entry.size_bytes > num_bytes:
                    raise CheckpointError(f"{path} is shorter than its index says. Copy it again.")
                file.seek(entry.offset)
                data = file.read(entry.size_bytes)
        except OSError as error:
            raise CheckpointError(
                f"The tensors of the checkpoint are missing: {path} cannot be read. It belongs "
                f"beside {self.prefix.name}.index; copy it there."
            ) from error
        try:
            return np.frombuffer(data, dtype).reshape(entry.shape)
        except (ValueError, OverflowError) as error:  # a dimension without end beside one of nought
            raise _damaged(self.prefix) from error


def read_bundle(path: Path) -> Bundle:
    """The checkpoint of a prefix (one of its files also serves).

    Raises:
        CheckpointError: there is none, or its index is damaged or of another kind.
    """
    prefix = path.with_name(path.name.split(".data-")[0].removesuffix(".index"))
    try:
        with prefix.with_name(f"{prefix.name}.index").open("rb") as file:
            data = file.read(MAX_INDEX_BYTES)
    except OSError as error:
        raise CheckpointError(
            f"There is no TensorFlow checkpoint {prefix}: {prefix.name}.index cannot be read. "
            "Name the common beginning of its .index and .data files."
        ) from error
    if len(data) < FOOTER_BYTES or struct.unpack("<Q", data[-8:])[0] != MAGIC:
        raise CheckpointError(f"{prefix}.index is no index of a TensorFlow checkpoint.")
    try:
        messages = dict(islice(_table(data), MAX_TENSORS))
        entries = {key.decode(): _entry(value) for key, value in messages.items() if key}
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        raise _damaged(prefix) from error
    return Bundle(prefix, entries)


def _damaged(prefix: Path) -> CheckpointError:
    return CheckpointError(f"{prefix}.index is damaged, or compressed. Copy it again.")


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All keys and values of a table, by way of its index of blocks."""
    position = len(data) - FOOTER_BYTES
    for _ in range(2):  # the metaindex's offset and size: nothing that is needed here
        _, position = _varint(data, position)
    for _, handle in _block(data, *_handle(data, position)):
        yield from _block(data, *_handle(handle, 0))


def _handle(data: bytes, position: int) -> tuple[int, int]:
    offset, position = _varint(data, position)
    return offset, _varint(data, position)[0]


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Entries of one block: each key shares its beginning with the key before."""
    if data[offset + size] != 0:
        raise ValueError("compressed block")
    block = data[offset : offset + size]
    num_restarts = struct.unpack("<I", block[-4:])[0]
    end = size - 4 * (num_restarts + 1)
    position, key = 0, b""
    while position < end:
        num_shared, position = _varint(block, position)
        num_own, position = _varint(block, position)
        num_value, position = _varint(block, position)
        key = key[:num_shared] + block[position : position + num_own]
        position += num_own
        yield key, block[position : position + num_value]
        position += num_value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """An integer in groups of seven bits, lowest first, and the position behind it."""
    value = 0
    for index in range(MAX_VARINT_BYTES):
        byte = data[position + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError("an integer without an end")


def _fields(message: bytes) -> Fields:
    """A protocol buffer's fields by number, not interpreted."""
    fields: Fields = {}
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == 0:
            value, position = _varint(message, position)
        elif kind == 2:
            size, position = _varint(message, position)
            value, position = message[position : position + size], position + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, position = message[position : position + size], position + size
        else:
            raise ValueError(f"wire type {kind}")
        fields.setdefault(number, []).append(value)
    return fields


def _integer(fields: Fields, number: int) -> int:
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        raise TypeError("not an integer")
    return value


def _messages(fields: Fields, number: int) -> list[Fields]:
    return [_fields(value) for value in fields.get(number, []) if isinstance(value, bytes)]


def _entry(message: bytes) -> Entry:
    """BundleEntryProto: 1 dtype, 2 shape (2 dim (1 size)), 4 offset, 5 size."""
    fields = _fields(message)
    sizes = [_integer(dim, 1) for shape in _messages(fields, 2) for dim in _messages(shape, 2)]
    return Entry(_integer(fields, 1), tuple(sizes), _integer(fields, 4), _integer(fields, 5))
