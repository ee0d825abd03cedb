"""What all models have in common: segments in, a vector and compact codes of a track out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from engine.models.geometry import Placing, moment_codes
from engine.models.segments import NORM_EPS
from engine.models.singing import SingingDetector
from engine.records import HeardTag, MomentCodes, View


class Model(ABC):
    """One network, or several that serve as one. Holds no state between calls; may be used from
    any thread.

    Attributes:
        name, sha256: identity of its embeddings: those of other identities are never compared.
        dim: of what it hears in a segment.
        excerpt_samples: length of what it hears at a time, at 16 kHz.
        serves: views; one that hears bands is of no use for voices alone.
        singing: tells whether anybody sings in what it hears of a song; None: it cannot.
    """

    serves: tuple[View, ...] = ("vocals", "overall")
    name: str
    sha256: str
    dim: int
    excerpt_samples: int
    singing: SingingDetector | None = None

    @abstractmethod
    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, excerpt_samples) float32 at 16 kHz, cut from unit-energy segments -> (n, dim)."""

    @abstractmethod
    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        """(n, 80,000) float32 at 16 kHz of any gain -> (n, dim) float32.

        ``every``: of 2, half of the sound is heard, and so on.
        """

    @abstractmethod
    def geometry(self, view: View) -> Placing:
        """What is done with means of embeddings; a neutral one where a network brings none."""

    @property
    def parts(self) -> tuple[Model, ...]:
        """The models whose embeddings, side by side, are those of this one."""
        return (self,)

    @property
    def vector_dim(self) -> int:
        """Of a track's vector."""
        return self.dim

    @property
    def hears_voices_in_mixtures(self) -> bool:
        """Whether one space holds voices alone and voices in songs."""
        return False

    def tags(self, segment_embeddings: np.ndarray) -> tuple[HeardTag, ...] | None:
        """(n, dim) of a song -> words for what is heard; None where it knows none."""
        return None

    def without_voice(self, vector: np.ndarray) -> np.ndarray:
        """(vector_dim,) of a song once it is known that nobody sings in it."""
        return vector

    def track_vector(
        self, segment_embeddings: np.ndarray, weights: np.ndarray, view: View
    ) -> np.ndarray:
        """(n, dim), (n,) -> (vector_dim,) float32 of unit length: weighted mean, placed.

        ``weights``: what ``segment_weights`` gives.
        """
        mean = np.average(segment_embeddings.astype(np.float64), axis=0, weights=weights)
        vector = self.geometry(view).place(mean)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), NORM_EPS), dtype=np.float32)

    def moment_codes(
        self, segment_embeddings: np.ndarray, starts_s: np.ndarray, view: View
    ) -> MomentCodes:
        """Compact codes of a track's segments, for finding its best-matching moments."""
        return moment_codes(segment_embeddings, starts_s, self.geometry(view))
