"""What decoder processes make of files. No NumPy here: it would double their start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import av

from engine.errors import DecodeError
from engine.sound.decoding.conversion import converted
from engine.sound.decoding.ffmpeg import (
    MAX_DURATION_S,
    DriveError,
    FFmpegReader,
    failures_told,
)
from engine.sound.decoding.sndfile import SndfileReader

# Slower or faster sound does not exist; of one sample a second, a page makes an hour.
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 6_000_000
MAX_FRAME_S = 120.0
MAX_CHANNELS = 24  # 22.2, the largest of the standards
# A few kilobytes that say to be days of silence are a trap.
MIN_BYTES_PER_S, SURELY_DENSE_S = 20, 3_600.0
SIGN_OF_LIFE_BYTES = 1_000_000
Reader = FFmpegReader | SndfileReader
# The second is asked where the first finds no sound; if it finds none either, the first tells why.
READERS: tuple[type[Reader], ...] = (FFmpegReader, SndfileReader)
Piece = tuple[dict[str, Any], bytes]
T = TypeVar("T")


def _first_found(path: Path, read: Callable[[Reader], Iterator[T]]) -> Iterator[T]:
    """What ``read`` gives of the first reader of which it gives anything. Raises DecodeError."""
    failures = list[DecodeError]()
    for open_reader in READERS:
        is_found = False
        try:
            for one in read(open_reader(path)):
                is_found = True
                yield one
        except DecodeError as error:
            if is_found or isinstance(error, DriveError):
                raise
            failures.append(error)
        if is_found:
            return
    if len(failures) == len(READERS):
        raise failures[0]


def probe(path: Path) -> dict[str, Any]:
    """The fields of ``engine.sound.audio.AudioInfo``, from the headers only. Raises DecodeError."""
    return next(_first_found(path, lambda reader: iter([reader.info()])))


def audio_hash(path: Path) -> Iterator[dict[str, Any]]:
    """The identity of the sound without decoding it: last ``{"audio_hash": in hex}``.

    Before it an empty answer for every ``SIGN_OF_LIFE_BYTES``, since a large file on a slow drive
    may take minutes. Raises DecodeError.
    """

    def read(reader: Reader) -> Iterator[dict[str, Any]]:
        num_bytes = 0
        for size in reader.encoded():
            num_bytes += size
            if num_bytes >= SIGN_OF_LIFE_BYTES:
                num_bytes -= SIGN_OF_LIFE_BYTES
                yield {}
        if reader.audio_hash:
            yield {"audio_hash": reader.audio_hash}

    told = dict[str, Any]()
    for told in _first_found(path, read):
        yield told
    if not told:
        raise DecodeError("There is no sound in the file. Replace it.")


def pieces(
    path: Path, sample_rate_hz: int, start_s: float, end_s: float | None, piece_s: float
) -> Iterator[Piece]:
    """Sound from shortly before ``start_s`` on, or nothing where there is none any more.

    Of a whole file last its ``audio_hash``, and ``announced_s``: how long it says to be.

    Yields:
        (head, float32 samples as bytes, moment by moment). The head tells ``first``, the index of
        the first one at the rate asked for, and ``channels``, their names.

    Raises DecodeError.
    """
    hashes = list[str]()  # of the readers so far, as ``audio_hash`` asks them

    def read(reader: Reader) -> Iterator[Piece]:
        has_sound = False
        for piece in _pieces(reader, sample_rate_hz, start_s, end_s, piece_s):
            has_sound = True
            yield piece
        hashes.append(reader.audio_hash)
        if has_sound and start_s == 0 and end_s is None:
            first_hash = next(filter(None, hashes), "")
            yield {"audio_hash": first_hash, "announced_s": reader.announced_s}, b""

    yield from _first_found(path, read)


def _pieces(
    reader: Reader,
    sample_rate_hz: int,
    start_s: float,
    end_s: float | None,
    piece_s: float,
) -> Iterator[Piece]:
    frames = map(_checked, reader.frames(start_s))
    first: int | None = None
    with failures_told():
        for frame in converted(frames, sample_rate_hz, round(piece_s * sample_rate_hz)):
            if first is None:  # after a seek, the first frame says where we are
                time_s = (frame.time or 0.0) - reader.zero_s if start_s > 0 else 0.0
                first = round(time_s * sample_rate_hz)
            if end_s is not None and first >= end_s * sample_rate_hz:
                return
            _check_density(first / sample_rate_hz, reader.size_bytes)
            names = [channel.name for channel in frame.layout.channels]
            samples = bytes(memoryview(frame.planes[0])[: 4 * len(names) * frame.samples])
            yield {"first": first, "channels": names}, samples
            first += frame.samples


def _check_density(decoded_s: float, size_bytes: int) -> None:
    is_thin = decoded_s > SURELY_DENSE_S and size_bytes < MIN_BYTES_PER_S * decoded_s
    if is_thin or decoded_s > MAX_DURATION_S:
        raise DecodeError(
            f"More than {decoded_s / 3600:.0f} hours come out of {size_bytes / 1e6:.1f} MB: this "
            "is no music. Delete the file, or split it if it is meant to be so long."
        )


def _checked(frame: av.AudioFrame) -> av.AudioFrame:
    rate_hz, num_channels = frame.sample_rate, frame.layout.nb_channels
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ or frame.samples > MAX_FRAME_S * rate_hz:
        raise DecodeError(
            f"The file is damaged: it says to hold {rate_hz} samples a second, as no music does. "
            "Replace it with a complete copy."
        )
    if num_channels > MAX_CHANNELS:
        raise DecodeError(
            f"The file says to hold {num_channels} channels, as no music does. Mix it down first."
        )
    return frame
