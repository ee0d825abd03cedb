"""What the benchmarks of search share: made-up cases, times, memory, exact answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import made_up
import numpy as np

NUM_QUERIES, K = 300, 10
Result = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One size: where its library and vectors lie, of as many views as there are ``dims``."""

    folder: Path
    size: int
    dims: tuple[int, ...]
    threads: int

    def __str__(self) -> str:
        return f"{self.size} {'+'.join(map(str, self.dims))}"

    @property
    def library_path(self) -> Path:
        return self.folder / f"{str(self).replace(' ', '-')}.db"

    def vectors_path(self, number: int) -> Path:
        return self.folder / f"{self.size}-{self.dims[number]}-{number}.npy"

    def vectors(self, number: int) -> np.ndarray:
        """(size, dim) float32 of one view, not read into memory."""
        return np.load(self.vectors_path(number), mmap_mode="r")

    def centred(self, number: int, centre: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """(first place, rows without the centre, of unit length), a batch of one view at a time."""
        vectors = self.vectors(number)
        for start in range(0, self.size, made_up.BATCH):
            rest = vectors[start : start + made_up.BATCH] - centre
            yield start, rest / np.linalg.norm(rest, axis=1, keepdims=True)

    def queries(self) -> np.ndarray:
        """(n,) places of the songs that are searched for."""
        random = np.random.default_rng(7)
        return np.sort(random.choice(self.size, min(NUM_QUERIES, self.size), replace=False))


def spread(seconds: Iterable[float], prefix: str) -> Result:
    ms = 1000 * np.fromiter(seconds, float)
    return {f"{prefix}_p50_ms": np.percentile(ms, 50), f"{prefix}_p95_ms": np.percentile(ms, 95)}


def timed(call: Callable[..., Any], arguments: Iterable[Any]) -> tuple[list[Any], list[float]]:
    """What comes of a call with each of the arguments, and how long each took."""
    answers, seconds = [], []
    for argument in arguments:
        started = time.perf_counter()
        answers.append(call(argument))
        seconds.append(time.perf_counter() - started)
    return answers, seconds


def memory_bytes() -> int:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def exact(
    case: Case,
    centres: Sequence[np.ndarray] | None = None,
    is_allowed: Callable[[int], np.ndarray] | None = None,
) -> list[set[int]]:
    """The places of the true nearest of each query, itself left out.

    ``centres``: of as many views as are blended, in equal parts; by default the first view as it
    lies there.
    """
    places = case.queries()
    scores = np.zeros((len(places), case.size), np.float32)
    for number, centre in enumerate(centres or [np.zeros(case.dims[0], np.float32)]):
        rest = case.vectors(number)[places] - centre
        queries = rest / np.linalg.norm(rest, axis=1, keepdims=True)
        for start, some in case.centred(number, centre):
            scores[:, start : start + len(some)] += queries @ some.T
    scores[np.arange(len(places)), places] = -np.inf
    if is_allowed is not None:
        for row, place in zip(scores, places, strict=True):
            row[~is_allowed(place)] = -np.inf
    return [set(np.argpartition(-row, K)[:K].tolist()) for row in scores]


def recall(true: list[set[int]], found: Iterable[Iterable[int]]) -> float:
    hits = [len(one & set(other)) / K for one, other in zip(true, found, strict=True)]
    return float(np.mean(hits))


def without_self(places: np.ndarray, answers: Iterable[np.ndarray]) -> list[list[int]]:
    return [
        [one for one in answer.tolist() if one != place][:K]
        for place, answer in zip(places.tolist(), answers, strict=True)
    ]
