"""Sounds of an invented language: vowel targets, and consonants as places and noises.

Formants are those of a 17.5 cm tract (vowels after Peterson & Barney 1952); voices scale them.
"""

from __future__ import annotations

from dataclasses import dataclass

VOWELS: dict[str, tuple[float, float, float]] = {
    "i": (280.0, 2250.0, 2950.0),
    "e": (420.0, 2030.0, 2600.0),
    "E": (560.0, 1800.0, 2480.0),
    "a": (730.0, 1180.0, 2450.0),
    "A": (690.0, 1600.0, 2420.0),
    "o": (460.0, 850.0, 2400.0),
    "O": (580.0, 900.0, 2420.0),
    "u": (310.0, 800.0, 2250.0),
    "@": (500.0, 1450.0, 2450.0),
}
NEUTRAL = (500.0, 1500.0, 2500.0)
UPPER_FORMANTS_HZ = (3350.0, 3900.0)
"""F4 and F5, nearly the same for all vowels."""


@dataclass(frozen=True)
class Consonant:
    """How a syllable begins.

    Attributes:
        length_s: from the end of the previous vowel to the start of this one.
        locus: F1..F3 while it lasts (None: those of the vowel).
        voicing: level of the voice, 0..1, relative to the vowel.
        nasal: opening of the velum, 0..1.
        noise: level, centre in Hz and width in Hz of the noise at the constriction, or None.
        is_burst: the noise is a short burst at the end of a silence.
        aspiration_s: breath through the open tract before the voice sets in.
    """

    length_s: float
    locus: tuple[float, float, float] | None
    voicing: float
    nasal: float = 0.0
    noise: tuple[float, float, float] | None = None
    is_burst: bool = False
    aspiration_s: float = 0.0


CONSONANTS: dict[str, Consonant] = {
    "": Consonant(0.03, None, 0.4),
    "m": Consonant(0.085, (260, 1000, 2250), 0.5, nasal=1.0),
    "n": Consonant(0.08, (260, 1600, 2550), 0.5, nasal=1.0),
    "l": Consonant(0.07, (340, 1080, 2800), 0.6),
    "r": Consonant(0.07, (340, 1150, 1600), 0.6),
    "w": Consonant(0.06, (290, 640, 2200), 0.55),
    "y": Consonant(0.06, (270, 2200, 3000), 0.55),
    "v": Consonant(0.07, (280, 1100, 2250), 0.4, noise=(0.10, 6000, 5000)),
    "z": Consonant(0.09, (280, 1700, 2600), 0.35, noise=(0.30, 6600, 3000)),
    "s": Consonant(0.11, (320, 1700, 2600), 0.0, noise=(0.50, 6900, 2600)),
    "S": Consonant(0.11, (320, 1850, 2500), 0.0, noise=(0.50, 3400, 1800)),
    "f": Consonant(0.10, (320, 1100, 2250), 0.0, noise=(0.16, 7000, 6000)),
    "h": Consonant(0.07, None, 0.05, aspiration_s=0.07),
    "b": Consonant(0.065, (240, 900, 2150), 0.15, noise=(0.30, 900, 900), is_burst=True),
    "d": Consonant(0.065, (240, 1750, 2650), 0.15, noise=(0.40, 4200, 2500), is_burst=True),
    "g": Consonant(0.07, (240, 1950, 2300), 0.15, noise=(0.40, 2100, 900), is_burst=True),
    "p": Consonant(0.10, (300, 900, 2150), 0.0, noise=(0.40, 1100, 1200), is_burst=True,
                   aspiration_s=0.035),
    "t": Consonant(0.10, (300, 1750, 2650), 0.0, noise=(0.60, 4600, 2600), is_burst=True,
                   aspiration_s=0.035),
    "k": Consonant(0.105, (300, 1950, 2300), 0.0, noise=(0.55, 2200, 1000), is_burst=True,
                   aspiration_s=0.045),
}  # fmt: skip
SUNG_CONSONANTS = tuple("mnlrwyvzsSfhbdgptkmnldlstrn")
"""What songs draw from: voiced sounds more often, as in words that are good to sing."""
SUNG_VOWELS = tuple("aaeEioOuA@oi")
