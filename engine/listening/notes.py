"""Names of notes: C4 is the middle C, 60 as MIDI counts semitones."""

from __future__ import annotations

import re

_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_NOTE = r"([A-Ga-g])([#♯b♭]?)(-?\d)"


def note_name(semitones: float) -> str:
    """57.2 -> A3."""
    octave, step = divmod(round(semitones), 12)
    return f"{_NAMES[step]}{octave - 1}"


def parse_note(text: str) -> int:
    """``A3``, ``Bb2`` or ``F#4`` -> semitones. ValueError where it is no note."""
    match = re.fullmatch(rf"\s*{_NOTE}\s*", text)
    if match is None:
        raise ValueError(f"{text!r} is no note. Write it as A3, Bb2 or F#4.")
    letter, accidental, octave = match.groups()
    return 12 * (int(octave) + 1) + _STEPS[letter.upper()] + _ACCIDENTALS[accidental]


def parse_notes(text: str) -> tuple[int, int]:
    """``A2-E4`` -> the two notes. ValueError where they are none, or descend."""
    match = re.fullmatch(rf"\s*({_NOTE})\s*[-–]\s*({_NOTE})\s*", text)
    if match is None:
        raise ValueError(f"{text!r} is no range of notes. Write it as A2-E4.")
    low, high = parse_note(match[1]), parse_note(match[5])
    if high <= low:
        raise ValueError(f"{text!r} ends below where it begins. Swap the two notes.")
    return low, high
