"""Decoding by FFmpeg, as it runs in a decoder process. No NumPy here: it would double the start."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.error

from engine.errors import DecodeError
from engine.sound.decoding.conversion import Converter

# FFmpeg mixes surround to stereo at up to 1 + 2/sqrt(2) times full scale; this undoes it.
SURROUND_GAIN = 1 / (1 + 2**0.5)
# ... and stereo to mono at 1/sqrt(2) of each; this makes it their mean.
MONO_GAIN = 2**-0.5
# After a seek, decoders with memory (MP3's bit reservoir) need some frames to be right again.
SEEK_MARGIN_S = 0.5
# Containers such as HLS name other files and addresses: no way of opening one is allowed to them.
OPEN_OPTIONS = {"protocol_whitelist": "none"}
# Slower or faster sound does not exist; of one sample a second, a page makes an hour.
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 6_000_000
MAX_FRAME_S = 120.0
# Audio books go up to some 60 hours. A few kilobytes that say to be days of silence are a trap.
MAX_DURATION_S = 360_000.0
MIN_BYTES_PER_S, SURELY_DENSE_S = 20, 3_600.0
# A demuxer that goes in circles delivers a file again and again.
MAX_TIMES_READ = 16
SIGN_OF_LIFE_BYTES = 1_000_000

Alive = Callable[[], None]
Piece = tuple[dict[str, Any], tuple[bytes, ...]]


@contextmanager
def opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.AudioStream]]:
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
            stream = container.streams.audio[0]
            if stream.codec_context is None:  # which PyAV's types know nothing of
                raise DecodeError("The file's kind of sound is not known here. Convert it first.")
            yield container, stream
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


def probe(path: Path) -> dict[str, Any]:
    """The fields of ``engine.sound.audio.AudioInfo``, from the headers only. Raises DecodeError."""
    with opened(path) as (container, stream):
        return {
            "duration_s": _duration_s(container, stream),
            "sample_rate_hz": stream.codec_context.sample_rate,
            "num_channels": stream.codec_context.channels,
            "codec": stream.codec_context.name,
        }


def _duration_s(container: av.container.InputContainer, stream: av.AudioStream) -> float:
    """0 where the file does not say, or tells what cannot be."""
    duration_s = (container.duration or 0) / av.time_base
    if stream.duration is not None and stream.time_base is not None:
        duration_s = float(stream.duration * stream.time_base)
    return duration_s if 0 < duration_s <= MAX_DURATION_S else 0.0


def audio_hash(path: Path, alive: Alive) -> Iterator[dict[str, Any]]:
    """The identity of the sound without decoding it: last ``{"audio_hash": in hex}``.

    Before it an empty answer for every ``SIGN_OF_LIFE_BYTES``, since a large file on a slow drive
    may take minutes. Raises DecodeError.
    """
    with opened(path) as (container, stream):
        packets = Packets(container, stream, path.stat().st_size)
        num_told = 0
        for _ in packets:
            alive()
            if packets.num_bytes - num_told >= SIGN_OF_LIFE_BYTES:
                num_told = packets.num_bytes
                yield {}
    yield {"audio_hash": packets.audio_hash}


class Packets:
    """What a demuxer delivers of a stream, once. Raises DecodeError where it finds no end."""

    def __init__(
        self, container: av.container.InputContainer, stream: av.AudioStream, size_bytes: int
    ) -> None:
        self.num_bytes = 0
        self._packets = container.demux(stream)
        self._max_bytes = MAX_TIMES_READ * size_bytes
        self._digest = hashlib.blake2b(digest_size=16)

    def __iter__(self) -> Iterator[av.Packet[av.AudioStream]]:
        for packet in self._packets:
            self.num_bytes += packet.size
            if self.num_bytes > self._max_bytes:
                raise DecodeError("The file is damaged: it has no end. Replace it.")
            self._digest.update(bytes(packet))
            yield packet

    @property
    def audio_hash(self) -> str:
        """blake2b-128 over the encoded packets so far, in hex: of all, the sound's identity."""
        return self._digest.hexdigest()


