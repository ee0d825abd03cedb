"""Makes the map of a space, keeps it in the library, and places what was heard since."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.errors import QueryError
from engine.library import Library
from engine.library.maps import MapRecord, ids_in_space, map_of, put_map
from engine.map import MIN_SONGS
from engine.map.neighbours import neighbours, principal_axes
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress, with_eta
from engine.search.index.centre import current, placed

NUM_NEIGHBOURS = 15
MAX_PLACED_SHARE = 0.5  # of the laid out; with more newcomers the map says little about them
# openTSNE can move a newcomer on from the median of its hosts. That found one in 200 more of its
# nearest neighbours among the ten nearest on the map, and needs the layout's own scale.
NUM_HOSTS = 10
BATCH = 128  # newcomers: 50 MB of similarities with 100,000 songs
# Of the map's half width: so far a newcomer stays from any other song, which it would cover.
MAX_GAP, GAP_OF_ONE = 0.04, 0.5  # the second is for a map of one song; of n, it is over sqrt(n)
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def make_map(
    library: Library,
    space_id: int,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
    *,
    seed: int = 0,
) -> MapRecord:
    """Lay out all songs of a space and keep the result. The same songs and seed, the same map.

    Takes about a second of one core for 100 songs, 20 for 20,000 and a minute for 100,000 (see
    ``benchmarks/window.py``).

    Raises QueryError where there are fewer than ``MIN_SONGS``, CancelledError with the earlier map
    in place.
    """
    from engine.map.layout import lay_out  # a second of imports, for those who make a map

    cancel = cancel or CancelToken()
    progress(Progress("map-read"))
    track_ids, vectors = library.embeddings(space_id)
    num = len(track_ids)
    if num < MIN_SONGS:
        raise QueryError(
            f"A map needs {MIN_SONGS} songs that have been listened to, and there are {num}. Add "
            "songs, or wait until more of them have been heard."
        )
    k = min(NUM_NEIGHBOURS, num - 1)
    axes = principal_axes(vectors)
    near, distances = neighbours(axes, k, _stage("map-neighbours", num, progress, cancel))
    start = axes[:, :2] + _jitter(num, seed) * max(1e-2 * float(axes[:, 0].std()), 1e-6)
    tick = _stage("map-layout", None, progress, cancel)
    positions = lay_out(near, distances, start, tick)
    record = MapRecord(space_id, time.time(), num, track_ids, _fitted(positions))
    put_map(library.database, record)
    return record


def current_map(
    library: Library,
    space_id: int,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> MapRecord | None:
    """The kept map with the songs that are there now: gone ones left out, new ones placed.

    A newcomer lies where its neighbours among the laid out songs lie; nothing else moves. None
    where there is no map, or one that most songs are not part of: it should be made anew.
    """
    record = map_of(library.database, space_id)
    if record is None:
        return None
    here = ids_in_space(library.database, space_id)
    is_here = np.isin(record.track_ids, here)
    newcomers = np.setdiff1d(here, record.track_ids)
    num_stay = int(is_here[: record.num_laid_out].sum())
    if num_stay < MIN_SONGS or len(here) - num_stay > MAX_PLACED_SHARE * num_stay:
        return None
    if is_here.all() and not len(newcomers):
        return record
    record = replace(
        record,
        num_laid_out=num_stay,
        track_ids=record.track_ids[is_here],
        positions=record.positions[is_here],
    )
    if len(newcomers):
        record = _with(library, record, newcomers, progress, cancel or CancelToken())
    put_map(library.database, record)
    return record


def similarities(library: Library, space_id: int, track_id: int) -> tuple[np.ndarray, np.ndarray]:
    """(track ids (n,) int64, cosines (n,) float32) of all songs of a space with one of them,
    as a search compares them.

    Raises QueryError where that one has not been heard in the space.
    """
    _, vectors = library.embeddings(space_id, [track_id])
    if not len(vectors):
        raise QueryError("This song is not on the map: it has not been listened to for this view.")
    centre = current(library, space_id).vector
    ids, others = library.embeddings(space_id)
    return ids, placed(others, centre) @ placed(vectors[0], centre)


def _with(
    library: Library,
    record: MapRecord,
    newcomers: np.ndarray,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> MapRecord:
    """The map and the newcomers, each at or beside the median of its nearest laid out ones."""
    step = _stage("map-place", len(newcomers), progress, cancel)
    laid_out = record.positions[: record.num_laid_out]
    _, hosts = library.embeddings(record.space_id, record.track_ids[: record.num_laid_out])
    num_hosts = min(NUM_HOSTS, len(hosts))
    track_ids, positions = [record.track_ids], [record.positions]
    ground = _Ground(record.positions, len(record.track_ids) + len(newcomers))
    for start in range(0, len(newcomers), BATCH):
        ids, vectors = library.embeddings(record.space_id, newcomers[start : start + BATCH])
        near = np.argpartition(-(vectors @ hosts.T), num_hosts - 1, axis=1)[:, :num_hosts]
        places = np.median(laid_out[near], axis=1)
        track_ids.append(ids)
        positions.append(np.array([ground.settle(place) for place in places]))
        step(start + len(ids))
    return replace(
        record,
        track_ids=np.concatenate(track_ids),
        positions=np.concatenate(positions).astype(np.float32),
    )


class _Ground:
    """Which places of a map are taken; no song that settles covers another."""

    def __init__(self, positions: np.ndarray, num_songs: int) -> None:
        self._gap = min(MAX_GAP, GAP_OF_ONE / num_songs**0.5)
        self._cells: dict[tuple[int, int], list[np.ndarray]] = {}
        for place in positions:
            self._take(place)

    def settle(self, wanted: np.ndarray) -> np.ndarray:
        """(2,) the nearest free place, on a spiral around what is wanted."""
        place, step = wanted, 0
        while not self._is_free(place):
            step += 1
            angle, radius = GOLDEN_ANGLE * step, 0.5 * self._gap * step**0.5
            place = wanted + radius * np.array([np.cos(angle), np.sin(angle)])
        self._take(place)
        return place

    def _cell(self, place: np.ndarray) -> tuple[int, int]:
        x, y = np.floor(place / self._gap).astype(int).tolist()
        return x, y

    def _take(self, place: np.ndarray) -> None:
        self._cells.setdefault(self._cell(place), []).append(place)

    def _is_free(self, place: np.ndarray) -> bool:
        x, y = self._cell(place)
        around = ((x + right, y + down) for right in (-1, 0, 1) for down in (-1, 0, 1))
        others = (other for cell in around for other in self._cells.get(cell, ()))
        return all(np.hypot(*(other - place)) >= self._gap for other in others)


def _jitter(num: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((num, 2)).astype(np.float32)


def _fitted(positions: np.ndarray) -> np.ndarray:
    """Centred, turned so that the longest way lies level, the wider side from -1 to 1."""
    wide = positions.astype(np.float64)
    _, axes = np.linalg.eigh(np.cov(wide.T))
    axes = axes[:, ::-1] * np.where(axes[np.abs(axes).argmax(0), [0, 1]] < 0, -1.0, 1.0)[::-1]
    turned = wide @ axes
    low, high = turned.min(0), turned.max(0)
    half = max(float((high - low).max()) / 2, 1e-9)
    return ((turned - (low + high) / 2) / half).astype(np.float32)


def _stage(
    name: str, total: int | None, progress: ProgressCallback, cancel: CancelToken
) -> Callable[..., None]:
    """Reports what it is told is done (of ``total``, or of a number it is told), and checks."""
    progress = with_eta(progress)

    def step(num_done: int, num_total: int | None = total) -> None:
        cancel.check()
        progress(Progress(name, num_done, num_total))

    return step
