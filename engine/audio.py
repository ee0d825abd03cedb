"""Any file that FFmpeg reads -> float32 samples, streamed in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np

from engine.errors import DecodeError

# FFmpeg mixes surround to stereo at up to 1 + 2/sqrt(2) times full scale; this undoes it.
SURROUND_GAIN = 1 / (1 + 2**0.5)
# A file of which less than this was readable counts as damaged rather than as a short song.
MIN_READABLE_SHARE = 0.5
# After a seek, decoders with memory (MP3's bit reservoir) need some frames to be right again.
SEEK_MARGIN_S = 0.5
# Containers such as HLS name other addresses; nothing but files of this machine is ever opened.
OPEN_OPTIONS = {"protocol_whitelist": "file"}


@dataclass(frozen=True)
class AudioInfo:
    """What a file says of its first audio stream. ``duration_s`` is 0 where it does not say."""

    duration_s: float
    sample_rate_hz: int
    num_channels: int
    codec: str


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.AudioStream]]:
    """The container and its first audio stream. Every failure becomes a DecodeError."""
    try:
        if path.stat().st_size == 0:
            raise DecodeError("The file is empty (0 bytes). Copy it again from where it came from.")
        # Through a Python file, since a file name need not be text that FFmpeg's API takes.
        with (
            path.open("rb") as file,
            av.open(file, metadata_errors="replace", options=OPEN_OPTIONS) as container,
        ):
            if not container.streams.audio:
                raise DecodeError("The file has no sound in it (no audio stream).")
            assert isinstance(container, av.container.InputContainer)
            yield container, container.streams.audio[0]
    except av.error.FFmpegError as error:
        raise DecodeError(
            f"No audio could be read: {error.strerror}. The file is damaged or is not audio; "
            "try to play it, and replace it if it does not play."
        ) from error
    except FileNotFoundError as error:
        raise DecodeError("The file is gone. Scan its folder again.") from error
    except PermissionError as error:
        raise DecodeError(
            "The file may not be read. Change its permissions, then retry it."
        ) from error
    except OSError as error:
        raise DecodeError(f"The file cannot be read: {error.strerror or error}.") from error


def probe(path: Path) -> AudioInfo:
    """Read the headers only. Raises DecodeError."""
    with _opened(path) as (container, stream):
        return AudioInfo(
            duration_s=_duration_s(container, stream),
            sample_rate_hz=stream.codec_context.sample_rate,
            num_channels=stream.codec_context.channels,
            codec=stream.codec_context.name,
        )


def _duration_s(container: av.container.InputContainer, stream: av.AudioStream) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def audio_hash(path: Path) -> str:
    """Identity of the sound: blake2b-128 over the encoded packets, in hex.

    Tags and covers are not part of it, so a file that was only retagged keeps its hash.
    Raises DecodeError.
    """
    digest = hashlib.blake2b(digest_size=16)
    with _opened(path) as (container, stream):
        for packet in container.demux(stream):
            digest.update(bytes(packet))
    return digest.hexdigest()


def decode(
    path: Path,
    *,
    sample_rate_hz: int,
    num_channels: int,
    start_s: float = 0.0,
    end_s: float | None = None,
    chunk_s: float = 10.0,
) -> Iterator[np.ndarray]:
    """Stream a file, or the part of it from ``start_s`` to ``end_s``.

    Args:
        num_channels: 1 (mean of left and right) or 2. A mono file fills both channels; surround is
            mixed down to stereo first.

    Yields:
        (num_channels, n) float32, nominally within [-1, 1], about chunk_s long but for the last.

    Raises:
        DecodeError: nothing could be decoded, or less than half of what the file announces.
    """
    start = round(start_s * sample_rate_hz)
    end = None if end_s is None else round(end_s * sample_rate_hz)
    is_whole = start == 0 and end is None
    with _opened(path) as (container, stream):
        announced_s = _duration_s(container, stream)
        source = _stereo_pieces(container, stream, sample_rate_hz, start_s)
        num_decoded = 0
        for chunk in _chunked(_cut(source, start, end), round(chunk_s * sample_rate_hz)):
            num_decoded += chunk.shape[1]
            yield chunk if num_channels == 2 else chunk.mean(0, keepdims=True)
    decoded_s = num_decoded / sample_rate_hz
    if not num_decoded and is_whole:
        raise DecodeError("No sound could be decoded. Replace the file with a complete copy.")
    if not num_decoded:
        raise DecodeError("There is no sound in this part of the file. Choose another part.")
    if is_whole and decoded_s < MIN_READABLE_SHARE * announced_s:
        raise DecodeError(
            f"The file is damaged: only {decoded_s:.0f} of {announced_s:.0f} seconds could be "
            "decoded. Replace it with a complete copy."
        )


def _chunked(pieces: Iterator[np.ndarray], chunk_samples: int) -> Iterator[np.ndarray]:
    """Join pieces (2, any) into chunks of at least ``chunk_samples``; the last may be shorter."""
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


def _stereo_pieces(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    sample_rate_hz: int,
    start_s: float,
) -> Iterator[tuple[int, np.ndarray]]:
    """(index of first sample, (2, n) float32) from shortly before ``start_s`` to the end."""
    stream.codec_context.thread_type = "AUTO"
    # Encoders put silence before the first sample, and streams count their time from there.
    first_s = float((stream.start_time or 0) * (stream.time_base or 0))
    if start_s > 0 and stream.time_base is not None:
        before_s = first_s + max(0.0, start_s - SEEK_MARGIN_S)
        container.seek(int(before_s / stream.time_base), stream=stream, backward=True)
    gain = SURROUND_GAIN if stream.codec_context.channels > 2 else 1.0
    position: int | None = None
    for frame in _frames_at_rate(container, stream, sample_rate_hz):
        if position is None:  # after a seek, the first frame says where we are
            position = round(((frame.time or 0.0) - first_s) * sample_rate_hz) if start_s > 0 else 0
        samples = _stereo(frame) * np.float32(gain)
        yield position, samples
        position += samples.shape[1]


def _frames_at_rate(
    container: av.container.InputContainer, stream: av.AudioStream, sample_rate_hz: int
) -> Iterator[av.AudioFrame]:
    """Frames as planar float32 at the rate asked for, in the channel layout they came with."""
    resampler: av.AudioResampler | None = None
    source: tuple[str, str, int] | None = None
    for frame in _readable_frames(container, stream):
        if source != (frame.format.name, frame.layout.name, frame.sample_rate):
            # The first frame, or a stream that changes on the way (chained Ogg, radio captures).
            if resampler is not None:
                yield from resampler.resample(None)
            source = (frame.format.name, frame.layout.name, frame.sample_rate)
            layout = frame.layout if frame.layout.nb_channels <= 2 else "stereo"
            resampler = av.AudioResampler("fltp", layout, sample_rate_hz)
        assert resampler is not None
        yield from resampler.resample(frame)
    if resampler is not None:
        yield from resampler.resample(None)


def _readable_frames(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator[av.AudioFrame]:
    """Decode packet by packet: a broken one costs its own samples, not the rest of the song."""
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            assert isinstance(frame, av.AudioFrame)
            yield frame


def _stereo(frame: av.AudioFrame) -> np.ndarray:
    """(2, n) float32; a single channel goes to both sides."""
    samples = frame.to_ndarray()
    return np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples


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


def peaks(path: Path, num_bins: int) -> np.ndarray:
    """A waveform to draw: (num_bins, 2) float32, lowest and highest sample of each bin.

    Raises DecodeError.
    """
    rate_hz, cell = 8000, 80  # cells of 10 ms, a few hundred kilobytes for hours of sound
    lows, highs, held = [], [], np.zeros(0, np.float32)
    for chunk in decode(path, sample_rate_hz=rate_hz, num_channels=1):
        held = np.concatenate([held, chunk[0]])
        num_cells = len(held) // cell
        cells = held[: num_cells * cell].reshape(-1, cell)
        lows.append(cells.min(1))
        highs.append(cells.max(1))
        held = held[num_cells * cell :]
    low, high = np.concatenate(lows), np.concatenate(highs)
    if not len(low):
        return np.zeros((num_bins, 2), np.float32)
    firsts = np.linspace(0, len(low), num_bins, endpoint=False).astype(int)
    return np.stack(
        [np.minimum.reduceat(low, firsts), np.maximum.reduceat(high, firsts)], axis=1
    ).astype(np.float32)
