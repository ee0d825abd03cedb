"""Decoded sound -> one rate, one format, pieces of one length, by FFmpeg's filters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import av
import av.error
from av.filter import Graph

# A codec's frames hold some 1,000 samples. Working on them one by one costs as much as decoding.
JOINED_SAMPLES, QUEUED_SAMPLES = 8_192, 16_384


def converted(
    frames: Iterable[av.AudioFrame], sample_rate_hz: int, piece_samples: int
) -> Iterator[av.AudioFrame]:
    """Packed float32, as many channels as there are. Raises av.error.FFmpegError.

    Frames may change their kind on the way (chained Ogg, radio captures, MP3s that were joined).
    """
    for _, alike in itertools.groupby(frames, _kind):
        yield from _converted(alike, sample_rate_hz, piece_samples)


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _converted(
    frames: Iterator[av.AudioFrame], sample_rate_hz: int, piece_samples: int
) -> Iterator[av.AudioFrame]:
    first = next(frames)
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=first.sample_rate,
        format=first.format.name,
        layout=first.layout.name,
        time_base=first.time_base,
    )
    joined = graph.add("asetnsamples", nb_out_samples=str(JOINED_SAMPLES), pad="0")
    one_kind = graph.add("aformat", sample_rates=str(sample_rate_hz), sample_fmts="flt")
    cut = graph.add("asetnsamples", nb_out_samples=str(piece_samples), pad="0")
    graph.link_nodes(source, joined, one_kind, cut, graph.add("abuffersink")).configure()
    num_queued = 0
    for frame in itertools.chain([first], frames):
        graph.push(frame)
        num_queued += frame.samples
        if num_queued >= QUEUED_SAMPLES:
            num_queued = 0
            yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[av.AudioFrame]:
    """What has become complete."""
    while True:
        try:
            frame = graph.pull()
        except (EOFError, av.error.BlockingIOError):  # it needs more first
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame
