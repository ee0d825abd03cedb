"""Melodies to sing: phrases of notes in a key, drawn by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SCALES = (
    (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10),
    (0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 4, 5, 7, 9, 10),
)  # fmt: skip
_RHYTHMS = (  # beats
    (1.0, 1.0, 2.0), (1.0, 1.0, 1.0, 1.0), (1.5, 0.5, 1.0, 1.0), (0.5, 0.5, 1.0, 2.0),
    (1.0, 0.5, 0.5, 2.0), (2.0, 2.0), (1.5, 0.5, 2.0), (0.5, 0.5, 0.5, 0.5, 1.0, 1.0),
    (3.0, 1.0), (0.5, 1.0, 0.5, 2.0), (1.0, 3.0), (0.75, 0.25, 1.0, 2.0),
)  # fmt: skip
_CADENCES = ((4.0,), (3.0,), (1.0, 3.0), (0.5, 0.5, 3.0), (1.5, 2.5))
_MIN_NOTE_S = 0.2


@dataclass(frozen=True)
class Note:
    """One syllable to sing.

    Attributes:
        start_s: where its vowel begins.
        end_s: where the next syllable, or the silence after the phrase, begins.
        midi: semitones, 69 = 440 Hz.
        loudness_db: relative to the song's mean.
        is_last: of its phrase; a breath follows.
    """

    start_s: float
    end_s: float
    midi: float
    loudness_db: float
    is_last: bool


def compose(rng: np.random.Generator, centre_midi: float, length_s: float) -> list[Note]:
    """Phrases about ``centre_midi``, at most an octave wide, until ``length_s`` is filled."""
    beat_s = 60.0 / float(rng.uniform(68, 126))
    scale = np.array(_SCALES[rng.integers(len(_SCALES))])
    key = int(rng.integers(12))
    pitches = (np.arange(11)[:, None] * 12 + scale + key).ravel()
    pitches = pitches[np.abs(pitches - centre_midi) <= 6.0]
    notes: list[Note] = []
    start_s = 0.35
    while start_s < length_s - 1.2:
        phrase = _phrase(rng, pitches, centre_midi, start_s, beat_s, length_s - 0.3)
        notes += phrase
        start_s = phrase[-1].end_s + max(0.35, float(rng.choice([0.5, 1.0])) * beat_s)
    return notes


def _phrase(
    rng: np.random.Generator,
    pitches: np.ndarray,
    centre_midi: float,
    start_s: float,
    beat_s: float,
    limit_s: float,
) -> list[Note]:
    bars = [_RHYTHMS[rng.integers(len(_RHYTHMS))] for _ in range(int(rng.integers(1, 3)))]
    rhythm = [*np.concatenate(bars), *_CADENCES[rng.integers(len(_CADENCES))]]
    peak = float(rng.uniform(0.3, 0.8))  # phrases swell towards a point and sink again
    wish = centre_midi + float(rng.uniform(-4, 4))
    notes: list[Note] = []
    time_s = start_s
    for number, beats in enumerate(rhythm):
        end_s = min(time_s + max(_MIN_NOTE_S, beats * beat_s), limit_s)
        is_last = number == len(rhythm) - 1 or limit_s - end_s < 2 * _MIN_NOTE_S
        wish += float(rng.normal(0.0, 2.6)) + 0.25 * (centre_midi - wish)
        midi = float(pitches[np.argmin(np.abs(pitches - wish))])
        arc = 1.0 - abs(number / len(rhythm) - peak)
        loudness_db = 5.0 * (arc - 0.7) + 0.35 * (midi - centre_midi) + float(rng.normal(0, 1.2))
        notes.append(Note(time_s, end_s, midi, loudness_db, is_last))
        time_s = end_s
        if is_last:
            break
    return notes
