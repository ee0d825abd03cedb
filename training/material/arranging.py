"""Songs without a singer: sections, chords, and what each player of a style makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from training.material.styles import DRUMS, STYLES, Part, Style

DRUM_CHANNEL = 9
_PROGRESSIONS = {  # degrees of the scale, one chord a bar
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 3, 4), (3, 0, 4, 5), (1, 4, 0, 0),
              (0, 3, 4, 3), (5, 3, 0, 4), (0, 0, 3, 4), (0, 5, 1, 4)),
    "minor": ((0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 6), (0, 3, 6, 2), (0, 0, 5, 4), (5, 6, 0, 0),
              (0, 2, 5, 6), (3, 0, 4, 0)),
}  # fmt: skip
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_STROKES = {"x": 0.85, "X": 1.1, "o": 0.45}
_LATENESS_S = 0.006
_LEAD_CHANNEL, _BASS_CHANNEL = 8, 0


@dataclass(frozen=True)
class Event:
    """One note. ``velocity`` 1 to 127; on channel 9, ``key`` is a drum."""

    start_s: float
    end_s: float
    channel: int
    key: int
    velocity: int


@dataclass(frozen=True)
class Arrangement:
    """What is played: programs and levels (0 to 127) by channel, and the notes in time."""

    style: str
    programs: dict[int, int]
    levels: dict[int, int]
    events: tuple[Event, ...]
    length_s: float


@dataclass(frozen=True)
class _Bar:
    """``chord`` in semitones above C0, root first; ``players`` counts the parts that play."""

    start_s: float
    chord: tuple[int, ...]
    next_root: int
    players: int
    has_drums: bool
    has_lead: bool
    is_section_start: bool
    is_section_end: bool
    loudness: float


class _Band:
    """Everything that is drawn once for a song, and the players that use it."""

    def __init__(self, style: Style, rng: np.random.Generator) -> None:
        self.style, self.rng = style, rng
        self.beat_s = 60.0 / float(rng.uniform(*style.tempo_bpm))
        self.bar_s = style.num_beats * self.beat_s
        self.mode = "minor" if rng.random() < style.is_minor else "major"
        self.key = int(rng.integers(12))
        self.drums = style.drums[rng.integers(len(style.drums))]
        self.bass = style.bass[rng.integers(len(style.bass))]
        self.patterns = [str(rng.choice(part.patterns)) for part in style.parts]
        self.has_lead = bool(style.leads) and rng.random() < 0.6

    def chord(self, degree: int) -> tuple[int, ...]:
        scale = _SCALES[self.mode]
        steps = (0, 2, 4, 6) if self.style.sevenths else (0, 2, 4)
        return tuple(
            self.key + scale[(degree + step) % 7] + 12 * ((degree + step) // 7) for step in steps
        )

    def bars(self, length_s: float) -> list[_Bar]:
        """Sections of four bars with their own number of players; the chorus has all of them."""
        num_bars = int(np.ceil(length_s / self.bar_s))
        progressions = _PROGRESSIONS[self.mode]
        verse, chorus = (progressions[i] for i in self.rng.choice(len(progressions), 2))
        bars = []
        for number in range(num_bars):
            section, place = divmod(number, 4)
            if place == 0:
                is_chorus = section % 3 == 2
                players = len(self.style.parts)
                if not is_chorus:
                    players = int(self.rng.integers(1, players + 1))
                has_drums = is_chorus or self.rng.random() < (0.6 if section == 0 else 0.92)
                has_lead = self.has_lead and self.rng.random() < 0.5
                loudness = float(self.rng.uniform(0.75, 0.95)) + 0.12 * is_chorus
            progression = chorus if is_chorus else verse
            bars.append(
                _Bar(
                    number * self.bar_s,
                    self.chord(progression[place]),
                    self.chord(progression[(place + 1) % 4])[0],
                    players,
                    has_drums,
                    has_lead,
                    place == 0,
                    place == 3 or number == num_bars - 1,
                    loudness,
                )
            )
        return bars

    def note(
        self, bar: _Bar, step: float, num_steps: int, length: float, channel: int, key: int,
        velocity: float,
    ) -> Event:  # fmt: skip
        """A note at a step of a bar, as late and as loud as people play."""
        swung = step + (self.style.swing * 2 if num_steps == 16 and int(step) % 4 == 2 else 0.0)
        step_s = self.bar_s / num_steps
        start_s = max(0.0, bar.start_s + swung * step_s + self.rng.normal(0.0, _LATENESS_S))
        loud = velocity * bar.loudness * self.rng.uniform(0.88, 1.08)
        return Event(
            float(start_s),
            float(start_s + length * step_s),
            channel,
            int(np.clip(key, 20, 108)),
            int(np.clip(loud, 8, 127)),
        )

    def play_drums(self, bar: _Bar) -> Iterator[Event]:
        if bar.is_section_start and self.rng.random() < 0.5:
            yield self.note(bar, 0, 16, 8, DRUM_CHANNEL, DRUMS["crash"], 84)
        is_fill = bar.is_section_end and bool(self.drums) and self.rng.random() < 0.6
        for drum, pattern in self.drums.items():
            for step, stroke in enumerate(pattern):
                is_in_fill = is_fill and step >= len(pattern) * 3 // 4 and drum != "kick"
                if stroke in _STROKES and not is_in_fill:
                    velocity = 96 * _STROKES[stroke]
                    yield self.note(bar, step, len(pattern), 1, DRUM_CHANNEL, DRUMS[drum], velocity)
        if is_fill:
            for step in range(12, 16):
                drum = str(self.rng.choice(["snare", "high tom", "mid tom", "low tom"]))
                yield self.note(bar, step, 16, 1, DRUM_CHANNEL, DRUMS[drum], 78 + 4 * (step - 12))

    def play_bass(self, bar: _Bar) -> Iterator[Event]:
        root = 28 + (bar.chord[0] - 28) % 12
        third, fifth = bar.chord[1] - bar.chord[0], bar.chord[2] - bar.chord[0]
        approach = 28 + (bar.next_root - 28) % 12 - int(self.rng.integers(1, 3))
        keys = {"1": root, "3": root + third, "5": root + fifth, "8": root + 12, "a": approach}
        for step, length, symbol in _sounds(self.bass):
            yield self.note(
                bar, step, len(self.bass), 0.95 * length, _BASS_CHANNEL, keys[symbol], 88
            )

    def play_part(self, bar: _Bar, number: int, part: Part) -> Iterator[Event]:
        pattern = self.patterns[number]
        tones = sorted(part.lowest + (tone - part.lowest) % 12 for tone in bar.chord)
        tones += [tone + 12 for tone in tones]
        num_tones = len(bar.chord)
        for step, length, symbol in _sounds(pattern):
            chosen = [tones[int(symbol)]] if symbol.isdigit() else tones[:num_tones]
            held = 0.6 if symbol == "s" else 0.97 * length
            if symbol.isdigit():
                held = max(held, 1.6)  # single tones ring into each other
            for tone in chosen:
                yield self.note(bar, step, len(pattern), held, number + 1, tone, part.velocity)

    def play_lead(self, bar: _Bar, previous: list[int]) -> Iterator[Event]:
        """A few tones of the scale, on the beat those of the chord."""
        scale = [self.key + step + 12 * octave for octave in range(5, 8)
                 for step in _SCALES[self.mode]]  # fmt: skip
        step = float(self.rng.choice([0, 2, 4]))
        while step < 15:
            length = float(self.rng.choice([1, 2, 2, 3, 4, 6]))
            wish = previous[0] + self.rng.normal(0.0, 3.0) + 0.2 * (72 - previous[0])
            allowed = [
                tone for tone in scale
                if step % 4 or (tone - bar.chord[0]) % 12
                in {(chord - bar.chord[0]) % 12 for chord in bar.chord}
            ]  # fmt: skip
            previous[0] = min(allowed, key=lambda tone: abs(tone - wish))
            if self.rng.random() < 0.85:
                yield self.note(bar, step, 16, length, _LEAD_CHANNEL, previous[0], 84)
            step += length


def arrange(style_name: str, length_s: float, rng: np.random.Generator) -> Arrangement:
    """Music of ``length_s`` in one of `STYLES`: key, tempo and instruments are drawn."""
    style = STYLES[style_name]
    band = _Band(style, rng)
    programs = {_BASS_CHANNEL: int(rng.choice(style.bass_programs))}
    programs |= {i: int(rng.choice(part.programs)) for i, part in enumerate(style.parts, 1)}
    if style.leads:
        programs[_LEAD_CHANNEL] = int(rng.choice(style.leads))
    levels = {channel: int(rng.uniform(72, 118)) for channel in [*programs, DRUM_CHANNEL]}
    events: list[Event] = []
    melody = [72]
    bars = band.bars(length_s)
    for bar in bars:
        events += band.play_bass(bar)
        if bar.has_drums:
            events += band.play_drums(bar)
        for number, part in enumerate(style.parts[: bar.players]):
            events += band.play_part(bar, number, part)
        if bar.has_lead:
            events += band.play_lead(bar, melody)
    events.sort(key=lambda event: event.start_s)
    return Arrangement(
        style_name, programs, levels, tuple(e for e in events if e.start_s < length_s), length_s
    )


def _sounds(pattern: str) -> Iterator[tuple[int, int, str]]:
    """Step, length in steps and symbol of each sound; ``-`` prolongs, ``.`` ends."""
    for step, symbol in enumerate(pattern):
        if symbol in ".-":
            continue
        length = 1
        is_held = pattern[step + 1 : step + 2] == "-"
        while pattern[step + length : step + length + 1] == ("-" if is_held else "."):
            length += 1
        yield step, length if is_held or symbol == "x" else min(length, 2), symbol
