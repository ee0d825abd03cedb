"""Speech to singing: syllables of a spoken voice stretched onto notes (after Saitou et al. 2007).

Vowels take the length of their note, consonants keep their own; the pitch is the score's, with
glides, overshoot, vibrato and drift. Formants stay what they are, whatever the pitch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyworld
from scipy.ndimage import gaussian_filter1d
from scipy.signal import bilinear, lfilter, lfilter_zi

from engine.models.segments import SAMPLE_RATE_HZ
from training.material.melody import Note
from training.material.voice import FRAME_S, Syllable, Voice, hz_of

_FLATNESS = 0.7  # how much of a spoken vowel's swell and decay is taken out
_MAX_CONSONANT_SHARE = 0.5  # of the time from vowel to vowel
_RELEASE_S = 0.08
_SHAKE_CENTS = 1.7
_RMS = 0.08


@dataclass(frozen=True)
class Manner:
    """How a song is sung; drawn for each song, so that it says nothing about who sings."""

    vibrato_hz: float
    vibrato_cents: float
    vibrato_delay_s: float
    glide_rad_s: float
    damping: float
    drift_cents: float
    scoop_semitones: float
    tilt_db: float
    breath_db: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Manner:
        return cls(
            vibrato_hz=rng.uniform(4.6, 6.8),
            vibrato_cents=rng.uniform(5, 75),
            vibrato_delay_s=rng.uniform(0.1, 0.45),
            glide_rad_s=rng.uniform(32, 75),
            damping=rng.uniform(0.6, 1.0),
            drift_cents=rng.uniform(1.2, 4.2),
            scoop_semitones=rng.uniform(0.0, 1.5),
            tilt_db=rng.normal(0.0, 0.8),
            breath_db=rng.uniform(-44, -26),
        )


@dataclass
class _Track:
    """Per output frame: which frame of the speech sounds, how loud, and whether with pitch."""

    source: np.ndarray
    gain_db: np.ndarray
    is_sung: np.ndarray

    @classmethod
    def silent(cls, num_frames: int) -> _Track:
        return cls(
            np.full(num_frames, np.nan), np.full(num_frames, np.nan), np.zeros(num_frames, bool)
        )

    def fill(self, start: int, end: int, first: float, last: float) -> None:
        """Frames [start, end) run through the speech from ``first`` to ``last``."""
        inside = slice(max(start, 0), max(min(end, len(self.source)), 0))
        self.source[inside] = np.linspace(first, last, max(end - start, 0), endpoint=False)[
            inside.start - start : inside.stop - start
        ]


def sing(
    voice: Voice, notes: Sequence[Note], rng: np.random.Generator, length_s: float
) -> np.ndarray:
    """(n,) float32 at 16 kHz. The words begin at a random syllable and go round."""
    manner = Manner.draw(rng)
    num_frames = round(length_s / FRAME_S)
    first = int(rng.integers(len(voice.syllables)))
    words = [voice.syllables[(first + i) % len(voice.syllables)] for i in range(len(notes))]
    track = _laid_out(voice, notes, words, rng, num_frames)
    f0_hz = hz_of(pitch_contour(notes, manner, rng, num_frames))
    envelope, aperiodicity = _spectra(voice, track, notes, manner, rng)
    source = np.nan_to_num(track.source).round().astype(int)
    is_voiced = track.is_sung | (voice.is_voiced[source] & ~np.isnan(track.source))
    samples = pyworld.synthesize(
        np.where(is_voiced, f0_hz, 0.0), envelope, aperiodicity, SAMPLE_RATE_HZ, 1000 * FRAME_S
    )[: round(length_s * SAMPLE_RATE_HZ)]
    loud = np.sqrt(np.mean(np.square(samples[np.abs(samples) > 1e-4])))
    return np.asarray(samples * (_RMS / max(float(loud), 1e-9)), dtype=np.float32)


def _laid_out(
    voice: Voice,
    notes: Sequence[Note],
    words: Sequence[Syllable],
    rng: np.random.Generator,
    num_frames: int,
) -> _Track:
    """Which frame of the speech sounds when; vowels at the level of their notes."""
    track = _Track.silent(num_frames)
    levels = np.array([voice.level_db[w.core_start : w.core_end].mean() for w in words])
    gains = np.array([note.loudness_db for note in notes]) - levels
    gains = np.clip(gains, np.median(gains) - 10, np.median(gains) + 10)
    is_first = True
    for i, (note, word) in enumerate(zip(notes, words, strict=True)):
        start = _frame(note.start_s)
        if is_first:
            onset = word.core_start - word.start
            track.fill(start - onset, start, word.start, word.core_start)
        following = None if note.is_last else words[i + 1]
        core_end = _consonants(track, start, _frame(note.end_s), word, following)
        _stretch(track, start, core_end, word, rng)
        flat = _FLATNESS * (levels[i] - voice.level_db[_whole(track.source[start:core_end])])
        track.gain_db[start:core_end] = gains[i] + gaussian_filter1d(flat, 4.0)
        is_first = note.is_last
    known = np.flatnonzero(~np.isnan(track.gain_db))
    track.gain_db = np.interp(np.arange(num_frames), known, track.gain_db[known])
    return track


def _consonants(
    track: _Track, start: int, end: int, word: Syllable, following: Syllable | None
) -> int:
    """Those after a vowel and before the next, at their own pace; where the vowel has to end."""
    coda = word.end - word.core_end
    onset = 0 if following is None else following.core_start - following.start
    squeeze = min(1.0, _MAX_CONSONANT_SHARE * (end - start) / max(coda + onset, 1))
    coda, onset = round(squeeze * coda), round(squeeze * onset)
    track.fill(end - onset - coda, end - onset, word.core_end, word.end)
    if following is not None:
        track.fill(end - onset, end, following.start, following.core_start)
    return end - onset - coda


def _stretch(track: _Track, start: int, end: int, word: Syllable, rng: np.random.Generator) -> None:
    """A vowel over [start, end): forwards on the whole, to and fro on the way, never frozen."""
    num_frames, length = end - start, word.core_end - word.core_start
    share = (np.arange(num_frames) + 0.5) / num_frames
    wander = _slow_noise(rng, num_frames, 12.0)
    amount = 0.09 * min(1.0, max(0.0, num_frames / length - 1.0)) * np.sin(np.pi * share)
    position = np.clip(share + amount * wander, 0.0, 1.0)
    track.source[start:end] = word.core_start + position * (length - 1)
    track.is_sung[start:end] = True


def pitch_contour(
    notes: Sequence[Note], manner: Manner, rng: np.random.Generator, num_frames: int
) -> np.ndarray:
    """(num_frames,) semitones: steps smoothed by a second-order system, vibrato, drift."""
    steps = np.full(num_frames, notes[0].midi)
    for before, note in zip([None, *notes], notes, strict=False):
        start = _frame(note.start_s - 0.03)
        steps[start:] = note.midi
        if before is None or before.is_last:  # from below into the first note of a phrase
            steps[max(start - 20, 0) : start + 8] = note.midi - manner.scoop_semitones
    w = manner.glide_rad_s
    b, a = bilinear([w * w], [1.0, 2 * manner.damping * w, w * w], 1 / FRAME_S)
    glided, _ = lfilter(b, a, steps, zi=lfilter_zi(b, a) * steps[0])
    drift = manner.drift_cents * _slow_noise(rng, num_frames, 20.0)
    shake = _SHAKE_CENTS * _slow_noise(rng, num_frames, 1.5)
    cents = drift + shake + _vibrato(notes, manner, rng, num_frames)
    return np.asarray(glided + cents / 100.0)


def _vibrato(
    notes: Sequence[Note], manner: Manner, rng: np.random.Generator, num_frames: int
) -> np.ndarray:
    depth = np.zeros(num_frames)
    for note in notes:
        start, end = _frame(note.start_s + manner.vibrato_delay_s), _frame(note.end_s)
        if end - start > 40:
            depth[start:end] = np.minimum(1.0, np.arange(end - start)[: num_frames - start] / 60)
    unsteady = 1 + 0.034 * _slow_noise(rng, num_frames, 30.0)
    phase = 2 * np.pi * np.cumsum(manner.vibrato_hz * unsteady) * FRAME_S
    return np.asarray(manner.vibrato_cents * gaussian_filter1d(depth, 4.0) * np.sin(phase))


def _spectra(
    voice: Voice,
    track: _Track,
    notes: Sequence[Note],
    manner: Manner,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Power envelope and aperiodicity, (n, bins) float64 each; breath before the phrases."""
    position = np.nan_to_num(track.source)
    lower = np.minimum(position.astype(int), len(voice.log_envelope) - 2)
    share = np.clip(position - lower, 0, 1)[:, None].astype(np.float32)
    log_envelope = voice.log_envelope[lower] * (1 - share) + voice.log_envelope[lower + 1] * share
    aperiodicity = voice.aperiodicity[lower] * (1 - share) + voice.aperiodicity[lower + 1] * share
    octaves = _octaves_above_1_khz(log_envelope.shape[1])
    # louder is brighter: about a quarter dB an octave for each dB
    tilt = manner.tilt_db + 0.25 * _loudness_contour(notes, len(position))
    gain_db = track.gain_db + _fades_db(~np.isnan(track.source))
    log_envelope += (np.log(10) / 10) * (gain_db[:, None] + tilt[:, None] * octaves)
    breath = _breath(voice, octaves)
    for before, note in zip([None, *notes], notes, strict=False):
        if (before is None or before.is_last) and rng.random() < 0.7:
            _inhale(log_envelope, aperiodicity, breath, manner.breath_db, _frame(note.start_s), rng)
    silent = np.isnan(track.source)
    aperiodicity[silent] = 1.0
    return np.exp(log_envelope.astype(np.float64)), aperiodicity.astype(np.float64)


