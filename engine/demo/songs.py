"""Eight singers and their 24 songs (``resources/demo/singers.toml``); their scores, by chance."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.demo.phonetics import SUNG_CONSONANTS, SUNG_VOWELS
from engine.demo.voices import Voice
from engine.paths import resources_path

Style = Literal["rock", "ballad", "synthpop", "folk", "soul", "bossa"]
_PROGRESSIONS = {  # degrees of the scale, one chord a bar
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 3, 4), (3, 0, 4, 5)),
    "minor": ((0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 6), (0, 3, 6, 2)),
}
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_RHYTHMS = (  # beats of one bar
    (1.0, 1.0, 2.0), (1.0, 1.0, 1.0, 1.0), (1.5, 0.5, 1.0, 1.0), (0.5, 0.5, 1.0, 2.0),
    (1.0, 0.5, 0.5, 1.0, 1.0), (2.0, 1.0, 1.0), (1.5, 0.5, 2.0), (0.5, 0.5, 0.5, 0.5, 1.0, 1.0),
)  # fmt: skip
_CADENCES = ((1.0, 2.0), (0.5, 0.5, 2.0), (1.5, 1.5), (1.0, 0.5, 1.5), (3.0,))
_TARGET_LENGTH_S = 27.0


@dataclass(frozen=True)
class Song:
    """One song of the demo library; everything else about it follows from these fields."""

    voice: Voice
    title: str
    album: str
    track_number: int
    year: int
    style: Style
    key: int  # pitch class of the tonic, 0 = C
    mode: Literal["major", "minor"]
    tempo_bpm: float
    seed: int

    @property
    def artist(self) -> str:
        return self.voice.name

    @property
    def beat_s(self) -> float:
        return 60.0 / self.tempo_bpm


@dataclass(frozen=True)
class Note:
    """One sung syllable: consonant and vowel are keys of `phonetics`, loudness is about 0.5..1."""

    start_s: float
    length_s: float
    midi: float
    consonant: str
    vowel: str
    loudness: float


@dataclass(frozen=True)
class Score:
    """What is played: one chord a bar (semitones above C0, root first), and the sung phrases."""

    bar_s: float
    chords: tuple[tuple[int, ...], ...]
    phrases: tuple[tuple[Note, ...], ...]

    @property
    def length_s(self) -> float:
        return self.bar_s * len(self.chords) + 1.5  # the last sounds ring out


def _singers() -> Iterator[tuple[Voice, list[Song]]]:
    text = (resources_path() / "demo" / "singers.toml").read_text("utf-8")
    for singer in tomllib.loads(text)["singers"]:
        songs = singer.pop("songs")
        voice = Voice(formant_factors=tuple(singer.pop("formant_factors")), **singer)
        yield voice, [Song(voice=voice, **song) for song in songs]


_SINGERS = tuple(_singers())
VOICES: tuple[Voice, ...] = tuple(voice for voice, _ in _SINGERS)
SONGS: tuple[Song, ...] = tuple(song for _, songs in _SINGERS for song in songs)


def score(song: Song) -> Score:
    """Compose: intro, two phrases, a break, two phrases again (AABA-like), an outro."""
    rng = np.random.default_rng([song.seed, 1])
    bar_s = 4 * song.beat_s
    num_bars = max(8, round(_TARGET_LENGTH_S / bar_s))
    num_sung = 2 * min((num_bars - 2) // 2, round(0.36 * num_bars))  # phrases are two bars long
    num_intro = 1 if num_bars < 11 else 2
    progressions = _PROGRESSIONS[song.mode]
    progression = progressions[rng.integers(len(progressions))]
    chords = tuple(_chord(song, progression[bar % 4]) for bar in range(num_bars))
    starts = [num_intro + bar for bar in range(0, num_sung, 2)]
    half = (len(starts) + 1) // 2
    starts = [bar + (num_bars - num_intro - num_sung > 1) * (n >= half)
              for n, bar in enumerate(starts)]  # fmt: skip
    phrases = []
    for number, bar in enumerate(starts):
        motif = np.random.default_rng([song.seed, 2, number % 3 == 2])  # the tune comes back ...
        words = np.random.default_rng([song.seed, 3, number])  # ... with other words
        phrases.append(_phrase(song, bar, chords[bar : bar + 2], motif, words))
    return Score(bar_s, chords, tuple(phrases))


def _chord(song: Song, degree: int) -> tuple[int, ...]:
    scale = _SCALES[song.mode]
    octaves = [scale[(degree + step) % 7] + 12 * ((degree + step) // 7) for step in (0, 2, 4)]
    return tuple(song.key + semitones for semitones in octaves)


def _phrase(
    song: Song,
    first_bar: int,
    chords: tuple[tuple[int, ...], ...],
    motif: np.random.Generator,
    words: np.random.Generator,
) -> tuple[Note, ...]:
    rhythm = _RHYTHMS[motif.integers(len(_RHYTHMS))] + _CADENCES[motif.integers(len(_CADENCES))]
    scale = [12 * octave + song.key + step for octave in range(-1, 11)
             for step in _SCALES[song.mode]]  # fmt: skip
    centre = song.voice.centre_midi + motif.uniform(-2.0, 2.0)
    previous = centre + motif.uniform(-3.0, 3.0)
    notes: list[Note] = []
    beat = 0.0
    for number, length in enumerate(rhythm):
        is_strong = beat % 2 == 0 or number == len(rhythm) - 1
        chord = {pitch % 12 for pitch in chords[min(int(beat // 4), 1)]}
        allowed = [pitch for pitch in scale if pitch % 12 in chord or not is_strong]
        wish = previous + motif.normal(0.0, 2.6) + 0.25 * (centre - previous)
        previous = min(allowed, key=lambda pitch: abs(pitch - wish))
        is_last = number == len(rhythm) - 1
        notes.append(
            Note(
                start_s=(4 * first_bar + beat) * song.beat_s + float(words.normal(0.0, 0.008)),
                length_s=length * song.beat_s * (0.97 if is_last else 1.0),
                midi=float(previous),
                consonant=SUNG_CONSONANTS[words.integers(len(SUNG_CONSONANTS))],
                vowel=SUNG_VOWELS[words.integers(len(SUNG_VOWELS))],
                loudness=float(0.72 + 0.15 * is_strong + words.uniform(-0.08, 0.08)),
            )
        )
        beat += length
    return tuple(notes)
