"""A tiny data set of voices that differ, and all_embeddings made of given vectors."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.signal import lfilter
from support.sound import buzz, write_wav

from engine.evaluation.bootstrap import replicate_weights
from engine.evaluation.cache import path_of, save
from engine.evaluation.embeddings import EmbeddedData, ModelEmbeddings
from engine.evaluation.evaluation_data import Clip, Input
from engine.evaluation.results import Context, Options
from engine.models.geometry import Geometry
from engine.progress import CancelToken, ignore_progress

RATE_HZ = 16_000
SINGERS = ("Ann", "Bea", "Cem", "Dag")
FORMANTS_HZ = (400.0, 900.0, 1700.0, 3000.0)


def voice(singer: int, song: int, seconds: float) -> np.ndarray:
    """(n,) float32: a tone with one resonance, which is the singer's; the song sets its pitch."""
    angle = 2 * np.pi * FORMANTS_HZ[singer] / RATE_HZ
    resonance = [1.0, -2 * 0.97 * np.cos(angle), 0.97**2]
    sound = lfilter([1.0], resonance, buzz(seconds, RATE_HZ, 120 + 5 * song))
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def backing(seed: int, seconds: float) -> np.ndarray:
    """(n,) float32: soft noise through a random filter."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(round(seconds * RATE_HZ))
    return (0.02 * lfilter([1.0, rng.uniform(-0.9, 0.9)], [1.0], noise)).astype(np.float32)


def write_table(folder: Path, num_songs: int = 3, seconds: float = 5.5) -> Path:
    """Stems of songs by four singers, with their table."""
    rows = []
    for singer, name in enumerate(SINGERS):
        for song in range(num_songs):
            stems = {
                "vocals": voice(singer, song, seconds),
                "accompaniment": backing(100 * singer + song, seconds),
            }
            for kind, sound in stems.items():
                path = write_wav(folder / f"{name}-{song}.{kind}.wav", sound, RATE_HZ)
                group = "low" if singer < 2 else "high"
                rows.append([path.name, name, f"Song {song}", kind, group])
    table = folder / "songs.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["path", "singer", "song", "kind", "group"], *rows])
    return table


def make_embeddings(
    vectors: np.ndarray,
    singers: Sequence[str],
    songs: Sequence[str] | None = None,
    albums: Sequence[str] | None = None,
    *,
    model: str = "m",
    source: Input = "vocals",
    labels: Sequence[dict[str, str]] | None = None,
    cache: Path | None = None,
    excerpts: Sequence[np.ndarray] = (),
    centre: np.ndarray | None = None,
) -> ModelEmbeddings:
    """Embeddings without sound: means as given, and excerpts where there is a cache for them."""
    num = len(singers)
    songs = songs or [str(i) for i in range(num)]
    albums = albums or [""] * num
    labels = labels or [{}] * num
    clips = tuple(Clip(*row) for row in zip(singers, songs, albums, labels, strict=True))
    folder = cache or Path("unused")
    paths = tuple(path_of(folder, "0" * 16, model, str(i)) for i in range(num))
    for path, values in zip(paths, excerpts, strict=False):
        save(path, values, np.ones(len(values)))
    axes = np.eye(np.asarray(vectors).shape[1])
    geometry = None if centre is None else Geometry(centre, axes, axes)
    means, num_segments = np.asarray(vectors, np.float32), np.ones(num, np.int64)
    return ModelEmbeddings(model, source, clips, means, num_segments, geometry, paths)


def context_of(
    *all_embeddings: ModelEmbeddings, folder: Path = Path("unused"), **options: object
) -> Context:
    settings = Options(**{"num_replicates": 50, **options})  # type: ignore[arg-type]
    return Context(
        EmbeddedData(all_embeddings, "", ()), settings, folder, ignore_progress, CancelToken()
    )


def weights_of(embeddings: ModelEmbeddings, num_replicates: int = 50) -> np.ndarray:
    return replicate_weights(embeddings.num_artists, num_replicates, 0)
