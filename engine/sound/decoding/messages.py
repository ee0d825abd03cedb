"""Messages between a process and its decoders: a JSON head, then a body of bytes."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

Head = dict[str, Any]
Message = tuple[Head, bytes]

MAX_HEAD_BYTES = 1 << 20
MAX_BODY_BYTES = 1 << 26
_SIZES = struct.Struct("<II")


def send(file: BinaryIO, head: Head, body: bytes = b"") -> None:
    """Raises OSError where the other side is gone, ValueError where the file was closed."""
    text = json.dumps(head).encode("ascii")
    file.write(_SIZES.pack(len(text), len(body)))
    file.write(text)
    file.write(body)
    file.flush()


def receive(file: BinaryIO) -> Message | None:
    """None at the end, also in the middle of a message. Raises ValueError for what is none."""
    sizes = file.read(_SIZES.size)
    if len(sizes) < _SIZES.size:
        return None
    num_head, num_body = _SIZES.unpack(sizes)
    if num_head > MAX_HEAD_BYTES or num_body > MAX_BODY_BYTES:
        raise ValueError("no message is as long as this one says to be")
    text, body = file.read(num_head), file.read(num_body)
    if len(text) < num_head or len(body) < num_body:
        return None
    try:
        head = json.loads(text)
    except RecursionError as error:
        raise ValueError("no message is as deep as this one") from error
    if not isinstance(head, dict):
        raise ValueError("no message has such a head")
    return head, body
