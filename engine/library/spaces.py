"""What the library holds of each embedding space, and how to let one go."""

from __future__ import annotations

from dataclasses import dataclass

from engine.library.database import Database
from engine.records import SpaceKey


@dataclass(frozen=True)
class SpaceFacts:
    """One space, in numbers.

    Attributes:
        num_tracks: that were heard in it.
        num_bytes: of what was heard, and of the search index.
        index_bytes: of the search index; 0 where there is none.
        has_map: a map of it is kept.
    """

    space_id: int
    key: SpaceKey
    num_tracks: int
    num_bytes: int
    index_bytes: int
    has_map: bool


def space_facts(database: Database) -> list[SpaceFacts]:
    """All spaces. Looks at every embedding: some tenths of a second for 100,000."""
    found = database.rows(
        "SELECT space.id, model, model_sha256, view, separator, dim, listening,"
        " count(embedding.id),"
        " coalesce(sum(length(vector) + coalesce(length(starts) + length(codes), 0)), 0),"
        " coalesce((SELECT sum(num_bytes) FROM hnsw_index i WHERE i.space_id = space.id), 0),"
        " EXISTS (SELECT 1 FROM map WHERE map.space_id = space.id)"
        " FROM space LEFT JOIN embedding ON embedding.space_id = space.id"
        " LEFT JOIN moments ON moments.embedding_id = embedding.id GROUP BY space.id"
    )
    return [
        SpaceFacts(
            row[0],
            SpaceKey(row[1], row[2], row[3], row[4] or None, row[5], row[6]),
            row[7],
            row[8] + row[9],
            row[9],
            bool(row[10]),
        )
        for row in found
    ]


def forget_space(database: Database, space_id: int) -> None:
    """Forget all that was heard in a space. Only listening again brings it back."""
    with database.write() as db:
        db.execute("DELETE FROM space WHERE id = ?", (space_id,))
        db.execute(
            "UPDATE track SET state = 'new' WHERE state = 'indexed' AND id NOT IN"
            " (SELECT track_id FROM embedding UNION SELECT track_id FROM no_vocals)"
        )
