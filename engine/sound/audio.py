"""Any file that FFmpeg reads -> float32 samples, streamed in bounded memory.

FFmpeg runs in processes of its own (``engine.sound.decoding``): a file that makes it crash, hang
or ask for all memory becomes a DecodeError here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DecodeError, PastEndError
from engine.progress import CancelToken
from engine.sound.channels import mixed_down
from engine.sound.decoding import pool

# A file of which less than this was readable counts as damaged rather than as a short song.
MIN_READABLE_SHARE = 0.5
# Files of floats may hold anything. So far beyond full scale is no sound, but would poison sums.
MAX_SAMPLE = 64.0
MAX_PIECE_S = 2.0  # of what comes from a decoder at a time


@dataclass(frozen=True)
class AudioInfo:
    """What a file says of its first audio stream. ``duration_s`` is 0 where it does not say."""

    duration_s: float
    sample_rate_hz: int
    num_channels: int
    codec: str


def probe(path: Path) -> AudioInfo:
    """Read the headers only. Raises DecodeError."""
    found = _answer("probe", path, None)
    return AudioInfo(
        float(found["duration_s"]),
        int(found["sample_rate_hz"]),
        int(found["num_channels"]),
        str(found["codec"]),
    )


def audio_hash(path: Path, cancel: CancelToken | None = None) -> str:
    """Identity of the sound: blake2b-128 over the encoded packets, in hex.

    Tags and covers are not part of it, so a file that was only retagged keeps its hash.
    Raises DecodeError, CancelledError.
    """
    return str(_answer("hash", path, cancel)["audio_hash"])


def _answer(what: str, path: Path, cancel: CancelToken | None) -> dict[str, Any]:
    for head, _ in pool.ask({"do": what, "path": os.path.abspath(path)}, cancel):  # noqa: PTH100
        if head:  # an empty one says that there is still something to read
            return head
    raise AssertionError("an answer or an error")


def decode(
    path: Path,
    *,
    sample_rate_hz: int,
    num_channels: int,
    start_s: float = 0.0,
    end_s: float | None = None,
    chunk_s: float = 10.0,
    cancel: CancelToken | None = None,
    on_hash: Callable[[str], None] = lambda audio_hash: None,
) -> Iterator[np.ndarray]:
    """Stream a file, or the part of it from ``start_s`` to ``end_s``.

    Args:
        num_channels: 1 (mean of left and right, in phase) or 2. A mono file fills both channels;
            surround is mixed down to stereo first.
        on_hash: told the ``audio_hash`` at the end of a whole file.

    Yields:
        (num_channels, n) float32, nominally within [-1, 1], about chunk_s long but for the last.

    Raises:
        DecodeError: nothing could be decoded, or less than half of what the file announces, or the
            decoder crashed.
        CancelledError: within a second of the request, also where the decoder hangs.
    """
    start = round(start_s * sample_rate_hz)
    end = None if end_s is None else round(end_s * sample_rate_hz)
    is_whole = start == 0 and end is None
    request = {
        "do": "decode",
        "path": os.path.abspath(path),  # noqa: PTH100  # links stay links
        "sample_rate_hz": sample_rate_hz,
        "start_s": start_s,
        "end_s": end_s,
        "piece_s": min(chunk_s, MAX_PIECE_S),
    }
    end_facts, num_decoded = dict[str, Any](), 0
    with closing(_pieces(request, num_channels, cancel, end_facts)) as pieces:
        for chunk in _chunked(_cut(pieces, start, end), round(chunk_s * sample_rate_hz)):
            num_decoded += chunk.shape[1]
            yield chunk
    decoded_s, announced_s = num_decoded / sample_rate_hz, float(end_facts.get("announced_s", 0.0))
    if not num_decoded and is_whole:
        raise DecodeError("No sound could be decoded. Replace the file with a complete copy.")
    if not num_decoded:
        raise PastEndError("There is no sound in this part of the file. Choose another part.")
    if decoded_s < MIN_READABLE_SHARE * announced_s:
        raise DecodeError(
            f"The file is damaged: only {decoded_s:.0f} of {announced_s:.0f} seconds could be "
            "decoded. Replace it with a complete copy."
        )
    if is_whole:
        on_hash(str(end_facts["audio_hash"]))


def _chunked(pieces: Iterator[np.ndarray], chunk_samples: int) -> Iterator[np.ndarray]:
    """Pieces (channels, any) -> joined ones of at least ``chunk_samples``, but for the last."""
    held: list[np.ndarray] = []
    num_held = 0
    for piece in pieces:
        held.append(piece)
        num_held += piece.shape[1]
        if num_held >= chunk_samples:
            yield np.concatenate(held, axis=1)
            held, num_held = [], 0
    if held:
        yield np.concatenate(held, axis=1)


def _cut(
    pieces: Iterator[tuple[int, np.ndarray]], start: int, end: int | None
) -> Iterator[np.ndarray]:
    """What lies between two sample indices. ``pieces`` are (index of first sample, samples)."""
    for first, samples in pieces:
        if end is not None and first >= end:
            return
        kept = samples[:, max(0, start - first) : None if end is None else end - first]
        if kept.shape[1]:
            yield kept


def _pieces(
    request: dict[str, Any],
    num_channels: int,
    cancel: CancelToken | None,
    end_facts: dict[str, Any],
) -> Generator[tuple[int, np.ndarray], None, None]:
    """(index of first sample, (num_channels, n) float32) from shortly before the start to the end.

    What is known only at the end of a whole file is put into ``end_facts``.
    """
    for head, body in pool.ask(request, cancel):
        if "audio_hash" in head:
            end_facts.update(head)
            continue
        packed = np.frombuffer(body, "<f4").reshape(-1, len(head["channels"]))
        samples = np.ascontiguousarray(packed.T)  # NumPy adds up strided channels ten times slower
        yield head["first"], mixed_down(_sane(samples), head["channels"], num_channels)


def _sane(samples: np.ndarray) -> np.ndarray:
    """Without what is no number: such samples are lost, like those of a broken packet."""
    if np.abs(samples).max(initial=0.0) <= MAX_SAMPLE:  # not so either where there is a NaN
        return samples
    return np.clip(np.nan_to_num(samples, nan=0.0), -MAX_SAMPLE, MAX_SAMPLE)


def decode_all(
    path: Path,
    *,
    sample_rate_hz: int,
    num_channels: int,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> np.ndarray:
    """Like ``decode``, in one array (num_channels, n). For short files and excerpts."""
    chunks = decode(
        path,
        sample_rate_hz=sample_rate_hz,
        num_channels=num_channels,
        start_s=start_s,
        end_s=end_s,
    )
    return np.concatenate(list(chunks), axis=1)
