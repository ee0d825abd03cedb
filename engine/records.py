"""What a network hears, as plain records: they cross between the rooms that make and keep them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

View = Literal["vocals", "overall"]
TagKind = Literal["genre", "mood", "instruments", "era"]
# Of all tags that a network knows, those are kept and shown that are likelier than in other music,
# and likely enough to be worth a word (on real songs: two to eight each).
KEPT_STRENGTH, KEPT_CHANCE = 0.55, 0.05
NUM_TOLD = 3
# Raised whenever the sound that reaches the networks changes, or what is made of it: 1 is all up to
# singalike-2, from 3 on who sings is heard in whole songs.
LISTENING_VERSION = 3


@dataclass(frozen=True)
class SpaceKey:
    """One embedding space: vectors are comparable within it and nowhere else.

    ``separator`` is the name of the separator for the view ``vocals``, None for ``overall``.
    ``listening`` is the version of the path from a file to the network.
    """

    model: str
    model_sha256: str
    view: View
    separator: str | None
    dim: int
    listening: int = LISTENING_VERSION

    def __post_init__(self) -> None:
        if (self.view == "vocals") != (self.separator is not None):
            raise ValueError(f"the view {self.view!r} with the separator {self.separator!r}")
        if self.dim < 1:
            raise ValueError(f"an embedding of {self.dim} dimensions")


@dataclass(frozen=True, eq=False)
class MomentCodes:
    """Compact vectors of a track's segments, for finding where two songs are most alike.

    Attributes:
        codes: (num_moments, num_dims) int8; rows are compared by cosine.
        starts_s: (num_moments,) float32, ascending; where each segment begins.
        length_s: length of a segment.
    """

    codes: np.ndarray
    starts_s: np.ndarray
    length_s: float

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.dtype != np.int8:
            raise ValueError(f"moment codes of shape {self.codes.shape}, {self.codes.dtype}")
        if self.starts_s.shape != (len(self.codes),):
            raise ValueError(f"{self.starts_s.shape} starts for {len(self.codes)} moments")

    @cached_property
    def unit_rows(self) -> np.ndarray:
        """(num_moments, num_dims) float32: the codes as vectors of length 1, worked out once."""
        rows = self.codes.astype(np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


@dataclass(frozen=True)
class VoicePortrait:
    """What a voice sounds like in a song (``engine.listening.portrait``). Nothing of who it is.

    Attributes:
        lowest_note, usual_note, highest_note: in semitones as MIDI counts them, 60 is C4; a
            twentieth of what is sung lies below the lowest, and above the highest.
        vibrato_hz, vibrato_cents: rate, and depth up and down; None where no note has any.
        vibrato_share: of the long notes.
        clearness_db: harmonics over the noise between them; low: breathy. None: cannot be told.
        roughness_db: subharmonics over that noise; 0 and below: smooth.
        brightness_hz: centre of gravity of the spectrum.
        sung_share: of the song's time.
    """

    lowest_note: float
    usual_note: float
    highest_note: float
    vibrato_hz: float | None
    vibrato_cents: float | None
    vibrato_share: float
    clearness_db: float | None
    roughness_db: float | None
    brightness_hz: float | None
    sung_share: float


@dataclass(frozen=True)
class HeardTag:
    """A word for what is heard in a song.

    Attributes:
        strength: 0 to 1, how likely it fits if that was as likely as not to begin with; 0.5 says
            no more than what is true of music in general.
        chance: 0 to 1, that people give a song like this the tag; some are given often.
    """

    name: str
    kind: TagKind
    strength: float
    chance: float

    @property
    def is_kept(self) -> bool:
        return self.strength >= KEPT_STRENGTH and self.chance >= KEPT_CHANCE


def most_heard(tags: Iterable[HeardTag]) -> tuple[str, ...]:
    """Names of the strongest that are kept, as a library tells them of a track."""
    kept = (tag for tag in tags if tag.is_kept)
    ranked = sorted(kept, key=lambda tag: (-tag.strength, -tag.chance, tag.name))
    return tuple(tag.name for tag in ranked[:NUM_TOLD])


@dataclass(frozen=True, eq=False)
class TrackEmbedding:
    """What a model hears in one view of a track.

    Attributes:
        vector: (dim,) float32, L2-normalised.
        moments: the same for single segments, much compressed.
        from_mixture: a voice that was heard through the whole song, until it is separated.
        is_inseparable: it stays so, since the separator leaves next to nothing of it.
        portrait: of a voice that was separated, where enough is sung to tell.
        tags: words for what is heard, the likeliest first; None: the model knows none.
    """

    vector: np.ndarray
    moments: MomentCodes
    from_mixture: bool = False
    portrait: VoicePortrait | None = None
    tags: tuple[HeardTag, ...] | None = None
    is_inseparable: bool = False
