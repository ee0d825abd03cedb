"""Segments in the memory of the device that trains, ready for sampling."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import torch

from engine.errors import CancelledError
from engine.models.segments import SEGMENT_SAMPLES
from training.data.data_set import INT16_SCALE, STEMS, Dataset

MIXTURE, VOCALS, ACCOMPANIMENT = 0, 1, 2
BLOCK_ROWS = 256  # read at a time, 82 MB


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
    def load(
        cls,
        dataset: Dataset,
        indices: np.ndarray,
        device: torch.device,
        buffer: Buffer | None = None,
        stop: threading.Event | None = None,
    ) -> Rows:
        """Read segments (n,) of the data set into the device's memory, or into a buffer there.

        Raises DataError, CancelledError once ``stop`` is set.
        """
        table = dataset.segments[indices]
        indices = indices[np.lexsort((table["start_s"], table["track"], table["artist"]))]
        table = dataset.segments[indices]
        buffer = buffer or Buffer(len(indices), device)
        buffer.fill(dataset, indices, stop)
        return cls(
            buffer.stems[: len(indices)],
            buffer.norms[: len(indices)],
            torch.from_numpy(table["artist"].astype(np.int64)).to(device),
            torch.from_numpy(table["track"].astype(np.int64)).to(device),
            torch.from_numpy(table["has_vocals"].copy()).to(device),
            torch.from_numpy(clean_rows(dataset, indices)).to(device),
        )

    def __len__(self) -> int:
        return len(self.artist)


class Buffer:
    """Room for stems on a device, to be filled time and again.

    Attributes:
        stems: (num_rows, 2, 80000) int16. norms: (num_rows, 3) float32.
    """

    def __init__(self, num_rows: int, device: torch.device) -> None:
        self.stems = torch.empty(
            (num_rows, len(STEMS), SEGMENT_SAMPLES), dtype=torch.int16, device=device
        )
        self.norms = torch.empty((num_rows, 3), device=device)

    def fill(
        self, dataset: Dataset, indices: np.ndarray, stop: threading.Event | None = None
    ) -> None:
        """Row n becomes segment ``indices[n]``; the shards are read from end to end."""
        table = dataset.segments[indices]
        order = np.lexsort((table["row"], table["shard"]))
        pinned = _Pinned(min(BLOCK_ROWS, len(order))) if self.stems.is_cuda else None
        for first in range(0, len(order), BLOCK_ROWS):
            if stop is not None and stop.is_set():
                raise CancelledError
            places = order[first : first + BLOCK_ROWS]
            rows = torch.from_numpy(places).to(self.stems.device)
            if pinned is None:
                dataset.read(indices[places], self.stems.numpy(), places)
                block = self.stems[rows]
            else:
                block = pinned.read(dataset, indices[places], self.stems.device)
                self.stems[rows] = block
            self.norms[rows] = stem_norms(block)


class _Pinned:
    """Two blocks of pinned memory: one is read from disk while the other is copied to the GPU."""

    def __init__(self, num_rows: int) -> None:
        shape = (num_rows, len(STEMS), SEGMENT_SAMPLES)
        self._blocks = [torch.empty(shape, dtype=torch.int16, pin_memory=True) for _ in range(2)]
        self._are_copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        self._num_read = 0

    def read(self, dataset: Dataset, indices: np.ndarray, device: torch.device) -> torch.Tensor:
        """(n, 2, 80000) int16 on the device, by the current stream."""
        block, is_copied = self._blocks[self._num_read % 2], self._are_copied[self._num_read % 2]
        self._num_read += 1
        is_copied.synchronize()  # of the time before last; this is the thread that reads
        dataset.read(indices, block.numpy())
        on_device = block[: len(indices)].to(device, non_blocking=True)
        is_copied.record()
        return on_device


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
