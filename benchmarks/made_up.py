"""Made-up libraries of any size, spread like real ones. For the benchmarks of search and library.

What is imitated was measured on real music: how the variance of ``singalike-2``'s embeddings falls
off over their directions, between 125 voices and between the songs of one (LibriSpeech, voicebanks
and MIR-1K, separated), and the cosines in a library of 31 songs: between songs of two artists
0.04 / 0.28 / 0.53 (10th percentile, median, 90th), of one artist 0.56 / 0.73 / 0.85. Here they are
0.08 / 0.29 / 0.48 and 0.54 / 0.74 / 0.87. Artists have 1 to some 100 songs, half of them 6 or less.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.library import Library, Tags, codec, files
from engine.records import MomentCodes, SpaceKey, View

DIMS: dict[View, int] = {"vocals": 192, "overall": 384}  # of the models that serve by default
VIEWS = tuple(DIMS)
BATCH = 50_000
# (direction, share of the variance); in between, their logarithms are interpolated
_SINGERS = ((0, 0.246), (3, 0.054), (7, 0.033), (15, 0.013), (31, 4e-3), (63, 3e-4), (127, 1e-5))
_SONGS = ((0, 0.124), (3, 0.055), (7, 0.03), (15, 0.018), (31, 8.5e-3), (63, 1.5e-3), (127, 5e-6))
_MEAN, _SINGER, _SONG = 0.28, 0.45, 0.27  # what of a squared length of 1 is due to each


def artists(num_songs: int, seed: int = 0) -> np.ndarray:
    """(num_songs,) int64: the number of each song's artist, ascending."""
    random = np.random.default_rng(seed)
    sizes = np.maximum(1, random.lognormal(np.log(6), 1, num_songs)).astype(np.int64)
    return np.repeat(np.arange(num_songs), sizes)[:num_songs]


def voices(artist_of: np.ndarray, dim: int, seed: int, out: np.ndarray | None = None) -> np.ndarray:
    """(num_songs, dim) float32, rows L2-normalised; into ``out`` where it is given."""
    random = np.random.default_rng([seed, dim])
    num_artists = int(artist_of[-1]) + 1
    mean = random.standard_normal(dim)
    mean *= np.sqrt(_MEAN) / np.linalg.norm(mean)
    axes = [np.linalg.qr(random.standard_normal((dim, dim)))[0] for _ in range(2)]
    to_singer = (_spread(_SINGERS, _SINGER, dim)[:, None] * axes[0]).astype(np.float32)
    to_song = (_spread(_SONGS, _SONG, dim)[:, None] * axes[1]).astype(np.float32)
    is_varied = random.lognormal(0, 0.25, num_artists).astype(np.float32)
    singers = random.standard_normal((num_artists, dim), np.float32)
    songs = np.empty((len(artist_of), dim), np.float32) if out is None else out
    for start in range(0, len(artist_of), BATCH):
        who = artist_of[start : start + BATCH]
        first = who[0]
        centres = mean.astype(np.float32) + singers[first : who[-1] + 1] @ to_singer
        own = random.standard_normal((len(who), dim), np.float32) @ to_song
        some = centres[who - first] + is_varied[who][:, None] * own
        songs[start : start + BATCH] = some / np.linalg.norm(some, axis=1, keepdims=True)
    return songs


def _spread(points: Sequence[tuple[int, float]], total: float, dim: int) -> np.ndarray:
    """Standard deviations along ``dim`` directions whose variances add up to ``total``.

    Networks with more dimensions are taken to use somewhat more of them: their root.
    """
    directions, shares = zip(*points, (256, 1e-8), strict=True)
    variances = np.exp(np.interp(np.arange(dim) * (256 / dim) ** 0.5, directions, np.log(shares)))
    return np.sqrt(total * variances / variances.sum())


def space_key(view: View, dim: int) -> SpaceKey:
    """The default model's space, so that searches find it without being told; else a toy's."""
    from engine import models, separation
    from engine.models.checkpoint import read_manifest

    separator = separation.DEFAULT if view == "vocals" else None
    name = models.default_model_name(view)
    folder = next(info.folder for info in models.available() if info.name == name)
    return SpaceKey(name, read_manifest(folder).identity, view, separator, dim)


def make(path: Path, num_songs: int, dim: int | None = None) -> None:
    """A library in both default spaces. Its files do not exist, and no graphs are built.

    ``dim``: of both; else as the default models have them, so that they can go on listening.
    """
    artist_of = artists(num_songs)
    with Library.open(path) as library:
        add_tracks(library, path.parent / "no music", artist_of)
        for number, view in enumerate(VIEWS):
            size = dim or DIMS[view]
            space_id = library.space_id(space_key(view, size))
            add_embeddings(library, space_id, voices(artist_of, size, number))


def add_tracks(library: Library, folder: Path, artist_of: np.ndarray) -> None:
    """Indexed tracks with ids from 1, whose files need not exist; 3 to 6 minutes long."""
    folder_id = library.add_folder(folder).id
    random = np.random.default_rng(1)
    lengths_s = random.uniform(180, 360, len(artist_of)).tolist()
    with library.database.write() as db:
        for number, artist in enumerate(artist_of.tolist()):
            tags = Tags(
                f"Song {number}", f"Singer {artist}", f"Album {number // 12}", "",
                f"Genre {artist % 14}", 1950 + number // 12 % 75, number % 12 + 1,
            )  # fmt: skip
            place = f"Singer {artist}/Album {number // 12}/{number:07d}.mp3".encode()
            found = files.Sighting(folder_id, place, 4_000_000 + number, number, tags)
            files.add(db, found.columns() | {"audio_hash": f"{number:064x}"})
        db.executemany(
            "UPDATE track SET state = 'indexed', duration_s = ? WHERE id = ?",
            zip(lengths_s, range(1, len(lengths_s) + 1), strict=True),
        )


def add_embeddings(library: Library, space_id: int, vectors: np.ndarray) -> None:
    """One for each track from id 1 on, with the moments of a song of four minutes."""
    for start in range(0, len(vectors), BATCH):
        with library.database.write() as db:
            _add_some(db, space_id, start, vectors[start : start + BATCH])


def _add_some(db: sqlite3.Connection, space_id: int, start: int, vectors: np.ndarray) -> None:
    starts_s = np.arange(0, 240, 5, dtype=np.float32)
    random = np.random.default_rng(start)
    codes = random.integers(-127, 128, (64, len(starts_s), 64), dtype=np.int8)
    moments = [codec.pack_moments(MomentCodes(some, starts_s, 5.0)) for some in codes]
    ((first,),) = db.execute("SELECT coalesce(max(id), 0) + 1 FROM embedding").fetchall()
    halves = vectors.astype("<f2")
    db.executemany(
        "INSERT INTO embedding (id, track_id, space_id, vector) VALUES (?, ?, ?, ?)",
        ((first + i, start + i + 1, space_id, half.tobytes()) for i, half in enumerate(halves)),
    )
    db.executemany(
        "INSERT INTO moments VALUES (?, ?, ?, ?, ?)",
        ((first + i, *moments[i % len(moments)]) for i in range(len(halves))),
    )
