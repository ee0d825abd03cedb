"""What is done with embeddings after the network: a centre, a transform, compact codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from engine.models.checkpoint import with_prefix
from engine.models.segments import NORM_EPS, SEGMENT_S
from engine.records import MomentCodes, View

if TYPE_CHECKING:
    import torch

NUM_MOMENT_DIMS = 64
MAX_MOMENTS = 120  # 8 kB a song, whatever its length


@dataclass(frozen=True)
class Geometry:
    """What is done with embeddings after the network, for one view.

    Attributes:
        centre: (dim,) mean embedding of many other voices. Subtracted before the cosine, it
            takes away what all voices share and leaves what tells them apart.
        transform: (dim, dim) applied next: directions in which the songs of one voice differ are
            shortened (within-class covariance normalisation; Hatch et al., 2006).
        projection: (NUM_MOMENT_DIMS, dim) rows, applied instead of the transform to compare
            moments: where segments differ most after it.
    """

    centre: np.ndarray
    transform: np.ndarray
    projection: np.ndarray

    @classmethod
    def neutral(cls, dim: int) -> Geometry:
        """No centre, and random orthonormal directions: for networks that bring none."""
        basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((dim, NUM_MOMENT_DIMS)))
        identity = np.eye(dim, dtype=np.float32)
        return cls(np.zeros(dim, np.float32), identity, basis.T.astype(np.float32))

    @classmethod
    def fit(cls, embeddings: np.ndarray, transform: np.ndarray | None = None) -> Geometry:
        """From segment embeddings of many voices, (n, dim): their mean and principal axes."""
        centre = embeddings.mean(0)
        transform = np.eye(embeddings.shape[1]) if transform is None else transform
        _, _, axes = np.linalg.svd((embeddings - centre) @ transform.T, full_matrices=False)
        projection = axes[:NUM_MOMENT_DIMS] @ transform
        parts = (centre, transform, projection)
        return cls(*(part.astype(np.float32) for part in parts))

    def followed_by(self, transform: np.ndarray) -> Geometry:
        """The same, with another transform after its own; moments are compared as before."""
        return replace(self, transform=np.asarray(transform @ self.transform, np.float32))

    def place(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., dim) -> the same, as they are compared: centred and transformed, of any length."""
        return np.asarray((embeddings - self.centre) @ self.transform.T)

    def project(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., dim) -> (..., NUM_MOMENT_DIMS), for moments."""
        return np.asarray((embeddings - self.centre) @ self.projection.T)


class Placing(Protocol):
    """What is done with embeddings after the network: ``Geometry``, or that of two models."""

    @property
    def centre(self) -> np.ndarray: ...
    def place(self, embeddings: np.ndarray) -> np.ndarray: ...
    def project(self, embeddings: np.ndarray) -> np.ndarray: ...


def moment_codes(
    segment_embeddings: np.ndarray, starts_s: np.ndarray, geometry: Placing
) -> MomentCodes:
    """Compact codes of a track's segments; long tracks share a code between neighbours."""
    group = -(-len(segment_embeddings) // MAX_MOMENTS)
    firsts = np.arange(0, len(segment_embeddings), group)
    counts = np.diff([*firsts, len(segment_embeddings)])[:, None]
    projected = geometry.project(np.add.reduceat(segment_embeddings, firsts, axis=0) / counts)
    largest = np.abs(projected).max(1, keepdims=True) + NORM_EPS
    codes = np.rint(projected / largest * 127).astype(np.int8)
    return MomentCodes(codes, starts_s[firsts].astype(np.float32), SEGMENT_S * group)


def read_geometry(tensors: Mapping[str, torch.Tensor], view: View, dim: int) -> Geometry:
    """Of a checkpoint; KeyError where it has no such geometry."""
    import torch

    stored = with_prefix(tensors, f"geometry.{view}.") or with_prefix(tensors, "geometry.both.")
    if not stored:
        return Geometry.neutral(dim)
    stored.setdefault("transform", torch.eye(dim))  # first checkpoints had none
    num_axes = min(len(stored["projection"]), NUM_MOMENT_DIMS)  # fewer from few segments
    shapes = {"centre": (dim,), "transform": (dim, dim), "projection": (num_axes, dim)}
    if any(tuple(stored[name].shape) != shape for name, shape in shapes.items()):
        raise KeyError(view)
    return Geometry(**{f.name: stored[f.name].numpy() for f in fields(Geometry)})


def geometry_tensors(geometry: Mapping[View, Geometry]) -> dict[str, Any]:
    """The tensors of a checkpoint that hold its geometry, as ``load`` expects them.

    What is one for both views is stored once.
    """
    import torch

    one, *others = geometry.values()
    is_one = bool(others) and all(other is one for other in others)
    named = {"both": one} if is_one else {str(view): own for view, own in geometry.items()}
    return {
        f"geometry.{view}.{name}": torch.from_numpy(values)
        for view, parts in named.items()
        for name, values in asdict(parts).items()
    }
