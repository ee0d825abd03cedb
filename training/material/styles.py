"""Styles of accompaniment, read from ``styles.toml``, which says how they are written."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DRUMS = {
    "kick": 36, "snare": 38, "rim": 37, "clap": 39, "hat": 42, "open": 46, "pedal": 44,
    "ride": 51, "crash": 49, "low tom": 45, "mid tom": 47, "high tom": 50, "tambourine": 54,
    "cowbell": 56, "shaker": 70, "cabasa": 69, "conga": 63, "low conga": 64, "mute conga": 62,
    "claves": 75, "timbale": 65, "brush": 40, "triangle": 81,
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One player of chords: General MIDI programs to draw from, patterns, lowest note, level."""

    programs: tuple[int, ...]
    patterns: tuple[str, ...]
    lowest: int
    velocity: int


@dataclass(frozen=True)
class Style:
    """A kind of band.

    Attributes:
        tempo_bpm: lowest and highest.
        drums: one of these kits of patterns is drawn for each song.
        swing: share of a pair of steps by which the second is late.
        parts: those after the first two come and go with the sections.
        leads: programs that may play a melody between the phrases of the singer; () none.
        sevenths: chords have four tones.
    """

    tempo_bpm: tuple[int, int]
    drums: tuple[dict[str, str], ...]
    bass: tuple[str, ...]
    bass_programs: tuple[int, ...]
    parts: tuple[Part, ...]
    leads: tuple[int, ...] = ()
    num_beats: int = 4
    swing: float = 0.0
    sevenths: bool = False
    is_minor: float = 0.4


def _read() -> dict[str, Style]:
    text = Path(__file__).with_name("styles.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    return {name: _style(one, values["programs"]) for name, one in values["styles"].items()}


def _style(values: dict[str, Any], named: dict[str, list[int]]) -> Style:
    def programs(given: Sequence[int | str]) -> tuple[int, ...]:
        return tuple(n for one in given for n in (named[one] if isinstance(one, str) else [one]))

    parts = tuple(
        Part(programs(part["programs"]), tuple(part["patterns"]), part["lowest"], part["velocity"])
        for part in values.pop("parts")
    )
    return Style(
        tempo_bpm=tuple(values.pop("tempo_bpm")),
        drums=tuple(values.pop("drums")),
        bass=tuple(values.pop("bass")),
        bass_programs=programs(values.pop("bass_programs")),
        parts=parts,
        leads=programs(values.pop("leads", ())),
        **values,
    )


STYLES = _read()
