"""A stream of sound -> the embeddings of a track: segments, gate, excerpts, mean.

One path for the library, queries, training and evaluation. Whenever the sound that reaches the
networks changes, ``LISTENING_VERSION`` is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from engine import separation
from engine.errors import CheckpointError, SilentError, TooShortError
from engine.listening.portrait import PortraitSampler
from engine.models.model import Model
from engine.models.segments import SAMPLE_RATE_HZ, SEGMENT_S, SEGMENT_SAMPLES, segment_weights
from engine.preferences import Voices
from engine.progress import CancelToken
from engine.records import TrackEmbedding, View, VoicePortrait
from engine.separation import SAMPLE_RATE_HZ as SEPARATION_RATE_HZ
from engine.separation import Separator
from engine.sound.audio import decode
from engine.sound.channels import mono

# CVSM: a segment has vocals when the mean magnitude of its separated vocals exceeds this.
VOCAL_GATE = 0.01
# Quieter than one step of 16-bit audio: silence, whatever the noise floor of the decoder.
SILENCE = 1 / 32768
MIN_DURATION_S = 1.0
SEGMENTS_PER_BATCH = 64  # a request to stop waits for one batch at most
# Whole songs are heard through a part of each segment: half of its sound from this many segments
# (80 s) on, a third from twice as many. Singers are told apart as well as by all of it
# (docs/results.md), in a third of the time.
LONG_SEGMENTS, MAX_EVERY = 16, 3
# A segment is left to hear where its voice has so much of the mixture's level (rms), and a song
# where so many segments are (docs/results.md: who sings).
SUNG_SHARE, SUNG_SEGMENTS = 0.3, 0.35
SILENT = "Nothing can be heard in this file: it is silent from end to end."


class Part(TypedDict, total=False):
    """Which part of a file is heard, and who is told on the way.

    Attributes:
        start_s, end_s: of the part; by default all of the file.
        on_decoded: told the length of each chunk, in seconds, as it comes out of the decoder.
        on_hash: told the identity of the sound of a whole file (``engine.sound.audio.audio_hash``).
    """

    start_s: float
    end_s: float | None
    cancel: CancelToken | None
    on_decoded: Callable[[float], None]
    on_hash: Callable[[str], None]


def embed_file(
    path: Path,
    model: Model,
    view: View,
    *,
    separator: Separator | None = None,
    voices: Voices = "fine",
    **part: Unpack[Part],
) -> TrackEmbedding | None:
    """The embedding of a file, or of a part of it.

    Args:
        separator: cuts out the vocals for the view ``vocals``; None: the file holds nothing but
            vocals already. Not used for ``overall``.
        voices: ``fast``: a voice is heard through the song; nothing is separated.

    Returns:
        None when the view is ``vocals`` and nobody sings. Models that know who sings tell it from
        the whole song; where the separator leaves next to nothing of the voice, it is heard in the
        song, too. With other models it is nobody who sings then.

    Raises:
        DecodeError, TooShortError, SilentError, SeparatorError, CancelledError; CheckpointError
        where a model cannot hear voices as it should.
    """
    if view == "overall" or voices == "fast":
        if view == "vocals":
            check_hears_songs(model)
        return embed_song(path, {view: model}, **part)[view]
    if separator is None:
        voice = _decoded(path, SAMPLE_RATE_HZ, 1, **part)
        return embed_vocals((chunk[0] for chunk in voice), model, part.get("cancel"))
    if model.singing is None:
        return _embed_separated(path, model, separator, **part)
    whole = embed_song(path, {view: model}, **part)[view]
    if whole is None:
        return None
    again: Part = {**part, "on_decoded": lambda seconds: None, "on_hash": lambda audio_hash: None}
    return _embed_separated(path, model, separator, **again) or replace(whole, is_inseparable=True)


def embed_voice(
    path: Path, model: Model, separator: Separator, **part: Unpack[Part]
) -> TrackEmbedding | None:
    """The same as ``embed_file``, of a song in which the model has heard somebody sing already."""
    found = _embed_separated(path, model, separator, **part)
    if found is None and model.singing is not None:
        whole = embed_song(path, {"vocals": model}, cancel=part.get("cancel"))["vocals"]
        return whole and replace(whole, is_inseparable=True)
    return found


def _embed_separated(
    path: Path, model: Model, separator: Separator, **part: Unpack[Part]
) -> TrackEmbedding | None:
    """None where too little of a voice is left to hear it by."""
    levels, cancel = MixtureLevels(), part.get("cancel")
    stereo = levels.noted(_decoded(path, SEPARATION_RATE_HZ, 2, **part))
    return embed_vocals(separation.voice(separator, stereo, cancel), model, cancel, levels)


def embed_song(
    path: Path, models: Mapping[View, Model], **part: Unpack[Part]
) -> dict[View, TrackEmbedding | None]:
    """What can be heard of a song, or of a part of it, without separation, in some views.

    The song is decoded once, and a model that serves both views, or is part of another one, hears
    it once. The voice is marked ``from_mixture``; its model must pass ``check_hears_songs``. None
    where nobody sings, as far as the model knows. Raises what ``embed_file`` raises.
    """
    cancel = part.get("cancel") or CancelToken()
    heard = _Heard(models.values(), "overall")
    song = _decoded(path, SAMPLE_RATE_HZ, 1, **part)
    for first, segments in segment_batches(chunk[0] for chunk in song):
        cancel.check()
        heard.add(first, segments)
    if not heard.starts_s:
        raise SilentError(SILENT)
    found: dict[View, TrackEmbedding | None] = {}
    for view, model in models.items():
        is_voice, singing = view == "vocals", model.singing
        if is_voice and singing is not None and not singing.is_sung(heard.segments(model)):
            found[view] = None
        else:
            found[view] = replace(heard.embedding(model, view), from_mixture=is_voice)
    return found


def check_hears_songs(model: Model) -> None:
    """CheckpointError where a model cannot hear voices through accompaniments."""
    if not model.hears_voices_in_mixtures:
        raise CheckpointError(
            f"{model.name} cannot hear voices through accompaniments. Choose fine voices, which "
            "are separated first, or another model."
        )


def check_serves(model: Model, view: View) -> None:
    """CheckpointError where a model is of no use for a view."""
    if view not in model.serves:
        raise CheckpointError(
            f"{model.name} hears more than a voice, so it cannot compare voices alone. Choose it "
            "for the whole sound, and another one for voices."
        )


def _decoded(
    path: Path,
    rate_hz: int,
    num_channels: int,
    *,
    on_decoded: Callable[[float], None] = lambda seconds: None,
    **part: Any,
) -> Iterator[np.ndarray]:
    """(num_channels, n) float32, each told of as it comes; ``part`` as ``decode`` takes it."""
    for chunk in decode(path, sample_rate_hz=rate_hz, num_channels=num_channels, **part):
        on_decoded(chunk.shape[1] / rate_hz)
        yield chunk


def embed_vocals(
    chunks: Iterable[np.ndarray],
    model: Model,
    cancel: CancelToken | None = None,
    mixture: MixtureLevels | None = None,
) -> TrackEmbedding | None:
    """Vocals, chunks (n,) float32 at 16 kHz -> embedding; None when nobody sings.

    Sound is cut into segments of 5 s over its whole length, the remainder being left out
    (CVSM.md, front end); what is shorter than a segment is repeated until it fills one.
    ``mixture``: how loud the song was from which the vocals were separated.
    """
    cancel = cancel or CancelToken()
    heard = _Heard([model], "vocals")
    loudest, rms, sampler = 0.0, list[float](), PortraitSampler()
    for first, segments in segment_batches(chunks):
        cancel.check()
        loudest = max(loudest, float(np.abs(segments).mean(1).max()))
        rms.extend(np.sqrt(np.square(segments).mean(1)).tolist())
        heard.add(first, segments)
        sampler.add(segments, is_voiced(segments))
    if heard.starts_s and (mixture is None or mixture.is_sung(np.array(rms))):
        return replace(heard.embedding(model, "vocals"), portrait=sampler.portrait())
    if loudest <= 0.0:
        raise SilentError(SILENT)
    return None


def portrait_of_file(
    path: Path, *, is_vocals: bool = False, cancel: CancelToken | None = None
) -> VoicePortrait | None:
    """Of the voice in any file; None where too little is sung. ``is_vocals``: it is alone.

    Raises DecodeError, TooShortError, SeparatorError, CancelledError.
    """
    if is_vocals:
        alone = decode(path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=1, cancel=cancel)
        voice: Iterator[np.ndarray] = (chunk[0] for chunk in alone)
    else:
        separator = separation.load(separation.default_name())
        song = decode(path, sample_rate_hz=SEPARATION_RATE_HZ, num_channels=2, cancel=cancel)
        voice = separation.voice(separator, song, cancel)
    sampler = PortraitSampler()
    for _, segments in segment_batches(voice):
        sampler.add(segments, is_voiced(segments))
    return sampler.portrait()


def is_voiced(segments: np.ndarray) -> np.ndarray:
    """(n, num_samples) of vocals -> (n,) bool: which of them pass the paper's gate."""
    return np.asarray(np.abs(segments).mean(1) > VOCAL_GATE)


