"""Fit how bands are compared, and make the model of the whole sound from a band and a voice model.

    python resources/checkpoints/fit_overall.py DATA...

DATA: prepared data sets (``singalike train prepare``) with voices alone and accompaniments alone.
Songs are made of a voice over an accompaniment; a query's first half is compared with the second
half of both, of its voice over another accompaniment, of another voice over its own, of neither.
Half of the queries fit what the other half is measured and calibrated on; what is kept is fitted
on all.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from engine import models
from engine.models import Geometry, band
from engine.models.calibration import fit as fit_calibration
from engine.models.checkpoint import (
    MANIFEST_NAME,
    Manifest,
    load_tensors,
    read_manifest,
    save_checkpoint,
)
from engine.models.overall import OverallGeometry, identity_of
from engine.search.index.centre import placed
from training.data.data_set import Dataset, open_datasets

HERE = Path(__file__).resolve().parent
BAND, VOICE, NAME = "musicnn", "singalike-3", "singalike-3-overall"
BAND_FOLDER = HERE.parent / "models" / BAND
NUM_QUERIES, SEGMENTS_EACH = 200, 3
LEVEL_DB = (-4.0, 8.0)  # of a voice, relative to the accompaniment
SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
BAND_SHARE = 0.6  # the largest of those with which most queries have both right
SHRINKAGE = 0.3  # of the mean variance within a band; 0.1 to 3 do alike
KINDS = ("query", "both", "voice", "band", "neither")
SEED = 16

Heard = dict[str, np.ndarray]  # by kind, (num_queries, dim)


def halves(dataset: Dataset, is_voice: bool) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Rows of first and second half, and the number of the person, of every track long enough."""
    table, found = dataset.segments, []
    is_own = table["clean"] == np.arange(len(table))
    wanted = is_own & (table["has_vocals"] if is_voice else table["vocal_level"] == 0)
    persons = np.unique(dataset.persons, return_inverse=True)[1]
    for label in np.unique(table["artist" if is_voice else "track"][wanted]):
        rows = np.flatnonzero(wanted & (table["artist" if is_voice else "track"] == label))
        if len(rows) >= 2 * SEGMENTS_EACH:
            person = persons[table["artist"][rows[0]]]
            found.append((rows[:SEGMENTS_EACH], rows[-SEGMENTS_EACH:], int(person)))
    return found


