"""The band model: what kind of music is heard, in tags and in what lies beneath them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import CheckpointError
from engine.models.checkpoint import (
    Manifest,
    load_tensors,
    read_manifest,
    unfit_weights,
    with_prefix,
)
from engine.paths import resources_path

if TYPE_CHECKING:
    import torch

    from engine.networks.musicnn import Musicnn

DEFAULT = "musicnn"
# Of one forward pass: about 60 MB, of which the processor's caches hold none anyway.
BATCH_PIECES = 16


@dataclass(frozen=True, eq=False)
class Band:
    """What is heard in a song, or in each of its pieces.

    Attributes:
        vector: (..., dim) float32, standardised: every feature over the music that the network
            learned from has a mean of 0 and a standard deviation of 1.
        tags: (..., num_tags) float32, chances from 0 to 1, each for itself.
    """

    vector: np.ndarray
    tags: np.ndarray


class BandModel:
    """MusiCNN as the program uses it. Holds no state between calls; for any thread."""

    def __init__(self, manifest: Manifest, network: Musicnn, device: torch.device) -> None:
        self.manifest = manifest
        self.name, self.sha256 = manifest.name, manifest.sha256
        self.tags = network.config.tags
        self.dim = network.config.dim
        self._device = device
        self._network = network.eval().to(device)
        self._mean, self._deviation = network.pooled_statistics()

    def hear_pieces(self, pieces: np.ndarray) -> Band:
        """(n, PIECE_SAMPLES) float32 at 16 kHz, as loud as in the song -> what is in each."""
        import torch

        vectors = [np.zeros((0, self.dim), np.float32)]
        tags = [np.zeros((0, len(self.tags)), np.float32)]
        for first in range(0, len(pieces), BATCH_PIECES):
            part = torch.from_numpy(pieces[first : first + BATCH_PIECES]).to(self._device)
            with torch.inference_mode():
                pooled, chances = self._network(part)
            vectors.append((pooled.cpu().numpy() - self._mean) / self._deviation)
            tags.append(chances.cpu().numpy())
        return Band(np.concatenate(vectors), np.concatenate(tags))

    def hear(self, pieces: np.ndarray) -> Band:
        """Pieces of one song, one at least -> the song: means over its pieces."""
        heard = self.hear_pieces(pieces)
        return Band(heard.vector.mean(0), heard.tags.mean(0))


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
    try:
        network.load_state_dict(with_prefix(load_tensors(folder, manifest), "network."))
    except RuntimeError as error:
        raise unfit_weights(manifest) from error
    return BandModel(manifest, network, compute_device())
