"""FFmpeg's meter of loudness."""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction

import av
import av.error
import numpy as np
from av.filter import Graph

from engine.sound.loudness import FLOOR_LUFS, Loudness


class LoudnessMeter:
    """Integrated loudness of a stereo stream, with gates (ITU-R BS.1770-4, annex 1), by FFmpeg's
    filter ``ebur128``. Less than 0.4 s of sound has none.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz, self._peak, self._lufs = rate_hz, 0.0, FLOOR_LUFS
        self._graph = Graph()  # lives as long as its filters are used
        self._source = self._graph.add_abuffer(
            sample_rate=rate_hz, format="fltp", layout="stereo", time_base=Fraction(1, rate_hz)
        )
        # One message for each 0.1 s is what it says besides; only "quiet" keeps it to itself.
        meter = self._graph.add("ebur128", metadata="1", framelog="quiet")
        self._sink = self._graph.add("abuffersink")
        self._graph.link_nodes(self._source, meter, self._sink).configure()

    def add(self, chunk: np.ndarray) -> None:
        """(2, n) float32, any n."""
        self._peak = max(self._peak, float(np.abs(chunk).max()))
        samples = np.ascontiguousarray(chunk, np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
        frame.sample_rate = self._rate_hz
        self._source.push(frame)
        self._pull()

    def loudness(self) -> Loudness:
        """Of all of it; nothing can be added afterwards."""
        self._source.push(None)
        self._pull()
        return Loudness(max(FLOOR_LUFS, self._lufs), self._peak)

    def _pull(self) -> None:
        with contextlib.suppress(EOFError, av.error.BlockingIOError):  # it needs more first
            while True:
                told = self._sink.pull().metadata.get("lavfi.r128.I")
                if told is not None and math.isfinite(float(told)):
                    self._lufs = float(told)
