"""What is heard in a song, in words: kinds of music, moods, instruments, times.

These are a network's guesses from the sound alone. They are never mixed with the tags that a file
brings, and none of them says anything about a person: the network also knows tags of the singer's
gender, which are left out here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.records import HeardTag, TagKind

KINDS: dict[TagKind, tuple[str, ...]] = {
    "genre": (
        "rock", "pop", "alternative", "indie", "electronic", "dance", "alternative rock", "jazz",
        "metal", "classic rock", "soul", "indie rock", "electronica", "folk", "punk", "blues",
        "hard rock", "ambient", "experimental", "Hip-Hop", "country", "easy listening", "funk",
        "electro", "heavy metal", "Progressive rock", "rnb", "indie pop", "House",
    ),
    "mood": (
        "beautiful", "chillout", "Mellow", "chill", "party", "sexy", "catchy", "sad", "happy",
    ),
    "instruments": ("instrumental", "acoustic", "guitar"),
    "era": ("60s", "70s", "80s", "90s", "00s", "oldies"),
}  # fmt: skip
_KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}
_SPELT = {"rnb": "R&B", "Hip-Hop": "hip-hop", "Progressive rock": "progressive rock"}
_EPS = 1e-6


def heard_tags(
    chances: np.ndarray, names: Sequence[str], typical: np.ndarray
) -> tuple[HeardTag, ...]:
    """Tags of a song from those of its segments, the likeliest first; all that are not left out.

    Args:
        chances: (num_segments, num_tags), 0 to 1; their mean counts, so that what is heard in a
            part of the song counts as much as it lasts.
        names: of the tags, as the network has them.
        typical: (num_tags,) chances in music in general.
    """
    mean = chances.mean(0, dtype=np.float64)
    strengths = 1 / (1 + np.exp(_logit(typical) - _logit(mean)))
    found = [
        HeardTag(shown_name(name), _KIND_OF[name], float(strength), float(chance))
        for name, chance, strength in zip(names, mean, strengths, strict=True)
        if name in _KIND_OF
    ]
    return tuple(sorted(found, key=lambda tag: -tag.chance))


def shown_name(name: str) -> str:
    """As it is written for people: ``hip-hop``, ``mellow``, ``R&B``."""
    return _SPELT.get(name, name.lower())


def shown_names() -> tuple[str, ...]:
    """All tags that can be heard, as they are written for people, by kind."""
    return tuple(shown_name(name) for names in KINDS.values() for name in names)


def _logit(chances: np.ndarray) -> np.ndarray:
    clipped = np.clip(chances, _EPS, 1 - _EPS)
    return np.asarray(np.log(clipped / (1 - clipped)))
