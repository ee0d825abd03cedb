"""Files as FFmpeg reads them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer

from engine.errors import DecodeError
from engine.sound.decoding import chains

# After a seek, decoders with memory (MP3's bit reservoir) and filters need some to be right again.
SEEK_MARGIN_S = 0.5
# Containers such as HLS name other files and addresses: no way of opening one is allowed to them.
OPEN_OPTIONS = {"protocol_whitelist": "none"}
# Audio books go up to some 60 hours.
MAX_DURATION_S = 360_000.0
# A demuxer that goes in circles delivers a file again and again.
MAX_TIMES_READ = 16
# Without a header that tells their length: FFmpeg infers it from how dense they begin, and a quiet
# beginning makes hours of minutes. An MP3 may have one of these marks near its beginning.
BARE_FORMATS = frozenset(("aac", "ac3", "dts", "eac3", "loas", "mp3", "mpegts", "truehd"))
# Texts in an unknown encoding stay the bytes that they are; from PyAV 19 on they always do.
TEXTS: dict[str, Any] = {}
if int(av.__version__.split(".")[0]) < 19:
    TEXTS["metadata_errors"] = "surrogateescape"
LENGTH_MARKS, MARK_WITHIN_BYTES = (b"Xing", b"Info", b"VBRI"), 65_536


class DriveError(DecodeError):
    """It is not the file's fault: no other reader would fare better."""


Opened = tuple[InputContainer, av.AudioStream]


@contextmanager
def opened(path: Path, link: tuple[int, int] | None = None) -> Iterator[Opened]:
    """The container and its first audio stream. Every failure becomes a DecodeError.

    ``link``: of a chain (``chains.links``), by itself.
    """
    # Through a Python file, since a file name need not be text that FFmpeg's API takes.
    with failures_told(), path.open("rb") as file:
        part = chains.Part(file, link)
        with av.open(part, options=OPEN_OPTIONS, **TEXTS) as container:
            if not container.streams.audio:
                raise DecodeError("The file has no sound in it (no audio stream).")
            assert isinstance(container, InputContainer)
            stream = container.streams.audio[0]
            if stream.codec_context is None:  # which PyAV's types know nothing of
                raise DecodeError("The file's kind of sound is not known here. Convert it first.")
            yield container, stream
        part.check()


@contextmanager
def failures_told() -> Iterator[None]:
    """Raises DecodeError or DriveError in place of what systems and FFmpeg raise."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise DecodeError(
            f"No audio could be read: {error.strerror}. The file is damaged or is not audio; "
            "try to play it, and replace it if it does not play."
        ) from error
    except FileNotFoundError as error:
        raise DriveError("The file is gone. Scan its folder again.") from error
    except PermissionError as error:
        raise DriveError(
            "The file may not be read. Change its permissions, then retry it."
        ) from error
    except OSError as error:
        raise DriveError(f"The file cannot be read: {error.strerror or error}.") from error


class FFmpegReader:
    """One file, link by link. Raises DecodeError, here and while it reads.

    Attributes:
        announced_s: what the file says of its length, as far as it was opened; 0: nothing.
        zero_s: the time that its frames give to the beginning of the file.
    """

    def __init__(self, path: Path) -> None:
        with failures_told(), path.open("rb") as file:
            self._links = chains.links(file)
        self._path = path
        self.size_bytes = self._links[-1][1]
        if self.size_bytes == 0:
            raise DecodeError("The file is empty (0 bytes). Copy it again from where it came from.")
        self._digest = hashlib.blake2b(digest_size=16)
        self._num_bytes = 0
        self.announced_s = self.zero_s = 0.0

    def info(self) -> dict[str, Any]:
        """The fields of ``engine.sound.audio.AudioInfo``, from the headers only."""
        found = dict[str, Any]()
        for link in self._links:
            with opened(self._path, link) as (container, stream):
                self.announced_s += _duration_s(container, stream)
                context = stream.codec_context
                found = found or {
                    "sample_rate_hz": context.sample_rate,
                    "num_channels": context.channels,
                    "codec": context.name,
                }
        return found | {"duration_s": self.announced_s}

    def encoded(self) -> Iterator[int]:
        """Read all of it without decoding: the bytes of each packet."""
        for link in self._links:
            with opened(self._path, link) as (container, stream):
                for packet in self._packets(container, stream):
                    yield packet.size

    def frames(self, start_s: float) -> Iterator[av.AudioFrame]:
        """From shortly before ``start_s`` on."""
        has_begun = False
        for link in self._links:
            with opened(self._path, link) as (container, stream):
                before_s = self.announced_s
                if not self._is_length_inferred(container):
                    self.announced_s += _duration_s(container, stream)
                if 0 < self.announced_s <= start_s and link != self._links[-1]:
                    continue
                if not has_begun:
                    self._seek(container, stream, start_s - before_s, before_s)
                has_begun = True
                yield from self._decoded(container, stream)

    def _is_length_inferred(self, container: InputContainer) -> bool:
        if container.format.name not in BARE_FORMATS:
            return False
        with self._path.open("rb") as file:
            head = file.read(10)
            if head.startswith(b"ID3"):
                file.seek(10 + sum(byte << 7 * place for place, byte in enumerate(head[:5:-1])))
            beginning = file.read(MARK_WITHIN_BYTES)
        return container.format.name != "mp3" or not any(map(beginning.__contains__, LENGTH_MARKS))

    def _seek(
        self, container: InputContainer, stream: av.AudioStream, start_s: float, before_s: float
    ) -> None:
        # Encoders put silence before the first sample, and streams count their time from there.
        first_s = float((stream.start_time or 0) * (stream.time_base or 0))
        self.zero_s = first_s - before_s
        if start_s > 0 and stream.time_base is not None:
            wanted_s = first_s + max(0.0, start_s - SEEK_MARGIN_S)
            container.seek(int(wanted_s / stream.time_base), stream=stream, backward=True)

    def _decoded(
        self, container: InputContainer, stream: av.AudioStream
    ) -> Iterator[av.AudioFrame]:
        """Packet by packet: a broken one costs its own samples, not the rest of the song."""
        stream.codec_context.thread_type = "AUTO"
        for packet in self._packets(container, stream):
            with contextlib.suppress(av.error.InvalidDataError):
                for frame in packet.decode():
                    assert isinstance(frame, av.AudioFrame)
                    yield frame

    def _packets(
        self, container: InputContainer, stream: av.AudioStream
    ) -> Iterator[av.Packet[av.AudioStream]]:
        """To the end, or to where FFmpeg finds no way on."""
        packets = container.demux(stream)
        with contextlib.suppress(av.error.InvalidDataError, av.error.PatchWelcomeError):
            for packet in packets:
                self._num_bytes += packet.size
                if self._num_bytes > MAX_TIMES_READ * self.size_bytes:
                    raise DecodeError("The file is damaged: it has no end. Replace it.")
                self._digest.update(bytes(packet))
                yield packet

    @property
    def audio_hash(self) -> str:
        """blake2b-128 over the encoded packets, in hex; empty where there were none."""
        return self._digest.hexdigest() if self._num_bytes else ""


def _duration_s(container: InputContainer, stream: av.AudioStream) -> float:
    """0 where the file does not say, or tells what cannot be."""
    duration_s = (container.duration or 0) / av.time_base
    if container.format.name.startswith("matroska"):  # which counts from zero, wherever it begins
        duration_s -= max(0, container.start_time or 0) / av.time_base
    if stream.duration is not None and stream.time_base is not None:
        duration_s = float(stream.duration * stream.time_base)
    return duration_s if 0 < duration_s <= MAX_DURATION_S else 0.0
