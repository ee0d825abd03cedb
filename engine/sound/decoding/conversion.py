"""Decoded sound -> one rate, one layout, pieces of one length, by FFmpeg's filters."""

from __future__ import annotations

import errno

import av
import av.error
from av.filter import Graph
from av.filter.context import FilterContext

# A codec's frames hold some 1,000 samples. Working on them one by one costs as much as decoding.
JOINED_SAMPLES, QUEUED_SAMPLES = 8_192, 16_384


class Converter:
    """For frames of one kind. What goes in comes out some frames later, in longer ones.

    Args:
        like: a frame of those that will come.
        layout: ``mono``, ``stereo`` or that of the frame. piece_samples: length of what comes out.

    Raises av.error.FFmpegError, here and while it works.
    """

    def __init__(
        self, like: av.AudioFrame, sample_rate_hz: int, layout: str, piece_samples: int
    ) -> None:
        self._kind = _kind(like)
        self._graph = Graph()
        self._source = self._graph.add_abuffer(
            sample_rate=like.sample_rate,
            format=like.format.name,
            layout=like.layout.name,
            time_base=like.time_base,
        )
        joined = self._cut(JOINED_SAMPLES)
        converted = self._graph.add(
            "aformat",
            sample_rates=str(sample_rate_hz),
            sample_fmts="fltp",
            channel_layouts=layout,
        )
        self._sink = self._graph.add("abuffersink")
        cut = self._cut(piece_samples)
        self._graph.link_nodes(self._source, joined, converted, cut, self._sink)
        self._graph.configure()
        self._num_queued = 0

    def _cut(self, num_samples: int) -> FilterContext:
        return self._graph.add("asetnsamples", nb_out_samples=str(num_samples), pad="0")

    def takes(self, frame: av.AudioFrame) -> bool:
        """Whether it is of the same kind as the others."""
        return self._kind == _kind(frame)

    def convert(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        """What has become complete by it: mostly nothing."""
        self._source.push(frame)
        self._num_queued += frame.samples
        return self._pull() if self._num_queued >= QUEUED_SAMPLES else []

    def rest(self) -> list[av.AudioFrame]:
        """The end of it. Nothing can be converted afterwards."""
        self._source.push(None)
        return self._pull()

    def _pull(self) -> list[av.AudioFrame]:
        self._num_queued = 0
        pulled = list[av.AudioFrame]()
        while True:
            try:
                frame = self._sink.pull()
            except EOFError:
                return pulled
            except av.error.FFmpegError as error:
                if error.errno == errno.EAGAIN:  # it needs more first
                    return pulled
                raise
            assert isinstance(frame, av.AudioFrame)
            pulled.append(frame)


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
