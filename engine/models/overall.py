"""One vector for the whole sound of a song: its band and its voice, so that one cosine says both.

The cosine of two such vectors is a weighted mean of the cosine of the bands and that of the voices.
A song in which nobody sings has no voice in it and is compared by its band alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import CheckpointError
from engine.models.checkpoint import Manifest, load_tensors, unfit_weights
from engine.models.geometry import Geometry
from engine.models.model import Model
from engine.models.segments import NORM_EPS, SEGMENT_SAMPLES
from engine.models.voice_model import VoiceModel
from engine.records import HeardTag, View

if TYPE_CHECKING:
    import torch

    from engine.models.band import BandModel

NUM_MOMENT_DIMS_EACH = 32


@dataclass(frozen=True, eq=False)
class OverallGeometry:
    """How band and voice become one vector.

    Attributes:
        band, voice: each model's own: centre and transform.
        band_share: of the cosine that the bands have; the voices have the rest.
    """

    band: Geometry
    voice: Geometry
    band_share: float

    @property
    def centre(self) -> np.ndarray:
        """(band dim + voice dim,) of what both models hear."""
        return np.concatenate([self.band.centre, self.voice.centre])

    @property
    def num_band_dims(self) -> int:
        return len(self.band.transform)

    @property
    def dim(self) -> int:
        return self.num_band_dims + len(self.voice.transform)

    def place(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., band dim + voice dim) -> (..., dim) of unit length, as they are compared."""
        bands, voices = np.split(embeddings, [len(self.band.centre)], axis=-1)
        return _joined(self.band.place(bands), self.voice.place(voices), self.band_share)

    def without_voice(self, vector: np.ndarray) -> np.ndarray:
        """The same song once it is known that nobody sings in it: (..., dim) -> the same.

        Its cosine with a song that has a voice is that of the bands, times the root of their share.
        """
        band, voice = np.split(vector, [self.num_band_dims], axis=-1)
        return _joined(band, np.zeros_like(voice), 1.0)

    def project(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., band dim + voice dim) -> (..., 64) for moments: the first axes of both."""
        bands, voices = np.split(embeddings, [len(self.band.centre)], axis=-1)
        band, voice = self.band.project(bands), self.voice.project(voices)
        num = NUM_MOMENT_DIMS_EACH
        return _joined(band[..., :num], voice[..., :num], self.band_share)


def _joined(band: np.ndarray, voice: np.ndarray, band_share: float) -> np.ndarray:
    parts = [band_share**0.5 * _unit(band), (1 - band_share) ** 0.5 * _unit(voice)]
    return np.asarray(np.concatenate(parts, axis=-1), dtype=np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, NORM_EPS))


class OverallModel(Model):
    """Two models as one that serves the view ``overall``.

    What it hears in a segment is what both hear, side by side: (band dim + voice dim,).
    """

    serves: tuple[View, ...] = ("overall",)

    def __init__(
        self, manifest: Manifest, band: BandModel, voice: VoiceModel, geometry: OverallGeometry
    ) -> None:
        self.name, self.sha256 = manifest.name, manifest.identity
        self.band, self.voice, self._geometry = band, voice, geometry
        self.dim, self.excerpt_samples = band.dim + voice.dim, SEGMENT_SAMPLES

    @property
    def parts(self) -> tuple[Model, ...]:
        return self.band, self.voice

    @property
    def vector_dim(self) -> int:
        return self._geometry.dim

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, 80,000) float32 at 16 kHz, segments of unit energy -> (n, dim) float32."""
        return self.embed_segments(excerpts)

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        heard = [part.embed_segments(segments, every) for part in self.parts]
        return np.concatenate(heard, axis=1)

    def tags(self, segment_embeddings: np.ndarray) -> tuple[HeardTag, ...]:
        return self.band.tags(segment_embeddings[:, : self.band.dim])

    def without_voice(self, vector: np.ndarray) -> np.ndarray:
        return self._geometry.without_voice(vector)

    def geometry(self, view: View) -> OverallGeometry:
        return self._geometry


def overall_tensors(
    band_share: float, voice_transform: np.ndarray, identities: tuple[str, str]
) -> dict[str, torch.Tensor]:
    """What a checkpoint holds beside its parts.

    Args:
        voice_transform: (voice dim, voice dim), after that of the voice model.
        identities: sha256 of the band and of the voice model, hex; with them in it, the weights of
            other parts are other weights.
    """
    import torch

    return {
        "band_share": torch.tensor(band_share),
        "voice_transform": torch.from_numpy(voice_transform).half(),
        "parts": torch.tensor([list(bytes.fromhex(one)) for one in identities], dtype=torch.uint8),
    }


def load(folder: Path, manifest: Manifest) -> OverallModel:
    """From the folder of its checkpoint, and from its parts, which are models of their own.

    Raises CheckpointError.
    """
    from engine import models
    from engine.models.band import BandModel

    if set(manifest.config) != {"band", "voice"}:
        raise CheckpointError(
            f"{manifest.name} does not say of which models it is made. Install it again."
        )
    names = [str(manifest.config[part]) for part in ("band", "voice")]
    kinds = [models.manifest_of(name).architecture for name in names]
    if kinds[0] != "musicnn" or kinds[1] not in models.VOICE_ARCHITECTURES:
        raise CheckpointError(f"{manifest.name} is not made of a band model and a voice model.")
    tensors = load_tensors(folder, manifest)
    band, voice = map(models.load, names)
    assert isinstance(band, BandModel)
    assert isinstance(voice, VoiceModel)
    try:
        identities = [bytes(one).hex() for one in tensors["parts"].tolist()]
        voices = voice.geometry("overall").followed_by(tensors["voice_transform"].numpy())
        geometry = OverallGeometry(band.geometry("overall"), voices, float(tensors["band_share"]))
    except (KeyError, RuntimeError, ValueError) as error:
        raise unfit_weights(manifest) from error
    if identities != [band.sha256, voice.sha256]:
        raise CheckpointError(
            f"{manifest.name} was made of other versions of {band.name} and {voice.name} than are "
            "installed. Install it again."
        )
    return OverallModel(manifest, band, voice, geometry)
