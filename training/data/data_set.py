"""A prepared data set on disk: stems of 5 s segments in shards, and their table.

    dataset.json     what it is: source, options, parts, artists, summary
    tracks.jsonl     one line per finished song, in order; the journal that makes it resumable
    segments.npy     SEGMENT_DTYPE, one row per segment
    shard-0000.i16   (num_rows, 2, 80000) int16: mixture and vocals at 16 kHz

The accompaniment is mixture minus gated vocals (CVSM.md), so it needs no place of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.models.segments import SAMPLE_RATE_HZ, SEGMENT_SAMPLES
from training.errors import DataError

FORMAT_VERSION = 1
PARTS = ("train", "valid", "test")
STEMS = ("mixture", "vocals")
INT16_SCALE = 32767.0
ROWS_PER_SHARD = 2000
ROW_BYTES = len(STEMS) * SEGMENT_SAMPLES * 2
SEGMENT_DTYPE = np.dtype(
    [
        ("shard", "<i4"),
        ("row", "<i4"),
        ("track", "<i4"),
        ("artist", "<i4"),
        ("part", "<i1"),
        ("has_vocals", "?"),  # passes the vocal gate
        ("clean", "<i8"),  # the segment with the same vocals as they were recorded, or itself
        ("start_s", "<f4"),
        ("vocal_level", "<f4"),  # mean |vocals| before any gain
        ("loudness_db", "<f4"),  # RMS of the mixture as it was, re full scale
    ]
)


@dataclass(frozen=True)
class Dataset:
    """An opened data set, or several as one. Samples stay on disk until they are asked for.

    ``path`` is the folder (of the first); column ``shard`` of ``segments`` counts ``shard_paths``.
    """

    path: Path
    info: dict[str, Any]
    segments: np.ndarray
    shard_paths: tuple[Path, ...]

    @classmethod
    def open(cls, path: Path) -> Dataset:
        """Raises DataError when it is missing, unfinished or of another version."""
        try:
            info = json.loads((path / "dataset.json").read_text(encoding="utf-8"))
            segments = np.load(path / "segments.npy")
        except (OSError, ValueError) as error:
            raise DataError(
                f"No finished data set in {path}. Make it with `singalike train prepare`; "
                "an interrupted one goes on where it stopped."
            ) from error
        if info.get("format_version") != FORMAT_VERSION or segments.dtype != SEGMENT_DTYPE:
            raise DataError(f"{path} was prepared by another version. Prepare it again.")
        # A voice that was separated again is the same song. (Sets were once made otherwise.)
        segments["track"] = segments["track"][segments["clean"]]
        num_shards = int(segments["shard"].max()) + 1 if len(segments) else 0
        return cls(path, info, segments, tuple(shard_path(path, n) for n in range(num_shards)))

    def with_parts_of(self, others: Sequence[Dataset]) -> Dataset:
        """The same, its artists in the part that the first of the others has them in.

        Nobody who validates in one then trains in another. Songs without vocals stay as they are.
        """
        parts: dict[str, int] = {}
        for other in others:
            voiced = other.segments[other.segments["has_vocals"]]
            artists, firsts = np.unique(voiced["artist"], return_index=True)
            for artist, part in zip(artists, voiced["part"][firsts], strict=True):
                parts.setdefault(other.artists[artist], int(part))
        known = np.array([parts.get(name, -1) for name in self.artists])
        table = self.segments.copy()
        is_moved = (table["vocal_level"] > 0) & (known[table["artist"]] >= 0)
        table["part"][is_moved] = known[table["artist"]][is_moved]
        return replace(self, segments=table)

    @classmethod
    def join(cls, datasets: Sequence[Dataset]) -> Dataset:
        """Several as one: the same name is the same artist, in the part that the first gives."""
        first = datasets[0]
        numbers: dict[str, int] = {}
        tables: list[np.ndarray] = []
        num_shards = num_tracks = num_segments = 0
        for before, dataset in enumerate(datasets):
            table = dataset.with_parts_of(datasets[:before]).segments.copy()
            own = [numbers.setdefault(name, len(numbers)) for name in dataset.artists]
            table["artist"] = np.array(own, np.int32)[table["artist"]]
            table["shard"] += num_shards
            table["track"] += num_tracks
            table["clean"] += num_segments
            num_shards += len(dataset.shard_paths)
            num_tracks = int(table["track"].max(initial=num_tracks - 1)) + 1
            num_segments += len(table)
            tables.append(table)
        sources = [source for dataset in datasets for source in dataset.info["sources"]]
        info = first.info | {"artists": list(numbers), "sources": sources}
        paths = tuple(path for dataset in datasets for path in dataset.shard_paths)
        return cls(first.path, info, np.concatenate(tables), paths)

    @property
    def artists(self) -> list[str]:
        return [str(name) for name in self.info["artists"]]

    @property
    def identity(self) -> str:
        """Same for data sets with the same segments of the same voices in the same parts.

        Levels and loudness stand for the samples, which are too many to be read for this.
        """
        digest = hashlib.sha256(json.dumps(self.artists).encode())
        digest.update(np.ascontiguousarray(self.segments).tobytes())
        return digest.hexdigest()

    def read(
        self,
        indices: np.ndarray,
        out: np.ndarray | None = None,
        places: np.ndarray | None = None,
    ) -> np.ndarray:
        """(n, 2, 80000) int16 of the rows asked for, in their order, or in these places of ``out``.

        Each shard is opened once and read forwards, straight into the rows of ``out``: a call for
        many rows in the order of the shards is as fast as the disk.

        Raises DataError when a shard is missing or too short.
        """
        if out is None:
            out = np.empty((len(indices), len(STEMS), SEGMENT_SAMPLES), np.int16)
        places = np.arange(len(indices)) if places is None else places
        table = self.segments[indices]
        order = np.lexsort((table["row"], table["shard"]))
        shards = table["shard"][order]
        for chosen in np.split(order, np.flatnonzero(np.diff(shards)) + 1):
            if len(chosen):
                path = self.shard_paths[table["shard"][chosen[0]]]
                _read_rows(path, table["row"][chosen], [out[place] for place in places[chosen]])
        return out


def _read_rows(path: Path, rows: np.ndarray, into: Sequence[np.ndarray]) -> None:
    try:
        with path.open("rb", buffering=0) as file:
            for row, target in zip(rows.tolist(), into, strict=True):
                file.seek(row * ROW_BYTES)
                if file.readinto(memoryview(target.data).cast("B")) != ROW_BYTES:
                    raise OSError("too short")
    except OSError as error:
        raise DataError(f"{path} is missing or damaged. Prepare the data set again.") from error


def open_datasets(paths: Sequence[Path]) -> Dataset:
    """One data set, or several as one. Raises DataError."""
    return Dataset.join([Dataset.open(path) for path in paths])


def evenly_spread(indices: np.ndarray, labels: np.ndarray, num_most: int) -> np.ndarray:
    """At most so many indices of each label, evenly spread over its own; (n,) both, by label."""
    order = np.argsort(labels, kind="stable")
    _, firsts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    kept = [np.zeros(0, np.int64)]
    for first, num in zip(firsts, counts, strict=True):
        kept.append(first + np.linspace(0, num - 1, min(num, num_most)).astype(int))
    return np.asarray(indices[order[np.concatenate(kept)]])


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:04d}.i16"


def cut(waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Segments of 5 s without overlap; a rest of half a segment or more is cut from the end.

    Args:
        waveform: (..., num_samples) at 16 kHz.

    Returns:
        segments (n, ..., 80000) and their starts (n,) in seconds; n is 0 below 5 s.
    """
    num_samples = waveform.shape[-1]
    starts = list(range(0, num_samples - SEGMENT_SAMPLES + 1, SEGMENT_SAMPLES))
    if starts and num_samples - starts[-1] - SEGMENT_SAMPLES >= SEGMENT_SAMPLES // 2:
        starts.append(num_samples - SEGMENT_SAMPLES)
    segments = [waveform[..., s : s + SEGMENT_SAMPLES] for s in starts]
    empty = np.zeros((0, *waveform.shape[:-1], SEGMENT_SAMPLES), waveform.dtype)
    return np.stack(segments) if segments else empty, np.array(starts) / SAMPLE_RATE_HZ
