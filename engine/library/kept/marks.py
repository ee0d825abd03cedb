"""Favourites, songs with a heart; and marks, a person's word on whether two have the same voice."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.errors import LibraryError
from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.library.kept.songs import KeptSong, keep, songs


def favourites(database: Database) -> list[KeptSong]:
    """The latest first."""
    rows = database.rows("SELECT song_id FROM favourite ORDER BY added_s DESC, song_id DESC")
    return songs(database, [row[0] for row in rows])


def set_favourite(database: Database, track_ids: Sequence[int], is_favourite: bool) -> None:
    """Give these tracks a heart, or take it from them."""
    if is_favourite:
        rows = [(song_id, time.time()) for song_id in keep(database, track_ids)]
        with database.write() as db:
            db.executemany("INSERT OR IGNORE INTO favourite VALUES (?, ?)", rows)
    else:
        with database.write() as db:
            db.execute(
                "DELETE FROM favourite WHERE song_id IN"
                f" (SELECT id FROM kept_song WHERE track_id {IN_IDS})",
                (ids_value(track_ids),),
            )


@dataclass(frozen=True)
class Mark:
    """``is_same``: whether the two have the same voice."""

    song: KeptSong
    other: KeptSong
    is_same: bool


def marks(database: Database) -> list[Mark]:
    """In the order in which they were made."""
    rows = database.rows("SELECT song_id, other_id, is_same FROM mark ORDER BY made_s, song_id")
    ones, others = (songs(database, [row[place] for row in rows]) for place in (0, 1))
    return [Mark(a, b, bool(row[2])) for a, b, row in zip(ones, others, rows, strict=True)]


def put_mark(database: Database, track_id: int, other_id: int, is_same: bool | None) -> None:
    """Keep whether two tracks have the same voice, or, with None, that nothing is said about it.

    The order of the two does not matter. LibraryError for a track with itself, or an unknown one.
    """
    pair = sorted(keep(database, (track_id, other_id)))
    if len(pair) < 2 or track_id == other_id:
        raise LibraryError("A mark needs two different songs of the library. Choose another one.")
    either = f"(SELECT id FROM kept_song WHERE track_id {IN_IDS})"
    both = ids_value((track_id, other_id))
    with database.write() as db:
        db.execute(
            f"DELETE FROM mark WHERE song_id IN {either} AND other_id IN {either}", (both, both)
        )
        if is_same is not None:
            db.execute("INSERT INTO mark VALUES (?, ?, ?, ?)", (*pair, is_same, time.time()))


def marked_apart(database: Database, track_ids: Iterable[int]) -> set[int]:
    """Tracks that were marked as another voice than any of these."""
    rows = database.rows(
        "WITH asked AS (SELECT id FROM kept_song WHERE track_id " + IN_IDS + ")"
        " SELECT track_id FROM mark JOIN kept_song ON kept_song.id = other_id"
        " WHERE NOT is_same AND song_id IN asked AND track_id IS NOT NULL"
        " UNION SELECT track_id FROM mark JOIN kept_song ON kept_song.id = song_id"
        " WHERE NOT is_same AND other_id IN asked AND track_id IS NOT NULL",
        (ids_value(track_ids),),
    )
    return {row[0] for row in rows}
