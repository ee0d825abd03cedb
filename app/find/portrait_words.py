"""In what two voices are alike, and in what they differ, by their portraits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.ui.shortcuts import noop
from engine.listening.notes import note_name
from engine.records import VoicePortrait


@dataclass(frozen=True)
class Aspect:
    """One thing that a portrait tells, on a scale.

    Attributes:
        subject: the name within a sentence.
        value: of a portrait, on the scale; None where it cannot be told.
        told: the value with its unit.
        ends: names of the scale's ends. less, more: how a voice is that lies nearer to each.
        limits: the values at the ends. near: voices that differ by no more are alike: songs of one
            singer seldom differ by more.
    """

    name: str
    subject: str
    value: Callable[[VoicePortrait], float | None]
    told: Callable[[VoicePortrait], str]
    ends: tuple[str, str]
    less: str
    more: str
    limits: tuple[float, float]
    near: float

    def place(self, portrait: VoicePortrait) -> float | None:
        """0 to 1 on the scale."""
        value = self.value(portrait)
        low, high = self.limits
        return None if value is None else min(1.0, max(0.0, (value - low) / (high - low)))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Portrait", text)


def _range_told(portrait: VoicePortrait) -> str:
    notes = (portrait.lowest_note, portrait.usual_note, portrait.highest_note)
    lowest, usual, highest = map(note_name, notes)
    return _tr("{lowest} to {highest}, mostly around {usual}").format(
        lowest=lowest, highest=highest, usual=usual
    )


def _vibrato(portrait: VoicePortrait) -> float:
    """How far all long notes move, those without vibrato among them: cents."""
    return (portrait.vibrato_cents or 0.0) * portrait.vibrato_share


def _vibrato_told(portrait: VoicePortrait) -> str:
    if portrait.vibrato_hz is None or portrait.vibrato_cents is None:
        return _tr("none")
    return _tr("{hz} Hz, ± {cents} cents, in {share} % of the long notes").format(
        hz=f"{portrait.vibrato_hz:.1f}",
        cents=round(portrait.vibrato_cents),
        share=round(100 * portrait.vibrato_share),
    )


def _told(value: float | None, unit: str) -> str:
    return _tr("cannot be told") if value is None else f"{value:.0f} {unit}"


def _breath(portrait: VoicePortrait) -> float | None:
    return None if portrait.clearness_db is None else -portrait.clearness_db


def _brightness(portrait: VoicePortrait) -> float | None:
    hz = portrait.brightness_hz
    return None if not hz else math.log2(hz)


NOTES = Aspect(
    noop("Notes"),
    noop("notes"),
    lambda portrait: portrait.usual_note,
    _range_told,
    ("C2", "C6"),
    noop("lower"),
    noop("higher"),
    (36.0, 84.0),
    3.0,
)
ASPECTS = (
    NOTES,
    Aspect(
        noop("Vibrato"),
        noop("vibrato"),
        _vibrato,
        _vibrato_told,
        (noop("none"), noop("wide")),
        noop("less vibrato"),
        noop("more vibrato"),
        (0.0, 50.0),
        10.0,
    ),
    Aspect(
        noop("Breath"),
        noop("breath"),
        _breath,
        lambda portrait: _told(portrait.clearness_db, "dB"),
        (noop("clear"), noop("breathy")),
        noop("clearer"),
        noop("breathier"),
        (-34.0, -10.0),
        4.0,
    ),
    Aspect(
        noop("Roughness"),
        noop("roughness"),
        lambda portrait: portrait.roughness_db,
        lambda portrait: _told(portrait.roughness_db, "dB"),
        (noop("smooth"), noop("rough")),
        noop("smoother"),
        noop("rougher"),
        (-8.0, 4.0),
        2.5,
    ),
    Aspect(
        noop("Brightness"),
        noop("brightness"),
        _brightness,
        lambda portrait: _told(portrait.brightness_hz, "Hz"),
        (noop("dark"), noop("bright")),
        noop("darker"),
        noop("brighter"),
        (math.log2(200), math.log2(1400)),
        0.4,
    ),
)


def sentence(query: VoicePortrait, result: VoicePortrait) -> str:
    """``Alike: notes, breath. The result: brighter.``"""
    alike, differences = list[str](), list[str]()
    for aspect in ASPECTS:
        first, second = aspect.value(query), aspect.value(result)
        if first is None or second is None:
            continue
        if abs(first - second) <= aspect.near:
            alike.append(_tr(aspect.subject))
        else:
            differences.append(_tr(aspect.more if second > first else aspect.less))
    parts = []
    if alike:
        parts.append(_tr("Alike: {aspects}.").format(aspects=", ".join(alike)))
    if differences:
        parts.append(_tr("The result: {differences}.").format(differences=", ".join(differences)))
    return " ".join(parts)


def explanation(aspect: Aspect, portraits: tuple[VoicePortrait | None, ...]) -> str:
    """``Vibrato: none / 5.5 Hz, …``: of both voices, as far as they are known."""
    told = [aspect.told(portrait) for portrait in portraits if portrait is not None]
    return f"{_tr(aspect.name)}: {' / '.join(told)}"


def ends(aspect: Aspect) -> tuple[str, str]:
    low, high = aspect.ends
    return _tr(low), _tr(high)


def name(aspect: Aspect) -> str:
    return _tr(aspect.name)
