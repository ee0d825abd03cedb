"""Shards: what was heard in consecutive rows of a manifest, as Parquet that any tool reads.

A shard's metadata says by which models, separator and manifest it was made (key ``singalike``,
JSON). Vectors are float16, as in a library; a view without a vector in a row without an error means
that nobody sings.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalogue.errors import CatalogueError
from catalogue.manifest import Entry
from catalogue.storage import ShardFolder, absolute, opened
from engine.library import Tags
from engine.records import MomentCodes, SpaceKey, TrackEmbedding, View

SHARD_VERSION = 1
METADATA_KEY = b"singalike"
_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("row", pa.int64()),
    ("path", pa.string()),
    ("id", pa.string()),
    ("title", pa.string()),
    ("artist", pa.string()),
    ("album", pa.string()),
    ("album_artist", pa.string()),
    ("genre", pa.string()),
    ("year", pa.int32()),
    ("track_number", pa.int32()),
    ("size_bytes", pa.int64()),
    ("mtime_ns", pa.int64()),
    ("audio_hash", pa.string()),
    ("duration_s", pa.float64()),
    ("error", pa.string()),
]


@dataclass(frozen=True)
class ShardHeader:
    """What all rows of a shard have in common.

    Attributes:
        spaces: one per view that was listened to.
        first_row, num_rows: of the manifest with ``manifest_sha256``.
    """

    spaces: tuple[SpaceKey, ...]
    manifest_sha256: str
    first_row: int
    num_rows: int
    version: int = SHARD_VERSION

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> ShardHeader:
        values = json.loads(text)
        spaces = tuple(SpaceKey(**space) for space in values.pop("spaces"))
        return cls(spaces, **values)


@dataclass(frozen=True, eq=False)
class ShardRow:
    """What became of one entry.

    Attributes:
        entry: its tags completed from the file.
        size_bytes, mtime_ns: of the file; 0 where unknown.
        error: why nothing could be heard, a sentence; None where all went well.
        heard: an embedding for each view that was listened to, None where nobody sings; empty
            where there is an error.
    """

    entry: Entry
    size_bytes: int = 0
    mtime_ns: int = 0
    audio_hash: str | None = None
    duration_s: float | None = None
    error: str | None = None
    heard: Mapping[View, TrackEmbedding | None] | None = None


def shard_name(number: int) -> str:
    return f"shard-{number:06d}.parquet"


def is_shard_name(name: str) -> bool:
    return name.startswith("shard-") and name.endswith(".parquet")


def shard_places(given: Sequence[str]) -> list[str]:
    """The shards that some folders, files or addresses mean, in order.

    CatalogueError where there are none.
    """
    places = list[str]()
    for one in map(absolute, given):
        if one.endswith(".parquet"):
            places.append(one)
            continue
        folder = ShardFolder(one)
        names = sorted(filter(is_shard_name, folder.names()))
        if not names:
            raise CatalogueError(
                f"There are no shards in {one}. Name the folder that `singalike-catalogue run` "
                "wrote to."
            )
        places += [folder.path_of(name) for name in names]
    return list(dict.fromkeys(places))


def pack_shard(header: ShardHeader, rows: Sequence[ShardRow]) -> bytes:
    """A Parquet file. The same rows give the same bytes."""
    fields = [pa.field(name, kind) for name, kind in _COLUMNS]
    columns: list[Any] = [pa.array(values, kind) for values, (_, kind) in _plain_columns(rows)]
    for space in header.spaces:
        heard = [(row.heard or {}).get(space.view) for row in rows]
        for name, kind, values in _view_columns(space, heard):
            fields.append(pa.field(name, kind))
            columns.append(pa.array(values, kind))
    schema = pa.schema(fields, metadata={METADATA_KEY: header.as_json()})
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), out, compression="zstd")
    return out.getvalue()


def _plain_columns(rows: Sequence[ShardRow]) -> list[tuple[list[Any], tuple[str, pa.DataType]]]:
    table = [
        (
            row.entry.row,
            row.entry.address,
            row.entry.id,
            *asdict(row.entry.tags).values(),
            row.size_bytes,
            row.mtime_ns,
            row.audio_hash,
            row.duration_s,
            row.error,
        )
        for row in rows
    ]
    columns = zip(*table, strict=True) if table else ([] for _ in _COLUMNS)
    return [(list(values), column) for values, column in zip(columns, _COLUMNS, strict=True)]


def _view_columns(
    space: SpaceKey, heard: Sequence[TrackEmbedding | None]
) -> list[tuple[str, pa.DataType, list[Any]]]:
    vectors = [None if one is None else one.vector.astype(np.float16) for one in heard]
    moments = [None if one is None else one.moments.thinned() for one in heard]
    return [
        (f"{space.view}_vector", pa.list_(pa.float16(), space.dim), vectors),
        (
            f"{space.view}_starts_s",
            pa.list_(pa.float32()),
            [None if one is None else one.starts_s for one in moments],
        ),
        (
            f"{space.view}_codes",
            pa.binary(),
            [None if one is None else one.codes.tobytes() for one in moments],
        ),
        (
            f"{space.view}_length_s",
            pa.float32(),
            [None if one is None else one.length_s for one in moments],
        ),
    ]


@dataclass(frozen=True, eq=False)
class Shard:
    """A shard that has been read. Values are checked as they are asked for."""

    place: str
    header: ShardHeader
    table: pa.Table

    def entries(self) -> list[Entry]:
        names = ("row", "path", "id", *Tags.__dataclass_fields__)
        columns = [self.table.column(name).to_pylist() for name in names]
        return [Entry(row, path, id_, Tags(*tags)) for row, path, id_, *tags in zip(*columns)]  # noqa: B905

    def rows(self) -> list[ShardRow]:
        """Raises CatalogueError where a value cannot be what was heard."""
        names = ("size_bytes", "mtime_ns", "audio_hash", "duration_s", "error")
        facts = zip(*(self.table.column(name).to_pylist() for name in names), strict=True)
        heard = {space.view: self._embeddings(space) for space in self.header.spaces}
        rows = list[ShardRow]()
        for i, (entry, (size, time_ns, sound, duration_s, error)) in enumerate(
            zip(self.entries(), facts, strict=True)
        ):
            views = {} if error else {view: found[i] for view, found in heard.items()}
            rows.append(ShardRow(entry, size, time_ns, sound, duration_s, error, views))
        return rows

    def _embeddings(self, space: SpaceKey) -> list[TrackEmbedding | None]:
        view = space.view
        column = self.table.column(f"{view}_vector").combine_chunks()
        vectors = _as_numpy(column.flatten()).reshape(-1, space.dim).astype(np.float32)
        norms = np.linalg.norm(vectors, axis=1)
        present = np.flatnonzero(np.asarray(column.is_valid())).tolist()
        for place, norm in zip(present, norms.tolist(), strict=True):
            if not abs(norm - 1) < 1e-2:  # also where it is not a number
                what = f"of length {norm:.3g}" if np.isfinite(norm) else "that is not finite"
                raise self._damaged(place, f"a vector {what}")
        found: list[TrackEmbedding | None] = [None] * len(self.table)
        codes, starts, lengths = (
            self.table.column(f"{view}_{name}").to_pylist()
            for name in ("codes", "starts_s", "length_s")
        )
        for place, vector in zip(present, vectors, strict=True):
            try:
                num = len(starts[place])
                shape = np.frombuffer(codes[place], np.int8).reshape(num, -1) if num else _NO_CODES
                moments = MomentCodes(shape, np.array(starts[place], np.float32), lengths[place])
            except (TypeError, ValueError) as error:
                raise self._damaged(place, "moments that do not fit together") from error
            found[place] = TrackEmbedding(vector, moments)
        return found

    def _damaged(self, place: int, what: str) -> CatalogueError:
        row = self.table.column("row")[place]
        return CatalogueError(
            f"{self.place} is damaged: row {row} holds {what}. Nothing of this shard was used. "
            "Delete it, run singalike-catalogue again to make it anew, then repeat this command."
        )


_NO_CODES = np.zeros((0, 1), np.int8)


def _as_numpy(values: pa.Array) -> np.ndarray:
    return np.asarray(values.fill_null(np.float16("nan")).to_numpy(zero_copy_only=False))


def read_header(place: str) -> ShardHeader:
    """Of a shard, without its rows. CatalogueError where it is none of ours."""
    with opened(place) as file:
        return _header_of(place, _parquet(place, file).schema_arrow)


def read_shard(place: str, columns: Sequence[str] | None = None) -> Shard:
    """All of a shard, or some columns of it. CatalogueError where it is none of ours."""
    with opened(place) as file:
        parquet = _parquet(place, file)
        header = _header_of(place, parquet.schema_arrow)
        try:
            return Shard(place, header, parquet.read(columns=columns))
        except (OSError, pa.ArrowException) as error:
            raise _no_shard(place, str(error)) from error


def _parquet(place: str, file: Any) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except pa.ArrowException as error:
        raise _no_shard(place, str(error)) from error


def _header_of(place: str, schema: pa.Schema) -> ShardHeader:
    text = (schema.metadata or {}).get(METADATA_KEY)
    if text is None:
        raise _no_shard(place, "it does not say who made it")
    version = json.loads(text).get("version")
    if version != SHARD_VERSION:
        raise CatalogueError(
            f"{place} has the version {version} of shards; this Singalike knows {SHARD_VERSION}. "
            "Update Singalike."
        )
    header = ShardHeader.from_json(text)
    for space in header.spaces:
        name = f"{space.view}_vector"
        found = schema.field(name).type if name in schema.names else None
        if found != pa.list_(pa.float16(), space.dim):
            raise _no_shard(
                place, f"{space.model} makes vectors of {space.dim} numbers, and it holds {found}"
            )
    return header


def _no_shard(place: str, why: str) -> CatalogueError:
    return CatalogueError(
        f"{place} is no shard that can be used: {why}. Delete it and run singalike-catalogue again."
    )