def pieces(
    path: Path, sample_rate_hz: int, num_channels: int, start_s: float, end_s: float | None,
    piece_s: float, alive: Alive,
) -> Iterator[Piece]:  # fmt: skip
    """First ``announced_s``, then sound from shortly before ``start_s`` on.

    Of a whole file last its ``audio_hash``.

    Of ``num_channels`` that are wanted: 1 spares work where a file is stereo; what comes may still
    be one channel or two.

    Yields:
        (head, planes of float32 as bytes). The head tells ``num_channels``, ``first``, the index of
        the first sample at the rate asked for, and ``gain``, to multiply the samples by.

    Raises DecodeError.
    """
    with opened(path) as (container, stream):
        yield {"announced_s": _duration_s(container, stream)}, ()
        size_bytes = path.stat().st_size
        piece_samples = round(piece_s * sample_rate_hz)
        packets = Packets(container, stream, size_bytes)
        for first, frame, gain in _placed(
            container, stream, packets, sample_rate_hz, num_channels, start_s, piece_samples
        ):
            alive()
            if end_s is not None and first >= end_s * sample_rate_hz:
                return
            _check_density(first / sample_rate_hz, size_bytes)
            planes = tuple(bytes(memoryview(plane)[: 4 * frame.samples]) for plane in frame.planes)
            yield {"first": first, "gain": gain, "num_channels": len(planes)}, planes
        if start_s == 0 and end_s is None:
            yield {"audio_hash": packets.audio_hash}, ()


def _check_density(decoded_s: float, size_bytes: int) -> None:
    is_thin = decoded_s > SURELY_DENSE_S and size_bytes < MIN_BYTES_PER_S * decoded_s
    if is_thin or decoded_s > MAX_DURATION_S:
        raise DecodeError(
            f"More than {decoded_s / 3600:.0f} hours come out of {size_bytes / 1e6:.1f} MB: this "
            "is no music. Delete the file, or split it if it is meant to be so long."
        )


def _placed(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    packets: Packets,
    sample_rate_hz: int,
    num_channels: int,
    start_s: float,
    piece_samples: int,
) -> Iterator[tuple[int, av.AudioFrame, float]]:
    """(index of first sample, planar float32 of one or two channels, gain)."""
    stream.codec_context.thread_type = "AUTO"
    # Encoders put silence before the first sample, and streams count their time from there.
    first_s = float((stream.start_time or 0) * (stream.time_base or 0))
    if start_s > 0 and stream.time_base is not None:
        before_s = first_s + max(0.0, start_s - SEEK_MARGIN_S)
        container.seek(int(before_s / stream.time_base), stream=stream, backward=True)
    position: int | None = None
    frames = _readable_frames(packets)
    for frame, gain in _converted(frames, sample_rate_hz, num_channels, piece_samples):
        if position is None:  # after a seek, the first frame says where we are
            position = round(((frame.time or 0.0) - first_s) * sample_rate_hz) if start_s > 0 else 0
        yield position, frame, gain
        position += frame.samples


def _converted(
    frames: Iterator[av.AudioFrame], sample_rate_hz: int, num_channels: int, piece_samples: int
) -> Iterator[tuple[av.AudioFrame, float]]:
    converter: Converter | None = None
    gain = 1.0
    for frame in frames:
        if converter is None or not converter.takes(frame):
            # The first frame, or a stream that changes on the way (chained Ogg, radio captures).
            if converter is not None:
                yield from ((piece, gain) for piece in converter.rest())
            layout, gain = _layout(frame, num_channels)
            converter = Converter(frame, sample_rate_hz, layout, piece_samples)
        yield from ((piece, gain) for piece in converter.convert(frame))
    if converter is not None:
        yield from ((piece, gain) for piece in converter.rest())


def _layout(frame: av.AudioFrame, num_channels: int) -> tuple[str, float]:
    """What FFmpeg is to make of a frame, and the gain that brings it to full scale again."""
    if frame.layout.nb_channels > 2:
        return "stereo", SURROUND_GAIN
    if num_channels == 1 and frame.layout.name == "stereo":
        return "mono", MONO_GAIN
    return frame.layout.name, 1.0


def _readable_frames(packets: Packets) -> Iterator[av.AudioFrame]:
    """Decode packet by packet: a broken one costs its own samples, not the rest of the song."""
    for packet in packets:
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            assert isinstance(frame, av.AudioFrame)
            _check_rate(frame)
            yield frame


def _check_rate(frame: av.AudioFrame) -> None:
    rate_hz = frame.sample_rate
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ or frame.samples > MAX_FRAME_S * rate_hz:
        raise DecodeError(
            f"The file is damaged: it says to hold {rate_hz} samples a second, as no music does. "
            "Replace it with a complete copy."
        )
