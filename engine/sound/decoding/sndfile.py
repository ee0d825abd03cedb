"""Files as libsndfile reads them, the reader of editors: it forgives some that FFmpeg does not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import soundfile  # type: ignore[import-untyped]

from engine.errors import DecodeError
from engine.sound.decoding.chains import Part
from engine.sound.decoding.ffmpeg import SEEK_MARGIN_S, failures_told

FRAME_SAMPLES = 8_192


class SndfileReader:
    """Like ``FFmpegReader``, of the formats that libsndfile knows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as file:
            self.announced_s = file.frames / file.samplerate
            self._info = {
                "duration_s": self.announced_s,
                "sample_rate_hz": file.samplerate,
                "num_channels": file.channels,
                "codec": file.subtype.lower(),
            }
        self.size_bytes = path.stat().st_size
        self._digest = hashlib.blake2b(digest_size=16)
        self._num_bytes = 0
        self.zero_s = 0.0

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            with failures_told(), self._path.open("rb") as raw:
                part = Part(raw)
                with soundfile.SoundFile(part) as file:
                    yield file
                part.check()
        except soundfile.SoundFileError as error:
            raise DecodeError(f"No audio could be read: {error}. Replace the file.") from error

    def info(self) -> dict[str, Any]:
        return self._info

    def encoded(self) -> Iterator[int]:
        for frame in self.frames(0.0):
            yield frame.planes[0].buffer_size

    def frames(self, start_s: float) -> Iterator[av.AudioFrame]:
        """From shortly before ``start_s`` on."""
        begin_s = max(0.0, start_s - SEEK_MARGIN_S)
        with self._opened() as file:
            position = file.seek(min(round(begin_s * file.samplerate), file.frames))
            layout = {1: "mono", 2: "stereo"}.get(file.channels, f"{file.channels}C")
            buffer = bytearray(4 * FRAME_SAMPLES * file.channels)
            while num_samples := file.buffer_read_into(buffer, dtype="float32"):
                samples = bytes(buffer[: 4 * num_samples * file.channels])
                self._digest.update(samples)
                self._num_bytes += len(samples)
                frame = av.AudioFrame("flt", layout, num_samples, align=1)
                frame.planes[0].update(samples)
                frame.sample_rate, frame.time_base = file.samplerate, Fraction(1, file.samplerate)
                frame.pts = position
                position += num_samples
                yield frame

    @property
    def audio_hash(self) -> str:
        """blake2b-128 over the samples."""
        return self._digest.hexdigest() if self._num_bytes else ""
