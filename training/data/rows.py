"""Segments in the memory of the device that trains, ready for sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from engine.models import SEGMENT_SAMPLES
from training.data.data_set import INT16_SCALE, Dataset

MIXTURE, VOCALS, ACCOMPANIMENT = 0, 1, 2
LOAD_ROWS = 256


@dataclass(frozen=True)
class Rows:
    """Segments in the memory of the device, sorted by artist, then track.

    Attributes:
        stems: (n, 2, 80000) int16 on the device: mixture, vocals.
        norms: (n, 3) float32: L2 norm of mixture, vocals, accompaniment as float.
        artist, track: (n,) int64. has_vocals: (n,) bool.
        clean: (n,) int64, the row with the same vocals as they were recorded, or the row itself.
    """

    stems: torch.Tensor
    norms: torch.Tensor
    artist: torch.Tensor
    track: torch.Tensor
    has_vocals: torch.Tensor
    clean: torch.Tensor

    @classmethod
    def load(cls, dataset: Dataset, indices: np.ndarray, device: torch.device) -> Rows:
        """Read segments (n,) of the data set into the device's memory."""
        table = dataset.segments[indices]
        indices = indices[np.lexsort((table["start_s"], table["track"], table["artist"]))]
        table = dataset.segments[indices]
        stems = torch.empty((len(indices), 2, SEGMENT_SAMPLES), dtype=torch.int16, device=device)
        norms = torch.empty((len(indices), 3), device=device)
        for first in range(0, len(indices), LOAD_ROWS):
            block = torch.from_numpy(dataset.read(indices[first : first + LOAD_ROWS]))
            if device.type == "cuda":
                block = block.pin_memory()  # so that copying overlaps with reading and training
            block = block.to(device, non_blocking=True)
            stems[first : first + LOAD_ROWS] = block
            norms[first : first + LOAD_ROWS] = stem_norms(block)
        return cls(
            stems,
            norms,
            torch.from_numpy(table["artist"].astype(np.int64)).to(device),
            torch.from_numpy(table["track"].astype(np.int64)).to(device),
            torch.from_numpy(table["has_vocals"].copy()).to(device),
            torch.from_numpy(clean_rows(dataset, indices)).to(device),
        )

    def __len__(self) -> int:
        return len(self.artist)


def clean_rows(dataset: Dataset, indices: np.ndarray) -> np.ndarray:
    """Position in ``indices`` of each clean version, (n,); the own one where it is absent."""
    position = np.full(len(dataset.segments), -1)
    position[indices] = np.arange(len(indices))
    clean = position[dataset.segments["clean"][indices]]
    return np.where(clean < 0, np.arange(len(indices)), clean)


def stem_norms(stems: torch.Tensor) -> torch.Tensor:
    """(n, 2, 80000) int16 -> (n, 3) float32 norms of mixture, vocals, accompaniment."""
    floats = stems.float() / INT16_SCALE
    accompaniment = floats[:, 0] - floats[:, 1]
    parts = (floats[:, 0], floats[:, 1], accompaniment)
    return torch.stack([part.norm(dim=-1) for part in parts], dim=1)
