"""Find the directions in which songs differ most to MusiCNN, and add them to its checkpoint.

    python resources/models/fit_musicnn_axes.py TABLE

TABLE (CSV: path, kind, use, licence) names vocals, speech and accompaniments; rows for which others
than everybody's use is stated are left out. Every accompaniment is cut into parts of 20 s, with and
without a voice over it.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from engine.models import SAMPLE_RATE_HZ, SEGMENT_SAMPLES, band
from engine.models.checkpoint import load_tensors, read_manifest, save_checkpoint
from engine.networks.musicnn import Musicnn, musicnn_config
from engine.sound.audio import decode

FOLDER = Path(__file__).resolve().parent / "musicnn"
PART_SAMPLES = 4 * SEGMENT_SAMPLES
NOT_FREE = ("gpl", "approval", "bigoted")
MAX_LEVEL_DB = 6.0  # of a voice, above or below the accompaniment
SILENT = 1e-3


def sound(path: Path, end_s: float | None = None) -> np.ndarray:
    chunks = decode(path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=1, end_s=end_s)
    return np.concatenate([chunk[0] for chunk in chunks])


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def songs(table: Path) -> list[np.ndarray]:
    """(4, 80,000) float32 each: parts of accompaniments alone, and with a voice."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["use"] == "train"]
    rows = [row for row in rows if not any(word in row["licence"].lower() for word in NOT_FREE)]
    rng = np.random.default_rng(0)
    voices = [row["path"] for row in rows if row["kind"] in ("vocals", "speech")]
    found = []
    for row in rows:
        if row["kind"] != "accompaniment":
            continue
        backing = sound(table.parent / row["path"])
        for part in backing[: len(backing) // PART_SAMPLES * PART_SAMPLES].reshape(-1, PART_SAMPLES):
            if level(part) < SILENT:
                continue
            path = table.parent / str(rng.choice(voices))
            voice = np.resize(sound(path, PART_SAMPLES / SAMPLE_RATE_HZ), PART_SAMPLES)
            gain = level(part) / level(voice) * 10 ** (rng.uniform(-1, 1) * MAX_LEVEL_DB / 20)
            found += [part.reshape(4, -1), (part + gain * voice).reshape(4, -1)]
    return found


def main() -> None:
    manifest, tensors = read_manifest(FOLDER), load_tensors(FOLDER, read_manifest(FOLDER))
    tensors.pop(band.AXES, None)
    network = Musicnn(musicnn_config(manifest.config))
    network.load_state_dict(
        {n.removeprefix("network."): t for n, t in tensors.items() if n.startswith("network.")}
    )
    model = band.BandModel(
        manifest, network, band.geometry_of(network, None), torch.device("cpu")
    )
    bands = [model.embed_segments(song).mean(0) for song in songs(Path(sys.argv[1]))]
    placed = model.geometry("overall").place(np.stack(bands))
    _, lengths, axes = np.linalg.svd(placed - placed.mean(0), full_matrices=False)
    kept = float((lengths[: band.NUM_AXES] ** 2).sum() / (lengths**2).sum())
    tensors[band.AXES] = torch.from_numpy(axes[: band.NUM_AXES].astype(np.float32))
    training = {
        "axes": f"principal axes of {len(bands)} parts of 20 s: accompaniments, alone and with "
        f"voices; {100 * kept:.1f} % of their variance",
    }
    stored = {name: tensor.half() for name, tensor in tensors.items()}
    save_checkpoint(FOLDER, replace(manifest, training=training), stored)
    print(training["axes"])


if __name__ == "__main__":
    main()
