"""Where a run's stems lie: all on the device, or streamed through it pool by pool."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch

from engine.models import SEGMENT_SAMPLES
from training.data.data_set import PARTS, STEMS, Dataset
from training.data.rows import Rows
from training.errors import DataError

ROW_BYTES = len(STEMS) * SEGMENT_SAMPLES * 2
SHARE_OF_MEMORY = 0.6  # the rest is for the network's activations
MAX_POOL_ROWS = 32_768  # 10.5 GB
DRAWS_PER_ROW = 4  # pairs drawn from a pool, per row, before the next one
MAX_VALID_SEGMENTS = 2048


class Stems(Protocol):
    """Gives the rows from which batch number ``batch`` is drawn."""

    def rows(self, batch: int) -> Rows: ...

    def close(self) -> None: ...


class ResidentStems:
    """The whole training part in the device's memory."""

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self._rows = Rows.load(dataset, part_indices(dataset, "train"), device)

    def rows(self, batch: int) -> Rows:
        return self._rows

    def close(self) -> None: ...


class StreamedStems:
    """Pools of whole artists, drawn at random; the next one is read while one is used.

    Which artists are in pool k depends on the seed and k only, so a run that goes on meets the
    same pools. Positives of another song stay possible, since artists come whole (up to a cap).
    """

    def __init__(
        self, dataset: Dataset, device: torch.device, pool_rows: int, num_pairs: int, seed: int
    ) -> None:
        self._dataset, self._device, self._seed = dataset, device, seed
        self._indices = part_indices(dataset, "train")
        self._artists = dataset.segments["artist"][self._indices]
        self._pool_rows = pool_rows
        self._num_batches = max(1, pool_rows * DRAWS_PER_ROW // num_pairs)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="stems")
        self._number = -1
        self._current: Rows | None = None
        self._next: tuple[int, Future[Rows]] | None = None

    def rows(self, batch: int) -> Rows:
        number = batch // self._num_batches
        if number != self._number or self._current is None:
            if self._next is None or self._next[0] != number:
                self._next = (number, self._reader.submit(self._load, number))
            if self._device.type == "cuda":
                torch.cuda.synchronize(self._device)  # nothing may still read what is let go of
            self._current = None  # its memory is needed for the pool after this one
            self._current = self._next[1].result()
            self._number = number
            self._next = (number + 1, self._reader.submit(self._load, number + 1))
        return self._current

    def close(self) -> None:
        self._reader.shutdown(wait=True, cancel_futures=True)

    def pool(self, number: int) -> np.ndarray:
        """Segments of a pool: whole artists in random order, each at most an eighth of the pool."""
        rng = np.random.default_rng((self._seed, number))
        order = np.argsort(self._artists, kind="stable")
        labels, firsts, counts = np.unique(
            self._artists[order], return_index=True, return_counts=True
        )
        chosen: list[np.ndarray] = []
        num_chosen = 0
        for label in rng.permutation(len(labels)):
            own = order[firsts[label] : firsts[label] + counts[label]]
            most = min(max(2, self._pool_rows // 8), self._pool_rows - num_chosen)
            chosen.append(rng.permutation(own)[:most])
            num_chosen += len(chosen[-1])
            if num_chosen >= self._pool_rows:
                break
        return self._indices[np.concatenate(chosen)]

    def _load(self, number: int) -> Rows:
        """In the reading thread; on a GPU along a stream of its own, beside the training."""
        if self._device.type != "cuda":
            return Rows.load(self._dataset, self.pool(number), self._device)
        stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        with torch.cuda.stream(stream):
            rows = Rows.load(self._dataset, self.pool(number), self._device)
        stream.synchronize()
        return rows


def open_stems(
    dataset: Dataset, device: torch.device, mode: str, num_pairs: int, seed: int
) -> Stems:
    """``resident``, ``stream``, or ``auto``: resident where they fit. Raises DataError."""
    num_bytes = len(part_indices(dataset, "train")) * ROW_BYTES
    room = SHARE_OF_MEMORY * free_bytes(device)
    if mode not in ("auto", "resident", "stream"):
        raise DataError(f"--stems must be auto, resident or stream, not {mode!r}.")
    if mode == "resident" or (mode == "auto" and num_bytes <= room):
        return ResidentStems(dataset, device)
    pool_rows = int(min(MAX_POOL_ROWS, room // (2 * ROW_BYTES), num_bytes // ROW_BYTES))
    return StreamedStems(dataset, device, max(2, pool_rows), num_pairs, seed)


def part_indices(dataset: Dataset, part: str) -> np.ndarray:
    """Segments of a part, (n,). Raises DataError when there are none."""
    indices = np.flatnonzero(dataset.segments["part"] == PARTS.index(part))
    if not len(indices):
        raise DataError(
            f"The data set has no {part} part. Prepare it again with a share for it (--parts)."
        )
    return indices


def validation_rows(dataset: Dataset, device: torch.device, seed: int) -> Rows:
    """The validation part, or a fixed random choice of its artists where it is large."""
    indices = part_indices(dataset, "valid")
    artists = dataset.segments["artist"][indices]
    labels = np.random.default_rng(seed).permutation(np.unique(artists))
    sizes = np.array([np.count_nonzero(artists == label) for label in labels]).cumsum()
    kept = labels[: max(2, int(np.searchsorted(sizes, MAX_VALID_SEGMENTS, side="right")))]
    return Rows.load(dataset, indices[np.isin(artists, kept)], device)


def free_bytes(device: torch.device) -> int:
    """Memory that can still be used on the device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows, macOS
        return 4 << 30
