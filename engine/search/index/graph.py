"""HNSW graphs over the embeddings of one space: built, kept in the library, verified.

hnswlib checks nothing: a wrong dimension, another metric or a flipped byte load in silence. So all
of that is checked here. A graph's labels are ids of embeddings, which are never used twice: a graph
that is behind can name embeddings that are gone, but never another track's.

Large graphs hold projected vectors (``engine.search.index.projection``): what is stored is then the
projection, followed by hnswlib's file.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np

from engine.errors import SingalikeError
from engine.library import Library, codec
from engine.library.indexes import (
    CHUNK_BYTES,
    IndexRecord,
    count_embeddings,
    index_of,
    index_pieces,
    put_index,
    stored_vectors,
)
from engine.library.maps import ids_in_space
from engine.library.processes import temporary_folder
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.search.index import projection

METRIC = "ip"  # of normalised vectors: the distance is 1 - cosine; "ip/96": projected to 96
M = 16
EF_CONSTRUCTION = 200
# A graph is built anew where more of it than this was replaced or deleted since, or where more
# embeddings are newer than it: until then, every search compares these one by one (2 ms).
MAX_DEAD_SHARE = 0.2
MAX_NEWER, MAX_NEWER_SHARE = 4000, 0.02
ALL_CORES = -1
_PROJECTION = np.dtype("<f4")


class UnusableIndexError(SingalikeError):
    """An index is missing, damaged, or not made from the embeddings that are there."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph in memory. Searching from several threads is safe, adding meanwhile is not.

    Attributes:
        dim: of the space.
        max_embedding_id: as in ``IndexRecord``; embeddings with higher ids are not in the graph.
        to_graph: (dim, dimensions of the graph) float32; None where the graph has them all.
    """

    graph: Any
    dim: int
    max_embedding_id: int
    to_graph: np.ndarray | None = None

    @property
    def num_elements(self) -> int:
        return int(self.graph.element_count)

    def nearest(self, query: np.ndarray, k: int) -> np.ndarray:
        """Ids of about the nearest embeddings, (m,) int64 with m at most k, best first.

        ``query`` is (dim,) float32. hnswlib looks at no fewer than it returns: ask for some
        hundred. Embeddings may have been deleted since. UnusableIndexError where the graph falls
        apart.
        """
        if query.shape != (self.dim,):
            raise ValueError(f"a query of shape {query.shape} in a space of {self.dim} dimensions")
        k = min(k, self.num_elements)
        if k < 1:
            return np.empty(0, np.int64)
        try:
            labels, _ = self.graph.knn_query(self.projected(query[None]), k, num_threads=1)
        except RuntimeError as error:
            raise UnusableIndexError("The search index is incomplete.") from error
        return np.asarray(labels[0], np.int64)

    def projected(self, vectors: np.ndarray) -> np.ndarray:
        """(n, dim) -> (n, dimensions of the graph) float32."""
        return vectors if self.to_graph is None else vectors @ self.to_graph


def load(library: Library, space_id: int) -> Graph:
    """The stored graph of a space, verified. UnusableIndexError where there is none to trust."""
    found = index_of(library.database, space_id)
    if found is None:
        raise UnusableIndexError("There is no search index yet.")
    return _read(library, *found)


def refresh(
    library: Library,
    space_id: int,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
    *,
    num_threads: int = ALL_CORES,
) -> bool:
    """Build the graph of a space, unless the stored one is sound and nearly all are in it.

    Returns whether anything was written. Raises CancelledError, with the old graph in place.
    """
    cancel = cancel or CancelToken()
    num_live = count_embeddings(library.database, space_id)
    if _is_up_to_date(library, space_id, num_live, cancel):
        return False
    graph = _empty_graph(library, space_id, num_live)
    max_id = 0
    for ids, _, halves in stored_vectors(library.database, space_id, graph.dim):
        cancel.check()
        if graph.num_elements + len(ids) > graph.graph.max_elements:  # stored meanwhile
            graph.graph.resize_index(graph.num_elements + len(ids))
        vectors = graph.projected(codec.unit(halves))
        graph.graph.add_items(vectors, ids, num_threads=num_threads)
        max_id = int(ids[-1])
        progress(Progress("index", graph.num_elements, num_live))
    _save(library, space_id, replace(graph, max_embedding_id=max_id))
    return True


def _is_up_to_date(library: Library, space_id: int, num_live: int, cancel: CancelToken) -> bool:
    found = index_of(library.database, space_id)
    if found is None:
        return False
    index_id, record = found
    num_kept = count_embeddings(library.database, space_id, record.max_embedding_id)
    num_dead, num_newer = record.num_elements - num_kept, num_live - num_kept
    max_newer = min(MAX_NEWER, MAX_NEWER_SHARE * record.num_elements)
    if not 0 <= num_dead <= MAX_DEAD_SHARE * record.num_elements or num_newer > max_newer:
        return False
    with suppress(UnusableIndexError):
        _graph_dim(library, record)
        for _ in _checked_pieces(library, index_id, record):
            cancel.check()
        return True
    return False


def _empty_graph(library: Library, space_id: int, max_elements: int) -> Graph:
    dim, to_graph = library.space(space_id).dim, None
    if projection.is_enough(max_elements, dim):
        ids = ids_in_space(library.database, space_id)
        num_rows = min(len(ids), projection.SAMPLE_ROWS)
        some = np.random.default_rng(0).choice(ids, num_rows, replace=False)
        to_graph = projection.fit(library.embeddings(space_id, some)[1])
    graph = hnswlib.Index(space=METRIC, dim=dim if to_graph is None else to_graph.shape[1])
    graph.init_index(max_elements=max(1, max_elements), M=M, ef_construction=EF_CONSTRUCTION)
    return Graph(graph, dim, 0, to_graph)


def _save(library: Library, space_id: int, graph: Graph) -> None:
    """SingalikeError where there is no room for hnswlib's file."""
    head = b"" if graph.to_graph is None else graph.to_graph.astype(_PROJECTION).tobytes()
    try:
        with temporary_folder() as folder:
            path = Path(folder) / "index"
            graph.graph.save_index(str(path))
            if path.stat().st_size != graph.graph.index_file_size():  # hnswlib does not notice
                raise OSError("the disk is full")
            record = IndexRecord(
                space_id=space_id,
                dim=graph.dim,
                metric=METRIC if graph.to_graph is None else f"{METRIC}/{graph.graph.dim}",
                m=M,
                ef_construction=EF_CONSTRUCTION,
                num_elements=graph.num_elements,
                max_embedding_id=graph.max_embedding_id,
            )
            put_index(library.database, record, _chunks(head, path))
    except (OSError, RuntimeError) as error:
        raise SingalikeError(
            f"The search index could not be written to {tempfile.gettempdir()}: is the disk full? "
            "Make room, then start again; nothing else is lost."
        ) from error