def sounds(dataset: Dataset, rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """(SEGMENTS_EACH, 80,000) each, by kind."""
    voices, bands = halves(dataset, True), halves(dataset, False)
    print(f"{len(voices)} voices, {len(bands)} accompaniments")

    def song(voice: np.ndarray, backing: np.ndarray) -> np.ndarray:
        one, other = (dataset.read(rows)[:, 0].astype(np.float32) for rows in (voice, backing))
        levels = [np.sqrt(np.mean(part**2)) + 1e-9 for part in (one, other)]
        gain = 10 ** (rng.uniform(*LEVEL_DB) / 20) * levels[1] / levels[0]
        return np.asarray(gain * one + other)

    made: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    for _ in range(NUM_QUERIES):
        own = voices[rng.integers(len(voices))]
        strange = [voice for voice in voices if voice[2] != own[2]]
        other = strange[rng.integers(len(strange))]
        here, there = (bands[i] for i in rng.choice(len(bands), 2, replace=False))
        made["query"].append(song(own[0], here[0]))
        made["both"].append(song(own[1], here[1]))
        made["voice"].append(song(own[1], there[1]))
        made["band"].append(song(other[1], here[1]))
        made["neither"].append(song(other[1], there[1]))
    return made


def hear(songs: dict[str, list[np.ndarray]], model: models.Model) -> Heard:
    return {
        kind: np.stack([model.embed_segments(one).mean(0) for one in some])
        for kind, some in songs.items()
    }


def band_axes(standardised: Heard) -> np.ndarray:
    """(NUM_AXES, dim): where songs differ most, shortened where one band's songs do.

    What differs in the songs of one band here is the voice over it (within-class covariance
    normalisation; Hatch et al., 2006).
    """
    songs = np.concatenate(list(standardised.values()))
    axes = np.linalg.svd(songs - songs.mean(0), full_matrices=False)[2][: band.NUM_AXES]
    query, both, voice, same, neither = (standardised[kind] for kind in KINDS)
    within = np.concatenate([query - same, both - same, voice - neither]) @ axes.T
    variances, directions = np.linalg.eigh(within.T @ within / len(within))
    scales = 1 / np.sqrt(variances + SHRINKAGE * variances.mean())
    return np.asarray((directions * scales) @ directions.T @ axes, np.float32)


def cosines(bands: Heard, voices: Heard, geometry: OverallGeometry) -> Heard:
    """(num_queries,) of each query with the songs of each kind, as in a library of all of them."""
    songs = {k: geometry.place(np.concatenate([bands[k], voices[k]], axis=1)) for k in KINDS}
    centre = np.concatenate(list(songs.values())).mean(0)
    songs = {kind: placed(vectors, centre) for kind, vectors in songs.items()}
    return {kind: (songs["query"] * songs[kind]).sum(1) for kind in KINDS[1:]}


def main() -> None:
    songs = sounds(open_datasets(list(map(Path, sys.argv[1:]))), np.random.default_rng(SEED))
    bands, voices = hear(songs, models.load(BAND)), hear(songs, models.load(VOICE))
    manifest = read_manifest(BAND_FOLDER)
    tensors = load_tensors(BAND_FOLDER, manifest)
    mean, deviation = band.network_of(manifest, tensors).pooled_statistics()
    standardised = {kind: (some - mean) / deviation for kind, some in bands.items()}
    voice_geometry = models.load(VOICE).geometry("overall")

    def held_out(share: float) -> Heard:
        """Each half of the queries by axes that the other half gave."""
        parts = []
        for half in (0, 1):
            axes = band_axes({k: some[1 - half :: 2] for k, some in standardised.items()})
            geometry = Geometry(mean, axes / deviation, axes[:1] / deviation)
            mine = [{k: some[half::2] for k, some in heard.items()} for heard in (bands, voices)]
            parts.append(cosines(*mine, OverallGeometry(geometry, voice_geometry, share)))
        return {kind: np.concatenate([part[kind] for part in parts]) for kind in KINDS[1:]}

    lines = [line for share in SHARES for line in told(share, held_out(share))]
    found = held_out(BAND_SHARE)
    is_both = np.repeat([True, False, False, False], NUM_QUERIES)
    calibration = fit_calibration(np.concatenate(list(found.values())), is_both)
    for kind, some in found.items():
        chances = np.array([calibration.probability(float(cosine)) for cosine in some])
        shares = (100 * float((chances >= limit).mean()) for limit in (0.5, 0.8))
        lines.append("{}: {:.1f} % shown as 50 % and more, {:.1f} % as 80 %".format(kind, *shares))
    print("\n".join(lines))
    tensors[band.AXES] = torch.from_numpy(band_axes(standardised))
    about = f"fitted on {5 * NUM_QUERIES} songs: of one band, voices are what differs"
    halved = {name: tensor.half() for name, tensor in tensors.items()}
    written = save_checkpoint(BAND_FOLDER, replace(manifest, training={"axes": about}), halved)
    overall = Manifest(
        NAME,
        models.OVERALL,
        "Singalike 3, whole sound",
        "Hears what kind of music it is and who sings, as one: MusiCNN and Singalike 3.",
        "Apache-2.0 AND ISC",
        "",
        {"band": BAND, "voice": VOICE, "band_share": BAND_SHARE},
        metrics={"made_up_songs": lines},
        calibration={"overall": {"slope": calibration.slope, "offset": calibration.offset}},
        sha256=identity_of(written.identity, models.manifest_of(VOICE).identity, BAND_SHARE),
    )
    (HERE / NAME).mkdir(exist_ok=True)
    text = json.dumps(asdict(overall), indent=1) + "\n"
    (HERE / NAME / MANIFEST_NAME).write_text(text, encoding="utf-8")


def told(share: float, found: Heard) -> list[str]:
    voice, same = (found[kind] > found["neither"] for kind in ("voice", "band"))
    figures = [100 * float(right.mean()) for right in (voice & same, voice, same)]
    return ["share {:.1f}: both {:.1f} %, voice {:.1f}, band {:.1f}".format(share, *figures)]


if __name__ == "__main__":
    main()
