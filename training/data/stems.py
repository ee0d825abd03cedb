"""Where a run's stems lie: all on the device, or streamed through it pool by pool."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch

from training.config import StemsMode
from training.data.data_set import PARTS, ROW_BYTES, Dataset
from training.data.rows import Buffer, Rows
from training.distributed import World, smallest
from training.errors import DataError

SHARE_OF_MEMORY = 0.6  # the rest is for the network's activations
MAX_POOL_ROWS = 100_000  # 32 GB
DRAWS_PER_ROW = 16  # pairs drawn from a pool, per row, before the next one
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
        self._buffers = [Buffer(pool_rows, device) for _ in range(2)]  # all there ever are
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="stems")
        self._stop = threading.Event()
        self._current: tuple[int, Rows] | None = None
        self._next: tuple[int, Future[Rows]] | None = None

    def rows(self, batch: int) -> Rows:
        number = batch // self._num_batches
        if self._current is None or number != self._current[0]:
            if self._next is None or self._next[0] != number:
                self._next = (number, self._reader.submit(self._load, number, None))
            self._current = (number, self._next[1].result())
            # The pool that was used until now makes room, once the GPU has done with it.
            is_cuda = self._device.type == "cuda"
            is_used = torch.cuda.current_stream().record_event() if is_cuda else None
            future = self._reader.submit(self._load, number + 1, is_used)
            self._next = (number + 1, future)
        return self._current[1]

    def close(self) -> None:
        self._stop.set()
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

    def _load(self, number: int, is_used: torch.cuda.Event | None) -> Rows:
        """In the reading thread; on a GPU along a stream of its own, beside the training."""
        buffer, pool = self._buffers[number % 2], self.pool(number)
        if self._device.type != "cuda":
            return Rows.load(self._dataset, pool, self._device, buffer, self._stop)
        stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        if is_used is not None:
            stream.wait_event(is_used)
        with torch.cuda.stream(stream):
            rows = Rows.load(self._dataset, pool, self._device, buffer, self._stop)
        stream.synchronize()
        return rows


def open_stems(
    dataset: Dataset,
    device: torch.device,
    mode: StemsMode,
    num_pairs: int,
    seed: int,
    world: World | None = None,
) -> Stems:
    """``resident``, ``stream``, or ``auto``: resident where they fit in every process.

    All processes take the same pools, of the size that fits the one with the least memory.
    Raises DataError.
    """
    num_rows = len(part_indices(dataset, "train"))
    room = int(SHARE_OF_MEMORY * smallest(free_bytes(device), world or World()))
    if mode == "resident" or (mode == "auto" and num_rows * ROW_BYTES <= room):
        return ResidentStems(dataset, device)
    pool_rows = max(2, min(MAX_POOL_ROWS, room // (2 * ROW_BYTES), num_rows))
    return StreamedStems(dataset, device, pool_rows, num_pairs, seed)


def part_indices(dataset: Dataset, part: str) -> np.ndarray:
    """Segments of a part, (n,). Raises DataError when there are none."""
    indices = np.flatnonzero(dataset.segments["part"] == PARTS.index(part))
    if not len(indices):
        raise DataError(
            f"The data set has no {part} part. Prepare it again with a share for it (--parts)."
        )
    return indices


def validation_rows(
    dataset: Dataset, device: torch.device, seed: int, world: World | None = None
) -> Rows | None:
    """The validation part, or a fixed random choice of its artists where it is large.

    None in all processes but the main one. Raises DataError when nobody sings in it.
    """
    indices = part_indices(dataset, "valid")
    if np.count_nonzero(dataset.segments["has_vocals"][indices]) < 2:
        raise DataError(
            "Nobody sings in the validation part of the data set. Prepare more artists, or again "
            "into another folder with another --seed."
        )
    if world is not None and not world.is_main:
        return None
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