def _chunks(head: bytes, path: Path) -> Iterator[bytes]:
    if head:
        yield head
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _read(library: Library, index_id: int, record: IndexRecord) -> Graph:
    """UnusableIndexError where what is stored is not what was written, or cannot be unpacked."""
    graph_dim, to_graph, head = _graph_dim(library, record), None, b""
    head_bytes = 0 if graph_dim == record.dim else _PROJECTION.itemsize * record.dim * graph_dim
    graph = hnswlib.Index(space=METRIC, dim=graph_dim)
    try:
        with temporary_folder() as folder:
            path = Path(folder) / "index"
            with path.open("wb") as file:
                for piece in _checked_pieces(library, index_id, record):
                    missing = head_bytes - len(head)
                    head += piece[:missing]
                    file.write(piece[missing:])
            graph.load_index(str(path), max(1, record.num_elements))
        if head_bytes:
            stored = np.frombuffer(head, _PROJECTION).reshape(record.dim, graph_dim)
            to_graph = stored.astype(np.float32)
    except OSError as error:
        raise UnusableIndexError(
            f"The search index could not be unpacked in {tempfile.gettempdir()}: {error.strerror}."
        ) from error
    except (RuntimeError, ValueError) as error:
        raise UnusableIndexError("The search index is not what it says it is.") from error
    if graph.element_count != record.num_elements:
        raise UnusableIndexError("The search index is not what it says it is.")
    return Graph(graph, record.dim, record.max_embedding_id, to_graph)


def _graph_dim(library: Library, record: IndexRecord) -> int:
    metric, _, graph_dim = record.metric.partition("/")
    made_for = (library.space(record.space_id).dim, METRIC, M)
    if (record.dim, metric, record.m) != made_for or not (graph_dim or "1").isdecimal():
        raise UnusableIndexError("The search index was made for other embeddings.")
    return int(graph_dim or record.dim)


def _checked_pieces(library: Library, index_id: int, record: IndexRecord) -> Iterator[bytes]:
    """What is stored. After the last of it, UnusableIndexError where it is not what was written."""
    digest, num_bytes = hashlib.sha256(), 0
    for piece in index_pieces(library.database, index_id):
        digest.update(piece)
        num_bytes += len(piece)
        yield piece
    if (num_bytes, digest.hexdigest()) != (record.num_bytes, record.sha256):
        raise UnusableIndexError("The search index is damaged.")
