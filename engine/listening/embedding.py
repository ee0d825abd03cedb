"""A stream of sound -> the embedding of a track: segments, gate, excerpts, mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from engine import separation
from engine.errors import SilentError, TooShortError
from engine.library.records import TrackEmbedding, View
from engine.models import (
    SAMPLE_RATE_HZ,
    SEGMENT_S,
    SEGMENT_SAMPLES,
    VoiceModel,
    segment_weights,
)
from engine.progress import CancelToken
from engine.separation import SAMPLE_RATE_HZ as SEPARATION_RATE_HZ
from engine.separation import Separator
from engine.sound.audio import decode

# CVSM: a segment has vocals when the mean magnitude of its separated vocals exceeds this.
VOCAL_GATE = 0.01
# Quieter than one step of 16-bit audio: silence, whatever the noise floor of the decoder.
SILENCE = 1 / 32768
MIN_DURATION_S = 1.0
SEGMENTS_PER_BATCH = 64  # a request to stop waits for one batch at most
# The view ``overall`` of long sound is heard through a part of its excerpts: every other one from
# this many segments (80 s) on, every third from twice as many. There are always 48 or more of them;
# singers are told apart as well as by all (docs/performance.md), in a third of the time.
LONG_SEGMENTS, MAX_EVERY = 16, 3


def embed_file(
    path: Path,
    model: VoiceModel,
    view: View,
    *,
    separator: Separator | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    cancel: CancelToken | None = None,
    on_decoded: Callable[[float], None] = lambda seconds: None,
    on_hash: Callable[[str], None] = lambda audio_hash: None,
) -> TrackEmbedding | None:
    """The embedding of a file, or of a part of it.

    Args:
        separator: cuts out the vocals for the view ``vocals``; None: the file holds nothing but
            vocals already. Not used for ``overall``.
        on_decoded: told the length of each chunk, in seconds, as it comes out of the decoder.
        on_hash: told the identity of the sound of a whole file (``engine.sound.audio.audio_hash``).

    Returns:
        None when the view is ``vocals`` and nobody sings (no segment passes the gate).

    Raises:
        DecodeError, TooShortError, SilentError, SeparatorError, CancelledError.
    """
    needs_separation = view == "vocals" and separator is not None
    rate_hz, num_channels = (SEPARATION_RATE_HZ, 2) if needs_separation else (SAMPLE_RATE_HZ, 1)

    def decoded() -> Iterator[np.ndarray]:
        for chunk in decode(
            path,
            sample_rate_hz=rate_hz,
            num_channels=num_channels,
            start_s=start_s,
            end_s=end_s,
            cancel=cancel,
            on_hash=on_hash,
        ):
            on_decoded(chunk.shape[1] / rate_hz)
            yield chunk

    if needs_separation:
        assert separator is not None
        chunks = separation.voice(separator, decoded(), cancel)
    else:
        chunks = (chunk[0] for chunk in decoded())
    return embed_stream(chunks, model, view, cancel)


def embed_stream(
    chunks: Iterable[np.ndarray],
    model: VoiceModel,
    view: View,
    cancel: CancelToken | None = None,
) -> TrackEmbedding | None:
    """Chunks (n,) float32 at 16 kHz -> embedding; None when nobody sings (view ``vocals``).

    Sound is cut into segments of 5 s over its whole length, the remainder being left out
    (CVSM.md, front end); what is shorter than a segment is repeated until it fills one.
    """
    cancel = cancel or CancelToken()
    gate = VOCAL_GATE if view == "vocals" else SILENCE
    embeddings, weights, starts_s = [], [], []
    loudest = 0.0
    for first, segments in segment_batches(chunks):
        cancel.check()
        level = np.abs(segments).mean(1)
        loudest = max(loudest, float(level.max()))
        heard = level > gate
        if heard.any():
            every = every_for(first + len(segments)) if view == "overall" else 1
            embeddings.append(model.embed_segments(segments[heard], every))
            weights.append(segment_weights(segments[heard], view))
            starts_s.append((first + np.flatnonzero(heard)) * SEGMENT_S)
    if embeddings:
        segment_embeddings = np.concatenate(embeddings)
        return TrackEmbedding(
            model.track_vector(segment_embeddings, np.concatenate(weights), view),
            model.moment_codes(segment_embeddings, np.concatenate(starts_s), view),
        )
    if view == "overall" or loudest <= 0.0:
        raise SilentError("Nothing can be heard in this file: it is silent from end to end.")
    return None


def every_for(num_segments: int) -> int:
    """Every how many excerpts are heard of the whole sound of so many segments."""
    return min(MAX_EVERY, 1 + num_segments // LONG_SEGMENTS)


def segment_batches(chunks: Iterable[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """(index of first segment, (n, SEGMENT_SAMPLES) float32), n at most SEGMENTS_PER_BATCH.

    Raises TooShortError below MIN_DURATION_S.
    """
    held = np.zeros(0, np.float32)
    first = 0
    for chunk in chunks:
        held = np.concatenate([held, chunk])
        num_whole = len(held) // SEGMENT_SAMPLES
        if num_whole >= SEGMENTS_PER_BATCH:
            yield first, held[: num_whole * SEGMENT_SAMPLES].reshape(num_whole, -1)
            held = held[num_whole * SEGMENT_SAMPLES :]
            first += num_whole
    if first == 0 and len(held) < MIN_DURATION_S * SAMPLE_RATE_HZ:
        tenths = 10 * len(held) // SAMPLE_RATE_HZ  # rounded down: 0.99 s is not enough
        raise TooShortError(
            f"There is only {tenths / 10:.1f} s of sound; a voice can be compared from "
            f"{MIN_DURATION_S:.0f} s on."
        )
    if first == 0 and len(held) < SEGMENT_SAMPLES:
        held = np.resize(held, SEGMENT_SAMPLES)
    num_whole = len(held) // SEGMENT_SAMPLES
    if num_whole:
        yield first, held[: num_whole * SEGMENT_SAMPLES].reshape(num_whole, -1)
