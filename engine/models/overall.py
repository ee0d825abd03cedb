"""One vector for the whole sound of a song: its band and its voice, so that one cosine says both.

The cosine of two such vectors is a weighted mean of the cosine of the bands and that of the voices.
A song in which nobody sings has no voice in it and is compared by its band alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.models import NORM_EPS, SEGMENT_SAMPLES, Geometry, moment_codes
from engine.records import MomentCodes, View

if TYPE_CHECKING:
    from engine.models import VoiceModel
    from engine.models.band import BandModel

BAND_SHARE = 0.6
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
    band_share: float = BAND_SHARE

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
        return overall_vector(bands, voices, self)

    def project(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., band dim + voice dim) -> (..., 64) for moments: the first axes of both."""
        bands, voices = np.split(embeddings, [len(self.band.centre)], axis=-1)
        band, voice = self.band.project(bands), self.voice.project(voices)
        num = NUM_MOMENT_DIMS_EACH
        return _joined(band[..., :num], voice[..., :num], self.band_share)


def overall_vector(
    band: np.ndarray, voice: np.ndarray | None, geometry: OverallGeometry
) -> np.ndarray:
    """The vector of one song, or of several: (..., geometry.dim) float32 of unit length.

    Args:
        band: (..., band dim), mean of what the band model hears.
        voice: (..., voice dim), mean of what the voice model hears; None where nobody sings.
    """
    placed = geometry.band.place(band)
    if voice is None:
        nothing = np.zeros((*placed.shape[:-1], geometry.dim - geometry.num_band_dims))
        return _joined(placed, nothing, 1.0)
    return _joined(placed, geometry.voice.place(voice), geometry.band_share)


def without_voice(vector: np.ndarray, geometry: OverallGeometry) -> np.ndarray:
    """The same song once it is known that nobody sings in it: (..., dim) -> the same.

    Its cosine with a song that has a voice is that of the bands, times the root of their share.
    """
    band, voice = np.split(vector, [geometry.num_band_dims], axis=-1)
    return _joined(band, np.zeros_like(voice), 1.0)


def _joined(band: np.ndarray, voice: np.ndarray, band_share: float) -> np.ndarray:
    parts = [band_share**0.5 * _unit(band), (1 - band_share) ** 0.5 * _unit(voice)]
    return np.asarray(np.concatenate(parts, axis=-1), dtype=np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, NORM_EPS))


class OverallModel:
    """Two models as one that serves the view ``overall``, with what a voice model can do.

    What it hears in a segment is what both hear, side by side: (band dim + voice dim,).

    Attributes:
        dim: of what it hears. vector_dim: of a track's vector.
    """

    def __init__(self, band: BandModel, voice: VoiceModel, band_share: float = BAND_SHARE) -> None:
        self.band, self.voice = band, voice
        self._geometry = OverallGeometry(
            band.geometry("overall"), voice.geometry("overall"), band_share
        )
        self.name = f"{band.name}+{voice.name}"
        identity = f"{band.sha256} {voice.sha256} {band_share}"
        self.sha256 = hashlib.sha256(identity.encode()).hexdigest()
        self.dim, self.vector_dim = band.dim + voice.dim, self._geometry.dim
        self.excerpt_samples = SEGMENT_SAMPLES

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, 80,000) float32 at 16 kHz, segments of unit energy -> (n, dim) float32."""
        return self.embed_segments(excerpts)

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        """(n, 80,000) float32 at 16 kHz -> (n, dim). ``every``: of the voice model's excerpts."""
        heard = self.band.embed_segments(segments), self.voice.embed_segments(segments, every)
        return np.concatenate(heard, axis=1)

    def tag_chances(self, segment_embeddings: np.ndarray) -> np.ndarray:
        """(n, dim) -> (n, num_tags), 0 to 1: what the band model's tags are for each segment."""
        return self.band.chances(segment_embeddings[:, : self.band.dim])

    def geometry(self, view: View) -> OverallGeometry:
        return self._geometry

    def track_vector(
        self, segment_embeddings: np.ndarray, weights: np.ndarray, view: View
    ) -> np.ndarray:
        """(n, dim), (n,) -> (vector_dim,) float32 of unit length: weighted mean, placed."""
        mean = np.average(segment_embeddings.astype(np.float64), axis=0, weights=weights)
        return self._geometry.place(mean)

    def moment_codes(
        self, segment_embeddings: np.ndarray, starts_s: np.ndarray, view: View
    ) -> MomentCodes:
        """Compact codes of a track's segments; long tracks share a code between neighbours."""
        return moment_codes(segment_embeddings, starts_s, self._geometry)
