"""How loud a song is heard, and its waveform to draw: both from one pass over the file."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.filter import Graph

from engine.progress import CancelToken
from engine.sound import audio
from engine.sound.channels import mono

RATE_HZ = 44_100
FLOOR_LUFS = -70.0  # nothing quieter counts (ITU-R BS.1770-4)
BLOCK_S = 0.5  # a little more than the shortest sound that has a loudness
_CELL = 441  # 10 ms, a few hundred kilobytes for hours of sound


@dataclass(frozen=True)
class Loudness:
    """``lufs``: integrated loudness (ITU-R BS.1770-4), -70 for silence; ``peak``: of all samples,
    1 is full scale.
    """

    lufs: float
    peak: float

    def gain_to(self, target_lufs: float) -> float:
        """The factor that brings it to a loudness, but never a sample beyond full scale."""
        if self.lufs <= FLOOR_LUFS:
            return 1.0
        wanted = float(10 ** ((target_lufs - self.lufs) / 20))
        return min(wanted, 1.0 / max(self.peak, 1e-9))


@dataclass(frozen=True, eq=False)
class SoundShape:
    """``peaks``: (num_bins, 2) float32, lowest and highest sample of each bin."""

    peaks: np.ndarray
    loudness: Loudness
    duration_s: float


def shape_of(path: Path, num_bins: int, cancel: CancelToken | None = None) -> SoundShape:
    """Loudness and waveform of a file. Raises DecodeError, CancelledError."""
    cancel = cancel or CancelToken()
    meter, cells = LoudnessMeter(RATE_HZ), list[np.ndarray]()
    held, num_samples = np.zeros(0, np.float32), 0
    for chunk in audio.decode(path, sample_rate_hz=RATE_HZ, num_channels=2):
        cancel.check()
        meter.add(chunk)
        num_samples += chunk.shape[1]
        held = np.concatenate([held, mono(chunk)])
        num_cells = len(held) // _CELL
        whole = held[: num_cells * _CELL].reshape(-1, _CELL)
        cells.append(np.stack([whole.min(1), whole.max(1)], axis=1))
        held = held[num_cells * _CELL :]
    lows_highs = np.concatenate(cells)
    peaks = np.zeros((num_bins, 2), np.float32)
    if len(lows_highs):
        firsts = np.linspace(0, len(lows_highs), num_bins, endpoint=False).astype(int)
        peaks[:, 0] = np.minimum.reduceat(lows_highs[:, 0], firsts)
        peaks[:, 1] = np.maximum.reduceat(lows_highs[:, 1], firsts)
    return SoundShape(peaks, meter.loudness(), num_samples / RATE_HZ)


def measure(chunks: Iterable[np.ndarray], rate_hz: int) -> Loudness:
    """Of a stream of (num_channels, n) float32."""
    meter = LoudnessMeter(rate_hz)
    for chunk in chunks:
        meter.add(chunk)
    return meter.loudness()


class LoudnessMeter:
    """Integrated loudness of a stream, with gates (ITU-R BS.1770-4, annex 1), by FFmpeg's meter."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._meter: _Ebur128 | None = None
        self._short: np.ndarray | None = None  # all of it, while that is less than a block
        self._peak = 0.0

    def add(self, chunk: np.ndarray) -> None:
        """(num_channels, n) float32, mono or stereo, any n, always as many channels."""
        if not chunk.shape[1]:
            return
        self._peak = max(self._peak, float(np.abs(chunk).max()))
        if self._meter is None:
            held = chunk if self._short is None else np.concatenate([self._short, chunk], axis=1)
            if held.shape[1] < BLOCK_S * self._rate_hz:
                self._short = held
                return
            chunk, self._short = held, None
            self._meter = _Ebur128(self._rate_hz, len(chunk))
        self._meter.add(chunk)

    def loudness(self) -> Loudness:
        """Of all of it; nothing can be added afterwards. Less than a block is measured repeated."""
        if self._short is not None:
            num_times = -(-round(BLOCK_S * self._rate_hz) // self._short.shape[1])
            self.add(np.tile(self._short, num_times))
        lufs = FLOOR_LUFS if self._meter is None else self._meter.integrated()
        return Loudness(max(FLOOR_LUFS, lufs), self._peak)


class _Ebur128:
    """FFmpeg's filter ``ebur128``. A mono song counts as it is heard: from both loudspeakers."""

    def __init__(self, rate_hz: int, num_channels: int) -> None:
        self._rate_hz = rate_hz
        self._layout = {1: "mono", 2: "stereo"}[num_channels]
        graph = Graph()
        self._source = graph.add_abuffer(
            sample_rate=rate_hz,
            format="fltp",
            layout=self._layout,
            time_base=Fraction(1, rate_hz),
        )
        # One message for each 0.1 s is what it says besides; only "quiet" keeps it to itself.
        meter = graph.add("ebur128", metadata="1", dualmono="1", framelog="quiet")
        self._sink = graph.add("abuffersink")
        graph.link_nodes(self._source, meter, self._sink)
        graph.configure()
        self._graph = graph
        self._lufs = FLOOR_LUFS

    def add(self, chunk: np.ndarray) -> None:
        samples = np.ascontiguousarray(chunk, dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "fltp", self._layout)
        frame.sample_rate = self._rate_hz
        self._source.push(frame)
        self._pull()

    def integrated(self) -> float:
        self._source.push(None)
        self._pull()
        return self._lufs

    def _pull(self) -> None:
        with contextlib.suppress(EOFError, av.error.BlockingIOError):  # it needs more first
            while True:
                told = self._sink.pull().metadata.get("lavfi.r128.I")
                if told is not None and math.isfinite(float(told)):
                    self._lufs = float(told)
