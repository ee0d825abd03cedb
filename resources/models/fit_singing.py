"""Fit which songs are sung, as a voice model hears them, and add it to the model's checkpoint.

    python resources/models/fit_singing.py CHECKPOINT TABLE...

TABLES (CSV: path, kind, licence, perhaps use) name vocals, speech and accompaniments; rows for which
others than everybody's use is stated are left out. Accompaniments are told from voices over them, and
alone, by a logistic regression on the embeddings of segments.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from engine import models
from engine.models.segments import SAMPLE_RATE_HZ, SEGMENT_SAMPLES, unit_energy
from engine.models.checkpoint import load_tensors, read_manifest, save_checkpoint
from engine.models.singing import BIAS, WEIGHT
from engine.sound.audio import decode

NOT_FREE = ("gpl", "approval", "bigoted")
SILENT = 1e-3
NUM_SEGMENTS = {"accompaniment": 8, "vocals": 3, "speech": 1}  # of a file, evenly spread
MAX_FILE_S = 240.0
VOICE_DB = (-12.0, 8.0)  # of a voice, relative to what it sings over
ALONE_SHARE = 0.15  # of the weight of voices, that have nothing beside them
PENALTY = 100.0  # on the squares of the weights, of standardised embeddings
# The mean over a song's segments decides, moved by so much: some songs are sung in a third of them.
MARGIN = 0.5
NUM_FOLDS = 11


def segments(path: Path, num: int) -> np.ndarray:
    """(at most num, 80,000) float32 of unit energy, evenly spread over what is not silent."""
    chunks = decode(path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=1, end_s=MAX_FILE_S)
    samples = np.concatenate([chunk[0] for chunk in chunks])
    whole = samples[: len(samples) // SEGMENT_SAMPLES * SEGMENT_SAMPLES].reshape(
        -1, SEGMENT_SAMPLES
    )
    heard = whole[np.sqrt(np.mean(whole**2, axis=1)) > SILENT]
    chosen = np.linspace(0, len(heard) - 1, min(num, len(heard))).astype(int)
    return unit_energy(heard[chosen])


def read(tables: list[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Segments of voices, and of accompaniments, with the number of the file of each of these."""
    voices, backings = list[np.ndarray](), list[np.ndarray]()
    for table in tables:
        with table.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("use", "train") == "train"]
        for row in rows:
            is_free = not any(word in row.get("licence", "").lower() for word in NOT_FREE)
            if is_free and (num := NUM_SEGMENTS.get(row["kind"])):
                found = backings if row["kind"] == "accompaniment" else voices
                found.append(segments(table.parent / row["path"], num))
    files = np.repeat(np.arange(len(backings)), [len(found) for found in backings])
    return np.concatenate(voices), np.concatenate(backings), files


def fit(kinds: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """(dim,) and bias, from embeddings of accompaniments, of mixtures, of voices alone."""
    shares = (1.0, 1 - ALONE_SHARE, ALONE_SHARE)
    x, is_sung = np.concatenate(kinds), np.repeat([False, True, True], [len(k) for k in kinds])
    weights = np.repeat(
        [s / len(k) for s, k in zip(shares, kinds, strict=True)], [len(k) for k in kinds]
    )
    mean, deviation = x.mean(0), x.std(0)
    model = LogisticRegression(C=1 / PENALTY, max_iter=3000)
    model.fit((x - mean) / deviation, is_sung, sample_weight=weights / weights.mean())
    direction = model.coef_[0] / deviation
    return direction, float(model.intercept_[0] - direction @ mean) + MARGIN


def check(kinds: list[np.ndarray], of_backings: np.ndarray, of_mixtures: np.ndarray) -> None:
    """Tell how accompaniments fare that are held out with all mixtures over them."""
    backings, mixtures, voices = kinds
    is_sung, heard = list[bool](), list[bool]()
    for fold in range(NUM_FOLDS):
        ours, theirs = of_backings % NUM_FOLDS == fold, of_mixtures % NUM_FOLDS == fold
        direction, bias = fit([backings[~ours], mixtures[~theirs], voices])
        for file in np.unique(of_backings[ours]):
            is_sung.append(np.mean(backings[of_backings == file] @ direction) + bias > 0)
        heard += (mixtures[theirs] @ direction + bias > MARGIN).tolist()
    print(f"Of {len(is_sung)} accompaniments held out {100 * np.mean(is_sung):.1f} % count as sung, "
          f"of segments of mixtures over them {100 * np.mean(heard):.1f} %.")  # fmt: skip


def main() -> None:
    folder, tables = Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]]
    model = models.load(str(folder))
    voices, backings, files = read(tables)
    rng = np.random.default_rng(0)
    under = rng.integers(len(backings), size=len(voices))
    gains = 10 ** (rng.uniform(*VOICE_DB, (len(voices), 1)) / 20)
    mixtures = (backings[under] + gains * voices).astype(np.float32)
    kinds = [model.embed_segments(kind) for kind in (backings, mixtures, voices)]
    check(kinds, files, files[under])
    direction, bias = fit(kinds)
    put(folder, direction, bias)


def put(folder: Path, direction: np.ndarray, bias: float) -> None:
    manifest = read_manifest(folder)
    stored = load_tensors(folder, manifest, as_stored=True)
    stored[WEIGHT] = torch.from_numpy(direction.astype(np.float32))
    stored[BIAS] = torch.tensor([bias], dtype=torch.float32)
    # what it hears is the same as before
    save_checkpoint(folder, replace(manifest, known_as=manifest.identity), stored)


if __name__ == "__main__":
    main()
