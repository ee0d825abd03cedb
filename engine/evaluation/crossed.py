"""Songs made of the stems of two: one's voice over the other's band.

From them come triplets that tell what a similarity listens to. The query is the first half of a
song; against it stand the same singer in front of another band, another singer in front of the
same band (the other half of the song), and another singer in front of another band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.evaluation.evaluation_data import Clip, Kind

MAX_TRIPLETS = 200
MIN_STRANGE = 3  # clips of other singers: two bands and one more to choose from
Stems = tuple[Path, Path]


def stems(clip: Clip) -> Stems | None:
    """Vocals and accompaniment of a clip that has both."""
    if "vocals" in clip.files and "accompaniment" in clip.files:
        return clip.files["vocals"], clip.files["accompaniment"]
    return None


@dataclass(frozen=True)
class Crossed:
    """The vocals of one clip over the accompaniment of another."""

    vocals: Clip
    band: Clip

    @property
    def stems(self) -> Stems:
        return self.vocals.files["vocals"], self.band.files["accompaniment"]

    @property
    def clip(self) -> Clip:
        name = f"{self.vocals.song} over {self.band.song} ({self.band.singer})"
        kinds: tuple[Kind, Kind] = ("vocals", "accompaniment")
        return Clip(self.vocals.singer, name, files=dict(zip(kinds, self.stems, strict=True)))


@dataclass(frozen=True)
class StemTriplet:
    """A query, and what it is compared with."""

    query: Clip
    same_voice: Crossed
    same_band: Crossed
    neither: Crossed

    @property
    def crossed(self) -> tuple[Crossed, Crossed, Crossed]:
        return self.same_voice, self.same_band, self.neither


def plan_triplets(clips: Sequence[Clip], seed: int) -> tuple[StemTriplet, ...]:
    """MAX_TRIPLETS at most, one for each query, drawn at random; none where stems do not suffice.

    A query's singer has another song, which is heard in front of the band of somebody else's.
    """
    rng = np.random.default_rng([seed, 9])
    able = [clip for clip in clips if stems(clip)]
    singers = np.array([clip.singer for clip in able])
    songs = np.array([clip.song for clip in able])
    triplets: list[StemTriplet] = []
    for query in rng.permutation(len(able)):
        own = np.flatnonzero((singers == singers[query]) & (songs != songs[query]))
        strange = np.flatnonzero(singers != singers[query])
        if len(triplets) == MAX_TRIPLETS or not len(own) or len(strange) < MIN_STRANGE:
            continue
        own_band, other_voice, strange_voice = rng.choice(strange, 3)
        bands = strange[~np.isin(strange, (own_band, strange_voice))]
        triplets.append(
            StemTriplet(
                able[query],
                Crossed(able[rng.choice(own)], able[own_band]),
                Crossed(able[other_voice], able[query]),
                Crossed(able[strange_voice], able[rng.choice(bands)]),
            )
        )
    return tuple(triplets)


def crossed_clips(triplets: Sequence[StemTriplet]) -> tuple[Clip, ...]:
    """All that the triplets ask for, each once."""
    wanted = {one.stems: one.clip for triplet in triplets for one in triplet.crossed}
    return tuple(wanted.values())
