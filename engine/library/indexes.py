"""HNSW indexes as bytes in the library, a MiB to a row: one BLOB would end at a gigabyte."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from engine.library import codec
from engine.library.database import Database
from engine.library.tables import insert

CHUNK_BYTES = 1024 * 1024
_CHUNK_ROWS = 1024


@dataclass(frozen=True)
class IndexRecord:
    """What an index says about itself, to be verified before it is used.

    Attributes:
        num_elements: embeddings in it, replaced and deleted ones included.
        max_embedding_id: it holds none with a higher id, and held all others when it was made.
        sha256, num_bytes: of all that is stored, chunk after chunk; ``put_index`` finds them.
    """

    space_id: int
    dim: int
    metric: str
    m: int
    ef_construction: int
    num_elements: int
    max_embedding_id: int
    num_bytes: int = 0
    sha256: str = ""


def put_index(database: Database, record: IndexRecord, chunks: Iterable[bytes]) -> None:
    """Keep an index in the place of the space's earlier one.

    The earlier one serves until the last byte is written; a process that is killed on the way
    leaves rows that the next call removes.
    """
    with database.write() as db:
        db.execute(
            "DELETE FROM hnsw_index WHERE space_id = ? AND state = 'building'", (record.space_id,)
        )
        index_id = insert(db, "hnsw_index", {**asdict(record), "state": "building"})
    digest, num_bytes = hashlib.sha256(), 0
    for seq, data in enumerate(chunks):
        digest.update(data)
        num_bytes += len(data)
        with database.write() as db:
            db.execute("INSERT INTO hnsw_chunk VALUES (?, ?, ?)", (index_id, seq, data))
    with database.write() as db:
        db.execute(
            "DELETE FROM hnsw_index WHERE space_id = ? AND id != ?", (record.space_id, index_id)
        )
        db.execute(
            "UPDATE hnsw_index SET state = 'ready', num_bytes = ?, sha256 = ? WHERE id = ?",
            (num_bytes, digest.hexdigest(), index_id),
        )


def index_of(database: Database, space_id: int) -> tuple[int, IndexRecord] | None:
    """(id, record) of the index that is ready, or None."""
    row = database.row(
        "SELECT id, space_id, dim, metric, m, ef_construction, num_elements, max_embedding_id,"
        " num_bytes, sha256 FROM hnsw_index WHERE space_id = ? AND state = 'ready'",
        (space_id,),
    )
    return None if row is None else (row[0], IndexRecord(*row[1:]))


def index_pieces(database: Database, index_id: int) -> Iterator[bytes]:
    """What is stored of an index; it ends early where the index has been replaced meanwhile."""
    for seq in itertools.count():
        sql = "SELECT data FROM hnsw_chunk WHERE index_id = ? AND seq = ?"
        row = database.row(sql, (index_id, seq))
        if row is None or not isinstance(row[0], bytes):
            return
        yield row[0]


def has_embeddings(database: Database, space_id: int) -> bool:
    """Whether anything was heard in a space; unlike counting, at no cost."""
    row = database.row("SELECT 1 FROM embedding WHERE space_id = ? LIMIT 1", (space_id,))
    return row is not None


def count_embeddings(database: Database, space_id: int, up_to_id: int | None = None) -> int:
    """Embeddings of a space, or those of them with an id of at most ``up_to_id``.

    Every search asks; counting a million takes longer than the search itself.
    """
    values = (space_id, 2**62 if up_to_id is None else up_to_id)
    sql = "SELECT count(*) FROM embedding WHERE space_id = ? AND id <= ?"
    ((num,),) = database.remembered(("embeddings", *values), lambda: database.rows(sql, values))
    return int(num)


def embedding_ids(database: Database, space_id: int) -> np.ndarray:
    """(n,) int64, ascending: ids of a space's embeddings."""
    # as text: a million rows of one number each would take longer, and 100 MB
    ((ids,),) = database.rows(
        "SELECT group_concat(id) FROM embedding WHERE space_id = ?", (space_id,)
    )
    return np.sort(np.fromstring(ids or "", np.int64, sep=","))


def stored_vectors(
    database: Database, space_id: int, dim: int, after_id: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The embeddings of a space with ids above ``after_id``, ascending, some at a time.

    Each time ids (n,) int64, their tracks (n,) int64, vectors (n, dim) float16 as they lie there.
    """
    while True:
        rows = database.rows(
            "SELECT id, track_id, vector FROM embedding WHERE space_id = ? AND id > ?"
            " ORDER BY id LIMIT ?",
            (space_id, after_id, _CHUNK_ROWS),
        )
        if not rows:
            return
        ids, track_ids, blobs = zip(*rows, strict=True)
        yield np.array(ids), np.array(track_ids), codec.stored_vectors(blobs, dim)
        after_id = ids[-1]
