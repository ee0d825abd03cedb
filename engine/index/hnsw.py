"""HNSW graphs over the embeddings of one space: built, kept in the library, verified, caught up.

hnswlib checks nothing: a wrong dimension, another metric or a flipped byte load in silence, and
``ef`` is back at its default after every load. So all of that is checked here. A graph's labels are
ids of embeddings, which are never used twice: a graph that is behind can name embeddings that are
gone, but never another track's.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np

from engine.errors import SingalikeError
from engine.library import Library
from engine.library.index_store import (
    CHUNK_BYTES,
    IndexRecord,
    count_embeddings,
    index_chunks,
    index_of,
    put_index,
)
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress

METRIC = "ip"  # of normalised vectors: the distance is 1 - cosine
M = 16
EF_CONSTRUCTION = 200
MIN_EF = 128
MAX_DEAD_SHARE = 0.2  # of elements replaced or deleted since; beyond it a graph is built anew
ALL_CORES = -1


class UnusableIndexError(SingalikeError):
    """An index is missing, damaged, or not made from the embeddings that are there."""


@dataclass(frozen=True, eq=False)
class HnswIndex:
    """A graph in memory. Searching from several threads is safe, adding meanwhile is not.

    Attributes:
        max_embedding_id: as in ``IndexRecord``; embeddings with higher ids are not in the graph.
    """

    graph: Any
    dim: int
    max_embedding_id: int

    @property
    def num_elements(self) -> int:
        return int(self.graph.element_count)

    def nearest(self, query: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(ids of embeddings (m,) int64, similarities (m,) float32), best first.

        ``query`` is (dim,) float32, L2-normalised; m is at most k. Ids may be of embeddings that
        have been deleted since. UnusableIndexError where the graph falls apart.
        """
        if query.shape != (self.dim,):
            raise ValueError(f"a query of shape {query.shape} in a space of {self.dim} dimensions")
        k = min(k, self.num_elements)
        if k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        self.graph.set_ef(max(MIN_EF, 2 * k))
        try:
            labels, distances = self.graph.knn_query(query[None], k=k, num_threads=1)
        except RuntimeError as error:
            raise UnusableIndexError("The search index is incomplete.") from error
        return labels[0].astype(np.int64), 1 - distances[0]


def load(library: Library, space_id: int) -> HnswIndex:
    """The stored index of a space, verified. UnusableIndexError where there is none to trust."""
    found = index_of(library.database, space_id)
    if found is None:
        raise UnusableIndexError("There is no search index yet.")
    index_id, record = found
    return _read(library, index_id, record, record.num_elements)


def refresh(
    library: Library,
    space_id: int,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
    *,
    num_threads: int = ALL_CORES,
) -> bool:
    """Bring the stored index of a space up to date with its embeddings.

    Newer embeddings are added; where too many are gone, or the index cannot be trusted, it is built
    anew. Returns whether anything was written. Raises CancelledError, with the old index in place.
    """
    cancel = cancel or CancelToken()
    num_live = count_embeddings(library.database, space_id)
    index = _with_room(library, space_id, num_live)
    if index is None:
        index = HnswIndex(_empty_graph(library.space(space_id).dim, num_live), 0, 0)
    elif count_embeddings(library.database, space_id, index.max_embedding_id) == num_live:
        return False
    _save(library, space_id, _add_newer(library, space_id, index, progress, cancel, num_threads))
    return True


def _with_room(library: Library, space_id: int, num_live: int) -> HnswIndex | None:
    """The stored index with room for all newer embeddings; None where it has to be built anew."""
    found = index_of(library.database, space_id)
    if found is None:
        return None
    index_id, record = found
    num_kept = count_embeddings(library.database, space_id, record.max_embedding_id)
    num_dead = record.num_elements - num_kept
    if num_dead < 0 or num_dead > MAX_DEAD_SHARE * record.num_elements:
        return None
    try:
        return _read(library, index_id, record, record.num_elements + num_live - num_kept)
    except UnusableIndexError:
        return None


def _empty_graph(dim: int, max_elements: int) -> Any:
    graph = hnswlib.Index(space=METRIC, dim=dim)
    graph.init_index(max_elements=max(1, max_elements), M=M, ef_construction=EF_CONSTRUCTION)
    return graph


def _add_newer(
    library: Library,
    space_id: int,
    index: HnswIndex,
    progress: ProgressCallback,
    cancel: CancelToken,
    num_threads: int,
) -> HnswIndex:
    room = index.graph.max_elements - index.graph.element_count
    max_id, num_added = index.max_embedding_id, 0
    for chunk in library.embedding_chunks(space_id, after_id=max_id, num_rows=1024):
        cancel.check()
        if num_added + len(chunk.ids) > room:  # stored while we were counting
            index.graph.resize_index(index.graph.max_elements + len(chunk.ids))
        index.graph.add_items(chunk.vectors, chunk.ids, num_threads=num_threads)
        num_added += len(chunk.ids)
        max_id = int(chunk.ids[-1])
        progress(Progress("index", num_added, room))
    return HnswIndex(index.graph, index.graph.dim, max_id)


def _save(library: Library, space_id: int, index: HnswIndex) -> None:
    with tempfile.TemporaryDirectory(prefix="singalike-") as folder:
        path = Path(folder) / "index"
        try:
            index.graph.save_index(str(path))
            num_bytes = path.stat().st_size
        except (OSError, RuntimeError):
            num_bytes = -1
        if num_bytes != index.graph.index_file_size():  # hnswlib does not notice a full disk
            raise SingalikeError(
                f"The search index could not be written to {folder}: is the disk full? Make room, "
                "then start again; nothing else is lost."
            )
        record = IndexRecord(
            space_id=space_id,
            dim=index.dim,
            metric=METRIC,
            m=M,
            ef_construction=EF_CONSTRUCTION,
            num_elements=index.num_elements,
            max_embedding_id=index.max_embedding_id,
            num_bytes=num_bytes,
            sha256=_sha256(path),
        )
        put_index(library.database, record, _file_chunks(path))


def _read(library: Library, index_id: int, record: IndexRecord, max_elements: int) -> HnswIndex:
    dim = library.space(record.space_id).dim
    if (record.dim, record.metric, record.m) != (dim, METRIC, M):
        raise UnusableIndexError("The search index was made for other embeddings.")
    try:
        graph = _unpack(library, index_id, record, max(1, max_elements))
    except OSError as error:
        raise UnusableIndexError(
            f"The search index cannot be unpacked: {error.strerror or error}."
        ) from error
    if graph.element_count != record.num_elements:
        raise UnusableIndexError("The search index is not what it says it is.")
    return HnswIndex(graph, dim, record.max_embedding_id)


def _unpack(library: Library, index_id: int, record: IndexRecord, max_elements: int) -> Any:
    digest = hashlib.sha256()
    num_bytes = 0
    with tempfile.TemporaryDirectory(prefix="singalike-") as folder:
        path = Path(folder) / "index"
        with path.open("wb") as file:
            for chunk in index_chunks(library.database, index_id):
                digest.update(chunk)
                num_bytes += file.write(chunk)
        if (num_bytes, digest.hexdigest()) != (record.num_bytes, record.sha256):
            raise UnusableIndexError("The search index is damaged.")
        graph = hnswlib.Index(space=METRIC, dim=record.dim)
        graph.load_index(str(path), max_elements=max_elements)
    return graph


def _file_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in _file_chunks(path):
        digest.update(chunk)
    return digest.hexdigest()
