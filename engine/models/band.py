"""The band model: what kind of music is heard, in tags and in what lies beneath them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.models.checkpoint import Manifest, load_tensors, unfit_weights, with_prefix
from engine.models.geometry import NUM_MOMENT_DIMS, Geometry
from engine.models.model import Model
from engine.models.segments import unit_energy
from engine.models.tags import heard_tags
from engine.records import HeardTag, View

if TYPE_CHECKING:
    import torch

    from engine.networks.musicnn import Musicnn

AXES = "geometry.axes"  # of the checkpoint: resources/checkpoints/fit_overall.py
NUM_AXES = 192
BATCH_EXCERPTS = 8  # one forward pass takes some 20 MB
# So many are heard of a song, if there are: its vector then has a cosine of 0.99 or more with that
# of all of them (docs/results.md).
ENOUGH_EXCERPTS = 46


class BandModel(Model):
    """MusiCNN as the program uses it.

    Float32 everywhere: bfloat16 gains a fifth here and costs a digit.
    """

    serves: tuple[View, ...] = ("overall",)

    def __init__(
        self, manifest: Manifest, network: Musicnn, geometry: Geometry, device: torch.device
    ) -> None:
        from engine.networks.musicnn import EXCERPT_SAMPLES

        self.manifest = manifest
        self.name, self.sha256 = manifest.name, manifest.identity
        self.tag_names = network.config.tags
        self.dim, self.excerpt_samples = network.config.dim, EXCERPT_SAMPLES
        self._device = device
        self._network = network.eval().to(device)
        self._geometry = geometry

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, 48,128) float32 at 16 kHz, cut from unit-energy segments -> (n, dim) float32."""
        import torch

        vectors = [np.zeros((0, self.dim), np.float32)]
        for first in range(0, len(excerpts), BATCH_EXCERPTS):
            part = torch.from_numpy(excerpts[first : first + BATCH_EXCERPTS])
            with torch.inference_mode():
                vectors.append(self._network(part.to(self._device)).cpu().numpy())
        return np.concatenate(vectors)

    @property
    def vector_dim(self) -> int:
        return len(self._geometry.transform)

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        """(n, 80,000) float32 at 16 kHz -> (n, dim): of each its first 3 s, whatever ``every``.

        Where these are not ENOUGH_EXCERPTS, of some its last 3 s as well.
        """
        unit, length = unit_energy(segments), self.excerpt_samples
        heard = self.embed_excerpts(unit[:, :length].copy())
        whole = spread(max(0, ENOUGH_EXCERPTS - len(segments)), len(segments))
        heard[whole] = (heard[whole] + self.embed_excerpts(unit[whole, -length:].copy())) / 2
        return heard

    def tags(self, segment_embeddings: np.ndarray) -> tuple[HeardTag, ...]:
        chances = self.chances(segment_embeddings)
        return heard_tags(chances, self.tag_names, self.typical_chances())

    def chances(self, embeddings: np.ndarray) -> np.ndarray:
        """(n, dim) of segments -> (n, num_tags), 0 to 1: of each tag, each for itself."""
        import torch

        with torch.inference_mode():
            pooled = torch.from_numpy(np.asarray(embeddings, np.float32)).to(self._device)
            return np.asarray(self._network.tags(pooled).cpu().numpy())

    def typical_chances(self) -> np.ndarray:
        """(num_tags,) of the music that the network learned from, taken together."""
        return np.asarray(self.chances(self._geometry.centre[None])[0])

    def geometry(self, view: View) -> Geometry:
        """Features without their means over the music that the network learned from, in deviations
        of it, along the NUM_AXES directions in which songs differ most.
        """
        return self._geometry


def spread(num: int, num_all: int) -> np.ndarray:
    """(min(num, num_all),) int: so many of ``num_all``, evenly."""
    num = min(num, num_all)
    return np.arange(num) * num_all // max(num, 1)


def load(folder: Path, manifest: Manifest) -> BandModel:
    """From the folder of its checkpoint, whose manifest was read. Raises CheckpointError."""
    from engine.networks.device import compute_device

    tensors = load_tensors(folder, manifest)
    try:
        network = network_of(manifest, tensors)
        geometry = geometry_of(network, tensors.get(AXES))
    except (RuntimeError, ValueError) as error:
        raise unfit_weights(manifest) from error
    return BandModel(manifest, network, geometry, compute_device())


def network_of(manifest: Manifest, tensors: Mapping[str, torch.Tensor]) -> Musicnn:
    """Raises CheckpointError, RuntimeError where weights do not fit."""
    from engine.networks.musicnn import Musicnn, musicnn_config

    network = Musicnn(musicnn_config(manifest.config))
    network.load_state_dict(with_prefix(tensors, "network."))
    return network


def geometry_of(network: Musicnn, axes: torch.Tensor | None) -> Geometry:
    """``axes``: (num_axes, dim) of what is standardised; None: all of it. Raises ValueError."""
    mean, deviation = network.pooled_statistics()
    directions = np.eye(len(mean)) if axes is None else axes.numpy()
    transform = (directions / deviation).astype(np.float32)
    return Geometry(mean, transform, transform[:NUM_MOMENT_DIMS])
