"""Libraries, songs and voices for tests: real files, real SQLite, made in milliseconds."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import mutagen
import numpy as np

from engine.library import Library, Tags, files
from engine.library.centres import Centre, put_centre
from engine.library.indexes import embedding_ids
from engine.models.geometry import Geometry
from engine.models.model import Model
from engine.records import MomentCodes, SpaceKey, TrackEmbedding, View

DIM = 16
OVERALL = SpaceKey("toy", "0" * 64, "overall", None, DIM)
VOCALS = SpaceKey("toy", "0" * 64, "vocals", "all", DIM)


def write_song(path: Path, *pitches_hz: float, duration_s: float = 0.2) -> Path:
    """Sines, one after the other, as a 16 kHz WAV file; another pitch is another sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(int(duration_s * 16_000)) / 16_000
    sines = [np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in pitches_hz or (220,)]
    samples = (0.5 * np.concatenate(sines) * 32767).astype("<i2")
    with path.open("wb") as file, wave.open(file, "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(samples.tobytes())
    return path


def retag(path: Path, **tags: str) -> None:
    """Write ID3 tags into a WAV file: TIT2="title", TPE1="artist", ..."""
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    for frame, text in tags.items():
        file.tags.add(getattr(mutagen.id3, frame)(encoding=3, text=[text]))
    file.save()


def unit(vector: Iterable[float]) -> np.ndarray:
    array = np.asarray(list(vector), np.float32)
    return array / np.linalg.norm(array)


def embedding(seed: int = 0, dim: int = DIM, num_moments: int = 4) -> TrackEmbedding:
    """Random, but the same for the same seed."""
    random = np.random.default_rng(seed)
    codes = random.integers(-127, 128, (num_moments, 8)).astype(np.int8)
    starts_s = (5.0 * np.arange(num_moments)).astype(np.float32)
    return TrackEmbedding(unit(random.standard_normal(dim)), MomentCodes(codes, starts_s, 5.0))


def vector_embedding(vector: Iterable[float]) -> TrackEmbedding:
    return TrackEmbedding(unit(vector), embedding().moments)


def add_tracks(library: Library, folder: Path, tags: Iterable[Tags]) -> list[int]:
    """Tracks without files, as a scan would have added them."""
    folder_id = library.add_folder(folder).id
    first = len(library.track_ids())
    with library.database.write() as db:
        for number, one in enumerate(tags, start=first):
            place = f"{one.artist}/{number:05d} {one.title}.mp3".lstrip("/").encode()
            file = files.Sighting(folder_id, place, 1000 + number, number, one)
            files.add(db, file.columns())
    return library.track_ids(sort="added")[first:]


def put_vectors(
    library: Library, key: SpaceKey, vectors: Mapping[int, Iterable[float]], duration_s: float = 200
) -> int:
    """Store one embedding per track; each sound is another one. Returns the id of the space.

    The library has nothing in common: its cosines are those of the vectors as they are.
    """
    space_id = library.space_id(key)
    for track_id, vector in vectors.items():
        library.put_embedding(
            track_id,
            space_id,
            vector_embedding(vector),
            audio_hash=f"hash {track_id}",
            duration_s=duration_s + 10 * track_id,
        )
    ids = embedding_ids(library.database, space_id)
    put_centre(library.database, space_id, Centre(np.zeros(key.dim), len(ids), max(ids, default=0)))
    return space_id


def at(degrees: float) -> np.ndarray:
    """(DIM,) of unit length, so many degrees from the first axis."""
    angle = np.radians(degrees)
    return unit([np.cos(angle), np.sin(angle)] + [0.0] * (DIM - 2))


class ToyModel(Model):
    """Hears the spectrum of a segment: enough to tell sines of other pitches apart."""

    name, sha256, dim, excerpt_samples = "toy", "0" * 64, DIM, 80_000
    hears_voices_in_mixtures = False

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        return self.embed_segments(excerpts)

    def geometry(self, view: View) -> Geometry:
        return Geometry(np.zeros(DIM), np.eye(DIM), np.eye(DIM))

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        spectrum = np.abs(np.fft.rfft(segments[:, :1600]))[:, : 16 * 10]
        return spectrum.reshape(len(segments), DIM, -1).sum(-1).astype(np.float32)

    def track_vector(
        self, segment_embeddings: np.ndarray, weights: np.ndarray, view: View
    ) -> np.ndarray:
        return unit(np.average(segment_embeddings, axis=0, weights=weights))

    def moment_codes(
        self, segment_embeddings: np.ndarray, starts_s: np.ndarray, view: View
    ) -> MomentCodes:
        peaks = np.abs(segment_embeddings).max(1, keepdims=True)
        codes = np.rint(segment_embeddings / peaks * 127).astype(np.int8)
        return MomentCodes(codes, starts_s.astype(np.float32), 5.0)


class WholeMixture:
    """A separator to which everything is vocals."""

    name = "all"

    def vocals(self, chunks: Iterable[np.ndarray], cancel: object = None) -> Iterator[np.ndarray]:
        for chunk in chunks:
            yield chunk.mean(0)
