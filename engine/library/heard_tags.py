"""Words for what is heard in songs, as the library keeps them: which, how strong, in which songs.

They are apart from what files say of themselves (``Tags``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import numpy as np

from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.records import HeardTag, TagKind


def put_tags(db: sqlite3.Connection, track_id: int, tags: Iterable[HeardTag]) -> None:
    """In place of what was heard before: those that are worth a word."""
    kept = [tag for tag in tags if tag.is_kept]
    db.execute("DELETE FROM heard_tag WHERE track_id = ?", (track_id,))
    db.executemany(
        "INSERT OR IGNORE INTO tag (name, kind) VALUES (?, ?)", [(t.name, t.kind) for t in kept]
    )
    db.executemany(
        "INSERT INTO heard_tag SELECT ?, id, ?, ? FROM tag WHERE name = ?",
        [(track_id, round(100 * t.strength), round(100 * t.chance), t.name) for t in kept],
    )


def tags_of(database: Database, track_ids: Iterable[int]) -> dict[int, tuple[HeardTag, ...]]:
    """By track, the strongest first; tracks in which nothing stands out are left out."""
    rows = database.rows(
        "SELECT track_id, name, kind, strength, chance FROM heard_tag JOIN tag ON tag.id = tag_id"
        f" WHERE track_id {IN_IDS} ORDER BY strength DESC, chance DESC, name",
        (ids_value(track_ids),),
    )
    found: dict[int, list[HeardTag]] = {}
    for track_id, name, kind, strength, chance in rows:
        found.setdefault(track_id, []).append(HeardTag(name, kind, strength / 100, chance / 100))
    return {track_id: tuple(tags) for track_id, tags in found.items()}


def strengths_of(database: Database, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(ids of the tracks in which a tag is heard (n,) int64, ascending; strengths (n,) float32)."""
    rows = database.rows(
        "SELECT track_id, strength FROM heard_tag JOIN tag ON tag.id = tag_id WHERE name = ?"
        " ORDER BY track_id",
        (name,),
    )
    ids, percents = np.array(rows, np.int64).reshape(-1, 2).T
    return ids, percents.astype(np.float32) / 100


def strongest(database: Database, kind: TagKind) -> dict[int, str]:
    """By track, the strongest of its tags of a kind; tracks without one are left out."""
    rows = database.rows(
        "SELECT track_id, name, max(1000 * strength + chance) FROM heard_tag"  # that one's name
        " CROSS JOIN tag ON tag.id = tag_id WHERE kind = ? GROUP BY track_id",
        (kind,),
    )
    return {track_id: name for track_id, name, _ in rows}


def tag_counts(database: Database) -> tuple[tuple[str, TagKind, int], ...]:
    """(name, kind, in how many tracks) of all tags that are heard, the most frequent first."""
    rows = database.rows(
        "SELECT name, kind, count(*) FROM heard_tag JOIN tag ON tag.id = tag_id GROUP BY tag_id"
        " ORDER BY count(*) DESC, name"
    )
    return tuple((row[0], row[1], row[2]) for row in rows)