def _breath(voice: Voice, octaves: np.ndarray) -> np.ndarray:
    """The voice's mean spectrum, smoothed and brightened, at 0 dB of the song's level."""
    mean = gaussian_filter1d(voice.log_envelope[voice.is_voiced].mean(axis=0), 12.0)
    level = voice.level_db[voice.is_voiced].mean() * np.log(10) / 10
    return np.asarray(mean - level + 0.6 * octaves)


def _inhale(
    log_envelope: np.ndarray,
    aperiodicity: np.ndarray,
    breath: np.ndarray,
    level_db: float,
    phrase_start: int,
    rng: np.random.Generator,
) -> None:
    end = phrase_start - 40
    start = max(0, end - int(rng.uniform(40, 70)))
    if end - start < 20:
        return
    swell = 20 * np.log10(np.sin(np.pi * (np.arange(end - start) + 0.5) / (end - start)))
    breathing = breath + (np.log(10) / 10) * (level_db + swell[:, None])
    log_envelope[start:end] = np.logaddexp(log_envelope[start:end], breathing)
    aperiodicity[start:end] = 1.0


def _loudness_contour(notes: Sequence[Note], num_frames: int) -> np.ndarray:
    contour = np.zeros(num_frames)
    for note in notes:
        contour[_frame(note.start_s) :] = note.loudness_db
    return np.asarray(gaussian_filter1d(contour, 8.0))


