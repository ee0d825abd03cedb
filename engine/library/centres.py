"""The centre of each space as the library keeps it, and how much each track counts in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.library import codec
from engine.library.database import Database


@dataclass(frozen=True, eq=False)
class Centre:
    """What the embeddings of a space have in common.

    Attributes:
        vector: (dim,) float32, to be subtracted from embeddings before they are compared.
        num_embeddings, max_embedding_id: of which it was made.
    """

    vector: np.ndarray
    num_embeddings: int
    max_embedding_id: int


def centre_of(database: Database, space_id: int) -> Centre | None:
    """None where there is none, or a damaged one: it can always be made again."""
    row = database.row(
        "SELECT vector, num_embeddings, max_embedding_id, dim FROM centre"
        " JOIN space ON space.id = space_id WHERE space_id = ?",
        (space_id,),
    )
    vector = None if row is None else codec.unpack_centre(row[0], row[3])
    return None if row is None or vector is None else Centre(vector, row[1], row[2])


def put_centre(database: Database, space_id: int, centre: Centre) -> None:
    """Keep it in the place of the earlier one."""
    with database.write() as db:
        db.execute(
            "INSERT OR REPLACE INTO centre VALUES (?, ?, ?, ?)",
            (
                space_id,
                centre.num_embeddings,
                centre.max_embedding_id,
                codec.pack_centre(centre.vector),
            ),
        )


def artist_weights(database: Database, space_id: int) -> tuple[np.ndarray, np.ndarray]:
    """(track ids (n,) int64 ascending, weights (n,) float64) by which every artist counts once.

    A track of nobody (without a tag) is an artist of its own.
    """
    rows = database.rows(
        "SELECT track_id, 1.0 / count(*) OVER (PARTITION BY artist_key,"
        " CASE artist_key WHEN '' THEN track_id END)"
        " FROM embedding JOIN track ON track.id = track_id WHERE space_id = ? ORDER BY track_id",
        (space_id,),
    )
    ids, weights = zip(*rows, strict=True) if rows else ((), ())
    return np.array(ids, np.int64), np.array(weights, np.float64)
