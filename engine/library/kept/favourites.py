"""Favourites: songs with a heart."""

from __future__ import annotations

import time
from collections.abc import Sequence

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