def _fades_db(sounds: np.ndarray) -> np.ndarray:
    """0 where the voice sounds, down to -90 dB outside, quickly at the start, slower at the end."""
    attack = gaussian_filter1d(sounds.astype(float), 2.0)
    release = gaussian_filter1d(sounds.astype(float), _RELEASE_S / FRAME_S / 3)
    inside = np.minimum(attack, release) * sounds
    return np.asarray(20 * np.log10(np.clip(2 * inside, 10**-4.5, 1.0)))


def _octaves_above_1_khz(num_bins: int) -> np.ndarray:
    hz = np.linspace(0, SAMPLE_RATE_HZ / 2, num_bins)
    return np.asarray(np.log2(np.clip(hz, 250.0, None) / 1000.0).astype(np.float32))


def _slow_noise(rng: np.random.Generator, num_frames: int, smoothness: float) -> np.ndarray:
    """Gaussian noise of standard deviation 1 without what is faster than ``smoothness`` frames."""
    noise = gaussian_filter1d(rng.standard_normal(num_frames), smoothness)
    return np.asarray(noise * np.sqrt(2 * np.sqrt(np.pi) * smoothness))


def _whole(source: np.ndarray) -> np.ndarray:
    return np.asarray(source.round().astype(int))


def _frame(time_s: float) -> int:
    return max(0, round(time_s / FRAME_S))