class MixtureLevels:
    """How loud each segment of a song is, noted while it is on its way to the separator.

    A fixed level of the separated voice cannot tell a singer from what a separator leaves of a
    band: it heard a voice in 19 of 60 accompaniments without their singers.
    """

    def __init__(self) -> None:
        self._squares = list[float]()  # of each second, which a segment holds five of
        self._rest = np.zeros(0, np.float32)

    def noted(self, chunks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """(2, n) float32 at 44.1 kHz, as they come."""
        for chunk in chunks:
            samples = np.concatenate([self._rest, mono(chunk)])
            whole = len(samples) // SEPARATION_RATE_HZ * SEPARATION_RATE_HZ
            seconds = samples[:whole].reshape(-1, SEPARATION_RATE_HZ)
            self._squares.extend(np.square(seconds).mean(1).tolist())
            self._rest = samples[whole:]
            yield chunk

    def is_sung(self, vocals_rms: np.ndarray) -> bool:
        """(n,) of the separated segments: whether enough of them hold a voice to speak of."""
        per_segment = round(SEGMENT_S)
        num = min(len(vocals_rms), len(self._squares) // per_segment)
        if num == 0:  # shorter than a segment
            return True
        squares = np.reshape(self._squares[: num * per_segment], (num, per_segment))
        mixture_rms = np.sqrt(squares.mean(1))
        is_sung = vocals_rms[:num] > SUNG_SHARE * np.maximum(mixture_rms, SILENCE)
        return bool(is_sung.mean() >= SUNG_SEGMENTS)


class _Heard:
    """Embeddings of the segments of one song that pass a gate, by all parts of some models.

    ``view``: ``vocals`` of sound that is a voice alone, ``overall`` of a whole song.
    """

    def __init__(self, models: Iterable[Model], view: View) -> None:
        self._view = view
        self._gate = VOCAL_GATE if view == "vocals" else SILENCE
        self._parts = {part.sha256: part for model in models for part in model.parts}
        self._embeddings: dict[str, list[np.ndarray]] = {sha256: [] for sha256 in self._parts}
        self._weights = list[np.ndarray]()
        self.starts_s = list[np.ndarray]()

    def add(self, first: int, segments: np.ndarray) -> None:
        """(n, SEGMENT_SAMPLES), of which the first is segment ``first`` of the song."""
        passes = np.abs(segments).mean(1) > self._gate
        if not passes.any():
            return
        every = every_for(first + len(segments)) if self._view == "overall" else 1
        for sha256, part in self._parts.items():
            self._embeddings[sha256].append(part.embed_segments(segments[passes], every))
        self._weights.append(segment_weights(segments[passes], self._view))
        self.starts_s.append((first + np.flatnonzero(passes)) * SEGMENT_S)

    def segments(self, model: Model) -> np.ndarray:
        """(n, dim) of those that pass."""
        of_parts = [np.concatenate(self._embeddings[part.sha256]) for part in model.parts]
        return np.concatenate(of_parts, axis=1)

    def embedding(self, model: Model, view: View) -> TrackEmbedding:
        embeddings = self.segments(model)
        weights, starts_s = np.concatenate(self._weights), np.concatenate(self.starts_s)
        return TrackEmbedding(
            model.track_vector(embeddings, weights, view),
            model.moment_codes(embeddings, starts_s, view),
            tags=model.tags(embeddings),
        )


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
