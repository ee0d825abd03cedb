"""The band model: what kind of music is heard, in tags and in what lies beneath them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import CheckpointError
from engine.models import NUM_MOMENT_DIMS, Geometry, unit_energy
from engine.models.checkpoint import (
    Manifest,
    load_tensors,
    read_manifest,
    unfit_weights,
    with_prefix,
)
from engine.paths import resources_path
from engine.records import View

if TYPE_CHECKING:
    import torch

    from engine.networks.musicnn import Musicnn

DEFAULT = "musicnn"
AXES = "geometry.axes"  # of the checkpoint: resources/models/fit_musicnn_axes.py
NUM_AXES = 128
BATCH_EXCERPTS = 16  # one forward pass takes some 60 MB


class BandModel:
    """MusiCNN as the program uses it. Holds no state between calls; may be used from any thread.

    Float32 everywhere: bfloat16 gains a fifth here and costs a digit.
    """

    def __init__(
        self, manifest: Manifest, network: Musicnn, geometry: Geometry, device: torch.device
    ) -> None:
        from engine.networks.musicnn import EXCERPT_SAMPLES

        self.manifest = manifest
        self.name, self.sha256 = manifest.name, manifest.sha256
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

    def embed_segments(self, segments: np.ndarray) -> np.ndarray:
        """(n, 80,000) float32 at 16 kHz -> (n, dim): of each its first 3 s."""
        return self.embed_excerpts(unit_energy(segments)[:, : self.excerpt_samples].copy())

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


def load(folder: Path | None = None) -> BandModel:
    """From the folder of its checkpoint; by default the one that comes with the program.

    Raises CheckpointError.
    """
    from engine.networks.device import compute_device
    from engine.networks.musicnn import Musicnn, musicnn_config

    folder = folder or resources_path() / "models" / DEFAULT
    manifest = read_manifest(folder)
    if manifest.architecture != "musicnn":
        raise CheckpointError(
            f"{manifest.name} has the architecture {manifest.architecture!r}; only 'musicnn' hears "
            "kinds of music."
        )
    network = Musicnn(musicnn_config(manifest.config))
    tensors = load_tensors(folder, manifest)
    try:
        network.load_state_dict(with_prefix(tensors, "network."))
        geometry = geometry_of(network, tensors.get(AXES))
    except (RuntimeError, ValueError) as error:
        raise unfit_weights(manifest) from error
    return BandModel(manifest, network, geometry, compute_device())


def geometry_of(network: Musicnn, axes: torch.Tensor | None) -> Geometry:
    """``axes``: (num_axes, dim) of what is standardised; None: all of it. Raises ValueError."""
    mean, deviation = network.pooled_statistics()
    directions = np.eye(len(mean)) if axes is None else axes.numpy()
    transform = (directions / deviation).astype(np.float32)
    return Geometry(mean, transform, transform[:NUM_MOMENT_DIMS])
