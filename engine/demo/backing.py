"""Bands in six styles, playing the chords of a score. Nothing here knows who sings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.demo.instruments import (
    RATE_HZ,
    Audio,
    cymbal,
    distorted,
    electric_piano,
    held,
    kick,
    pluck,
    rim,
    shaker,
    snare,
)
from engine.demo.songs import Score, Song, Style

Chord = tuple[int, ...]


class _Stage:
    """A stereo buffer that sounds are placed on; equal sounds are made once."""

    def __init__(self, song: Song, score: Score) -> None:
        self.beat_s = song.beat_s
        self.rng = np.random.default_rng([song.seed, 5])
        self.mix = np.zeros((2, int(score.length_s * RATE_HZ)), dtype=np.float32)
        self._made: dict[object, Audio] = {}

    def play(
        self, beat: float, gain: float, pan: float, make: Callable[..., Audio], *how: object
    ) -> None:
        """Add ``make(*how)`` at ``beat``; pan -1 is left, 1 right."""
        key = (make, how)
        if key not in self._made:
            self._made[key] = make(*how)
        sound = self._made[key]
        human = self.rng.normal(0.0, 0.004)
        start = max(0, int((beat * self.beat_s + human) * RATE_HZ))
        end = min(start + sound.size, self.mix.shape[1])
        gain *= float(self.rng.uniform(0.88, 1.0))
        angle = (pan + 1) * np.pi / 4
        for side, share in enumerate((np.cos(angle), np.sin(angle))):
            self.mix[side, start:end] += np.float32(gain * share) * sound[: end - start]

    def kick(self, beat: float, gain: float) -> None:
        self.play(beat, gain, 0.0, kick)

    def snare(self, beat: float, gain: float, length_s: float = 0.12) -> None:
        self.play(beat, gain, 0.05, snare, self.rng, length_s)

    def hat(self, beat: float, gain: float, pan: float) -> None:
        self.play(beat, gain, pan, cymbal, self.rng, 0.035)

    def shaker(self, beat: float, gain: float, pan: float) -> None:
        self.play(beat, gain, pan, shaker, self.rng)


def accompany(song: Song, score: Score) -> Audio:
    """The whole backing, (2, n) float32 at 44.1 kHz, RMS 0.1."""
    stage = _Stage(song, score)
    groove, ending = _BANDS[song.style]
    for bar, chord in enumerate(score.chords):
        is_last = bar == len(score.chords) - 1
        (ending if is_last else groove)(stage, bar, chord)
    stage.mix *= 0.1 / np.sqrt(np.mean(np.square(stage.mix)))
    return stage.mix


def _bass(pitch: int) -> int:
    return 28 + (pitch - 28) % 12  # E1..D#2


def _close(chord: Chord, lowest: int) -> list[int]:
    """The chord in its closest position from ``lowest`` up."""
    return sorted(lowest + (pitch - lowest) % 12 for pitch in chord)


def _power_chord(stage: _Stage, beat: float, root: int, length_s: float) -> None:
    for pan, detune in ((-0.7, -0.03), (0.7, 0.03)):  # doubled, one guitar on each side
        chord = (root + 12 + detune, root + 19 + detune, root + 24 + detune)
        stage.play(beat, 0.17, pan, distorted, chord, length_s, stage.rng)


def _rock(stage: _Stage, bar: int, chord: Chord) -> None:
    start = 4 * bar
    root = _bass(chord[0])
    for eighth in range(8):
        beat = start + eighth / 2
        stage.play(beat, 0.16, 0.0, held, root, 0.48 * stage.beat_s, "saw", 500, 0.005, 0.0)
        stage.hat(beat, 0.10 if eighth % 2 else 0.16, 0.35)
    for at in (0.0, 1.5, 3.0):
        _power_chord(stage, start + at, root, 1.5 * stage.beat_s)
    for at in (0.0, 1.75, 2.0):
        stage.kick(start + at, 0.8)
    for at in (1, 3):
        stage.snare(start + at, 0.42)


def _rock_ending(stage: _Stage, bar: int, chord: Chord) -> None:
    root = _bass(chord[0])
    stage.play(4 * bar, 0.16, 0.0, held, root, 4 * stage.beat_s, "saw", 500, 0.005, 0.0)
    _power_chord(stage, 4 * bar, root, 4 * stage.beat_s)
    stage.kick(4 * bar, 0.8)
    stage.play(4 * bar, 0.15, 0.3, cymbal, stage.rng, 0.5)


def _ballad_chord(stage: _Stage, bar: int, chord: Chord) -> None:
    bar_s = 4 * stage.beat_s
    stage.play(4 * bar, 0.7, 0.0, pluck, _bass(chord[0]) + 12, bar_s, 0.2, 2.5)
    for pitch in _close(chord, 55):
        stage.play(4 * bar, 0.045, -0.4, held, pitch, bar_s, "saw", 900, 0.5, 0.14)
        stage.play(4 * bar, 0.4, 0.25, pluck, pitch, bar_s, 0.35, 2.2)


def _ballad(stage: _Stage, bar: int, chord: Chord) -> None:
    _ballad_chord(stage, bar, chord)
    start = 4 * bar
    high = _close(chord, 64)
    for eighth in (2, 3, 4, 5, 6, 7):
        pitch = high[eighth % 3]
        stage.play(start + eighth / 2, 0.3, 0.3, pluck, pitch, 4 * stage.beat_s, 0.35, 2.2)
    if bar >= 2:  # the drummer comes in with the voice
        stage.kick(start, 0.5)
        stage.snare(start + 2, 0.3, 0.05)
        for beat in range(4):
            stage.hat(start + beat, 0.06, -0.3)


def _synth_chord(stage: _Stage, bar: int, chord: Chord) -> None:
    stage.kick(4 * bar, 0.75)
    for pitch in _close(chord, 57):
        stage.play(4 * bar, 0.05, 0.0, held, pitch, 4 * stage.beat_s, "saw", 2200, 0.08, 0.2)


def _synthpop(stage: _Stage, bar: int, chord: Chord) -> None:
    _synth_chord(stage, bar, chord)
    start = 4 * bar
    root = _bass(chord[0]) + 12
    arpeggio = _close(chord, 69)
    arpeggio.append(arpeggio[0] + 12)
    for sixteenth in range(16):
        pitch = arpeggio[sixteenth * 3 % 4]
        side = 0.5 if sixteenth % 2 else -0.5
        beat = start + sixteenth / 4
        stage.play(beat, 0.055, side, held, pitch, 0.14, "square", 3200, 0.003, 0.0)
    for beat in range(start, start + 4):
        if beat > start:
            stage.kick(beat, 0.75)
        stage.play(beat + 0.5, 0.2, 0.0, held, root, 0.4 * stage.beat_s, "saw", 700, 0.004, 0.0)
        stage.hat(beat + 0.5, 0.18, 0.1)
        if beat % 2:
            stage.snare(beat, 0.35)


def _folk_strings(chord: Chord) -> list[int]:
    strings = [40 + (chord[0] - 40) % 12, *_close(chord, 52)]
    return [*strings, strings[1] + 12]


def _folk(stage: _Stage, bar: int, chord: Chord) -> None:
    start = 4 * bar
    strings = _folk_strings(chord)
    for eighth, string in enumerate((0, 2, 3, 4, 1, 3, 4, 2)):
        stage.play(start + eighth / 2, 0.55, -0.25, pluck, strings[string], 2.0, 0.7, 1.1)
        stage.shaker(start + eighth / 2, 0.10 if eighth % 2 else 0.05, 0.4)
    for at in (0, 2):
        stage.play(start + at, 0.65, 0.0, pluck, strings[0] - 12, 1.6, 0.15, 1.0)
        stage.play(start + at + 1, 0.12, 0.2, rim)


def _folk_ending(stage: _Stage, bar: int, chord: Chord) -> None:
    strings = _folk_strings(chord)
    stage.play(4 * bar, 0.65, 0.0, pluck, strings[0] - 12, 1.6, 0.15, 1.0)
    for number, pitch in enumerate(strings):  # one slow strum
        stage.play(4 * bar + 0.06 * number, 0.5, -0.25, pluck, pitch, 3.0, 0.7, 1.5)


def _soul_chord(stage: _Stage, bar: int, chord: Chord) -> None:
    for pitch in _close(chord, 56):
        stage.play(4 * bar, 0.26, 0.2, electric_piano, pitch, 1.6)
        length_s = 4 * stage.beat_s
        stage.play(4 * bar, 0.03, -0.5, held, pitch, length_s, "organ", 3000, 0.03, 0.03)
    stage.play(4 * bar, 0.8, 0.0, pluck, _bass(chord[0]) + 12, 0.7, 0.3, 0.6)


def _soul(stage: _Stage, bar: int, chord: Chord) -> None:
    _soul_chord(stage, bar, chord)
    start = 4 * bar
    root = _bass(chord[0]) + 12
    for at in (1.5, 2.5):
        for pitch in _close(chord, 56):
            stage.play(start + at, 0.26, 0.2, electric_piano, pitch, 1.6)
    for at, step in ((0.75, 0), (1.5, 7), (2.0, 0), (3.0, 12), (3.5, 7)):
        stage.play(start + at, 0.8, 0.0, pluck, root + step, 0.7, 0.3, 0.6)
    for at in (0.0, 0.75, 2.5):
        stage.kick(start + at, 0.7)
    for at in (1, 3):
        stage.snare(start + at, 0.34)
    for eighth in range(8):
        swing = 0.12 if eighth % 2 else 0.0
        stage.hat(start + eighth / 2 + swing, 0.12, -0.35)


def _bossa_chord(stage: _Stage, beat: float, chord: Chord) -> None:
    for pitch in _close((*chord, chord[0] + 14), 52):  # with the ninth
        stage.play(beat, 0.32, 0.3, pluck, pitch, 0.9, 0.4, 0.5)


def _bossa(stage: _Stage, bar: int, chord: Chord) -> None:
    start = 4 * bar
    root = _bass(chord[0]) + 12
    for at in (0.0, 0.5, 1.5, 2.5, 3.0):
        _bossa_chord(stage, start + at, chord)
    for at, step in ((0.0, 0), (1.5, 7), (2.0, 7), (3.5, 0)):
        stage.play(start + at, 0.75, 0.0, pluck, root + step, 1.0, 0.1, 0.9)
    for eighth in range(8):
        stage.shaker(start + eighth / 2, 0.12 if eighth % 2 else 0.07, -0.4)
    for at in (0.0, 1.5, 3.0) if bar % 2 else (1.0, 2.5):
        stage.play(start + at, 0.16, -0.2, rim)
    stage.kick(start, 0.35)
    stage.kick(start + 2, 0.3)


def _bossa_ending(stage: _Stage, bar: int, chord: Chord) -> None:
    _bossa_chord(stage, 4 * bar, chord)
    stage.play(4 * bar, 0.75, 0.0, pluck, _bass(chord[0]) + 12, 1.6, 0.1, 1.5)


_Band = Callable[[_Stage, int, Chord], None]
_BANDS: dict[Style, tuple[_Band, _Band]] = {  # every bar but the last, and the last
    "rock": (_rock, _rock_ending),
    "ballad": (_ballad, _ballad_chord),
    "synthpop": (_synthpop, _synth_chord),
    "folk": (_folk, _folk_ending),
    "soul": (_soul, _soul_chord),
    "bossa": (_bossa, _bossa_ending),
}
