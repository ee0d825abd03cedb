"""Fit how bands and voices are compared, and make the model of the whole sound from two models.

    python resources/checkpoints/fit_overall.py DATA...

DATA: prepared data sets (``singalike train prepare``) with voices alone and accompaniments alone.
Songs are made of a voice over an accompaniment; a query's first half is compared with the second
half of both, of its voice over another accompaniment, of another voice over its own, and with all
songs of neither. Half of the voices and of the accompaniments fit what the others are measured and
calibrated on; what is kept is fitted on all.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

from engine import models
from engine.models import band
from engine.models.calibration import Calibration
from engine.models.calibration import fit as fit_calibration
from engine.models.checkpoint import Manifest, load_tensors, read_manifest, save_checkpoint
from engine.models.geometry import Geometry
from engine.models.overall import OverallGeometry, overall_tensors
from engine.search.index.centre import placed
from training.data.data_set import Dataset, open_datasets

HERE = Path(__file__).resolve().parent
BAND, VOICE, NAME = "musicnn", "singalike-3", "singalike-3-overall"
BAND_FOLDER = HERE.parent / "models" / BAND
NUM_QUERIES, SEGMENTS_EACH = 200, 3
LEVEL_DB = (-4.0, 8.0)  # of a voice, relative to the accompaniment
FIGURES = ("both", "voice", "band")  # % of triplets
AIMS = {"both": 80.0, "voice": 82.0}  # the band: as much as these leave it
SHARES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)  # of the band, of which one is chosen
BAND_SHRINKAGE = 0.1  # of the mean variance within a band; 0.03 to 0.3 do alike
VOICE_SHRINKAGE = 2.0  # of the mean variance of voices; 1 to 5 do alike
NUM_SPLITS = 32
# of each kind of song, which of a query's two voices and two accompaniments are in it
PARTS = {"query": (0, 0), "both": (0, 0), "voice": (0, 1), "band": (1, 0), "neither": (1, 1)}
SEED = 16

Heard = dict[str, np.ndarray]  # by kind, (num_queries, ...)
Figures = dict[str, float]  # %, as FIGURES


@dataclass(frozen=True, eq=False)
class MadeUp:
    """What both models hear in songs that were made up.

    Attributes:
        bands, voices: means over a song's segments, by kind of song.
        persons, tracks: (num_queries, 2) int: who sings, and over what: its own and another.
    """

    bands: Heard
    voices: Heard
    persons: np.ndarray
    tracks: np.ndarray

    @property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        return self.persons, self.tracks

    def of_songs(self) -> tuple[np.ndarray, np.ndarray]:
        """(num_songs,) of each: who sings, and over what, in the order of PARTS."""
        return tuple(
            np.concatenate([numbers[:, which[i]] for which in PARTS.values()])
            for i, numbers in enumerate(self.numbers)
        )


def halves(dataset: Dataset, is_voice: bool) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Rows of first and second half, and a number, of every person or track long enough."""
    table, found = dataset.segments, []
    is_own = table["clean"] == np.arange(len(table))
    wanted = is_own & (table["has_vocals"] if is_voice else table["vocal_level"] == 0)
    persons = np.unique(dataset.persons, return_inverse=True)[1]
    for label in np.unique(table["artist" if is_voice else "track"][wanted]):
        rows = np.flatnonzero(wanted & (table["artist" if is_voice else "track"] == label))
        if len(rows) >= 2 * SEGMENTS_EACH:
            number = persons[table["artist"][rows[0]]] if is_voice else label
            found.append((rows[:SEGMENTS_EACH], rows[-SEGMENTS_EACH:], int(number)))
    return found


def make_up(dataset: Dataset, rng: np.random.Generator) -> MadeUp:
    voices, backings = halves(dataset, True), halves(dataset, False)
    print(f"{len(voices)} voices, {len(backings)} accompaniments")
    ears = [models.load(name) for name in (BAND, VOICE)]
    heard: tuple[dict[str, list[np.ndarray]], ...] = tuple(
        {kind: [] for kind in PARTS} for _ in ears
    )
    persons, tracks = [], []
    for _ in range(NUM_QUERIES):
        own = voices[rng.integers(len(voices))]
        strange = [voice for voice in voices if voice[2] != own[2]]
        who = own, strange[rng.integers(len(strange))]
        what = [backings[i] for i in rng.choice(len(backings), 2, replace=False)]
        persons.append([voice[2] for voice in who])
        tracks.append([backing[2] for backing in what])
        for kind, (which_voice, which_band) in PARTS.items():
            half = 0 if kind == "query" else 1
            song = mixed(dataset, who[which_voice][half], what[which_band][half], rng)
            for ear, found in zip(ears, heard, strict=True):
                found[kind].append(ear.embed_segments(song).mean(0))
    bands, sung = ({kind: np.stack(some) for kind, some in found.items()} for found in heard)
    return MadeUp(bands, sung, np.array(persons), np.array(tracks))


