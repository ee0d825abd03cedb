"""Tiny prepared data sets, made of noise with a colour of its own for each artist."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np

from engine.models.segments import SEGMENT_SAMPLES
from training.data.data_set import FORMAT_VERSION, PARTS, SEGMENT_DTYPE, Dataset, shard_path

RATE_HZ = 16_000


def write_dataset(
    folder: Path, num_artists: int = 6, num_songs: int = 2, num_segments: int = 2, seed: int = 0
) -> Dataset:
    """Two thirds of the artists train, the others validate. Every segment has vocals."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows, table = [], []
    num_train = num_artists * 2 // 3
    for artist in range(num_artists):
        pitch_hz = 150.0 * 1.3**artist
        for song in range(num_songs):
            for segment in range(num_segments):
                time_s = np.arange(SEGMENT_SAMPLES) / RATE_HZ
                vocals = np.sin(2 * np.pi * pitch_hz * time_s + rng.uniform(0, 6))
                vocals += 0.1 * rng.standard_normal(SEGMENT_SAMPLES)
                backing = rng.standard_normal(SEGMENT_SAMPLES)
                rows.append(np.stack([0.2 * vocals + 0.1 * backing, 0.2 * vocals]))
                part = 0 if artist < num_train else 1
                track = artist * num_songs + song
                number = len(table)
                table.append(
                    (0, number, track, artist, part, True, number, 5.0 * segment, 0.1, -15.0)
                )
    stems = np.rint(np.stack(rows).clip(-1, 1) * 32767).astype("<i2")
    stems.tofile(shard_path(folder, 0))
    np.save(folder / "segments.npy", np.array(table, SEGMENT_DTYPE))
    info = {
        "format_version": FORMAT_VERSION,
        "options": {},
        "artists": [f"artist {number}" for number in range(num_artists)],
        "summary": {},
        "sources": [
            {
                "corpus": "noise",
                "kind": "stems",
                "licence": "CC0",
                "num_songs": num_artists * num_songs,
                "minutes": 1.0,
                "artists": ["artist 0"],
            }
        ],
    }
    (folder / "dataset.json").write_text(json.dumps(info), encoding="utf-8")
    assert PARTS[:2] == ("train", "valid")
    return Dataset.open(folder)


def write_voice(path: Path, seconds: float, pitch_hz: float, level: float = 0.2) -> Path:
    """A WAV file of a buzzing tone at 16 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tone = np.sign(np.sin(2 * np.pi * pitch_hz * time_s)) * level
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.rint(tone * 32767).astype("<i2").tobytes())
    return path