def mixed(
    dataset: Dataset, voice: np.ndarray, backing: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Rows of a voice and of an accompaniment -> (SEGMENTS_EACH, 80,000)."""
    one, other = (dataset.read(rows)[:, 0].astype(np.float32) for rows in (voice, backing))
    levels = [np.sqrt(np.mean(part**2)) + 1e-9 for part in (one, other)]
    gain = 10 ** (rng.uniform(*LEVEL_DB) / 20) * levels[1] / levels[0]
    return np.asarray(gain * one + other)


def shortened(covariance: np.ndarray, shrinkage: float) -> np.ndarray:
    """(dim, dim), symmetric: directions of large variance become shorter, the others stay."""
    variances, directions = np.linalg.eigh(covariance)
    scales = 1 / np.sqrt(variances + shrinkage * variances.mean())
    return np.asarray((directions * scales) @ directions.T)


def band_axes(songs: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """(n, dim), (n,) -> (NUM_AXES, dim): where songs differ most, shortened where one band's do.

    What differs in the songs of one band here is the voice over it, and the half of its music
    (within-class covariance normalisation; Hatch et al., 2006).
    """
    axes = np.linalg.svd(songs - songs.mean(0), full_matrices=False)[2][: band.NUM_AXES]
    numbers, counts = np.unique(tracks, return_inverse=True, return_counts=True)[1:]
    means = np.zeros((len(counts), len(axes)))
    np.add.at(means, numbers, songs @ axes.T)
    means /= counts[:, None]
    within = songs @ axes.T - means[numbers]
    covariance = within.T @ within / (len(songs) - len(counts))
    return np.asarray(shortened(covariance, BAND_SHRINKAGE) @ axes, np.float32)


def voice_transform(voices: np.ndarray) -> np.ndarray:
    """(n, dim) placed -> (dim, dim): directions in which all voices differ are shortened.

    Voices of two singers then have cosines nearer to 0, so that they say less against a band.
    """
    rest = voices - voices.mean(0)
    return np.asarray(shortened(rest.T @ rest / len(rest), VOICE_SHRINKAGE), np.float32)


@cache
def own_geometry() -> tuple[np.ndarray, np.ndarray, Geometry]:
    """Mean and deviation of what the band model hears, and how the voice model compares."""
    manifest = read_manifest(BAND_FOLDER)
    network = band.network_of(manifest, load_tensors(BAND_FOLDER, manifest))
    return *network.pooled_statistics(), models.load(VOICE).geometry("overall")


def fitted(songs: MadeUp, persons: np.ndarray, tracks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axes of bands and transform of voices, by the songs of some persons and of some tracks."""
    mean, deviation, voice = own_geometry()
    who, what = songs.of_songs()
    heard = np.concatenate(list(songs.bands.values())), np.concatenate(list(songs.voices.values()))
    is_known, is_sung = np.isin(what, tracks), np.isin(who, persons)
    axes = band_axes((heard[0][is_known] - mean) / deviation, what[is_known])
    return axes, voice_transform(voice.place(heard[1][is_sung]))


def compared(songs: MadeUp, axes: np.ndarray, transform: np.ndarray, share: float) -> Heard:
    """Vectors of unit length by kind, as in a library of all of them."""
    mean, deviation, voice = own_geometry()
    bands = Geometry(mean, axes / deviation, axes[:1] / deviation)
    geometry = OverallGeometry(bands, voice.followed_by(transform), share)
    vectors = {
        kind: geometry.place(np.concatenate([songs.bands[kind], songs.voices[kind]], axis=1))
        for kind in PARTS
    }
    centre = np.concatenate(list(vectors.values())).mean(0)
    return {kind: placed(some, centre) for kind, some in vectors.items()}


def measure(
    songs: MadeUp, vectors: Heard, is_held_out: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of queries that fitted nothing, (num_queries,) bool.

    Returns:
        (num_held_out, 4) cosines with both, voice, band and neither of each query's own; (4,) how
        many triplets have both, the voice, the band nearer than neither, and how many there are,
        each query against the songs of neither of all queries.
    """
    query, *others = (vectors[kind][is_held_out] for kind in PARTS)
    cosines = np.stack([(query * other).sum(1) for other in others], axis=1)
    strange = query @ others[-1].T
    is_strange = np.full(strange.shape, True)
    for numbers in (numbers[is_held_out] for numbers in songs.numbers):
        is_strange &= numbers[:, :1] != numbers[:, 1]
    voice, same = ((cosines[:, [i]] > strange) & is_strange for i in (1, 2))
    return cosines, np.array([np.sum(one) for one in (voice & same, voice, same, is_strange)])


def held_out(songs: MadeUp, rng: np.random.Generator) -> dict[float, tuple[Figures, np.ndarray]]:
    """By share: % of triplets, and (n, 4) cosines, of several splits into halves together."""
    found: dict[float, list[tuple[np.ndarray, np.ndarray]]] = {share: [] for share in SHARES}
    for _ in range(NUM_SPLITS):
        used = [rng.permutation(np.unique(numbers))[::2] for numbers in songs.numbers]
        fit = fitted(songs, *used)
        is_used = [np.isin(n, some) for n, some in zip(songs.numbers, used, strict=True)]
        is_held_out = ~np.hstack(is_used).any(1)
        for share, parts in found.items():
            parts.append(measure(songs, compared(songs, *fit, share), is_held_out))
    figures = {}
    for share, parts in found.items():
        counts = np.sum([count for _, count in parts], axis=0)
        shares = dict(zip(FIGURES, (100 * counts[:3] / counts[3]).tolist(), strict=True))
        figures[share] = shares, np.concatenate([cosines for cosines, _ in parts])
    return figures


def main() -> None:
    dataset = open_datasets(list(map(Path, sys.argv[1:])))
    songs = make_up(dataset, np.random.default_rng(SEED))
    found = held_out(songs, np.random.default_rng(SEED))
    share = max(share for share in found if all(found[share][0][n] >= AIMS[n] for n in AIMS))
    lines = [
        "share {}: both {both:.1f} %, voice {voice:.1f}, band {band:.1f}".format(one, **figures)
        for one, (figures, _) in found.items()
    ]
    cosines = found[share][1]
    is_both = np.tile([True, False, False, False], len(cosines))
    calibration = fit_calibration(cosines.ravel(), is_both)
    for kind, some in zip(list(PARTS)[1:], cosines.T, strict=True):
        chances = np.array([calibration.probability(float(cosine)) for cosine in some])
        shown = (100 * float((chances >= limit).mean()) for limit in (0.5, 0.8))
        lines.append("{}: {:.1f} % shown as 50 % and more, {:.1f} % as 80 %".format(kind, *shown))
    print("\n".join(lines))
    write(*fitted(songs, *songs.numbers), share, calibration, lines)


def write(
    axes: np.ndarray,
    transform: np.ndarray,
    share: float,
    calibration: Calibration,
    lines: list[str],
) -> None:
    """Axes into the band's checkpoint, all else into that of the whole."""
    manifest = read_manifest(BAND_FOLDER)
    tensors = load_tensors(BAND_FOLDER, manifest) | {band.AXES: torch.from_numpy(axes)}
    about = f"fitted on {5 * NUM_QUERIES} songs: of one band, voices are what differs"
    halved = {name: tensor.half() for name, tensor in tensors.items()}
    written = save_checkpoint(BAND_FOLDER, replace(manifest, training={"axes": about}), halved)
    whole = Manifest(
        NAME,
        models.OVERALL,
        "Singalike 3, whole sound",
        "Hears what kind of music it is and who sings, as one: MusiCNN and Singalike 3.",
        "Apache-2.0 AND ISC",
        "",
        {"band": BAND, "voice": VOICE},
        metrics={"made_up_songs": lines},
        calibration={"overall": asdict(calibration)},
    )
    identities = written.identity, models.manifest_of(VOICE).identity
    save_checkpoint(HERE / NAME, whole, overall_tensors(share, transform, identities))


if __name__ == "__main__":
    main()
