"""Putting right what ``checks`` finds between the rows of a library. Each step is a transaction.

Nothing that can be heard again is worth a doubt: it is forgotten, and the next indexing hears it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from engine.library.database import Database
from engine.library.indexes import drop_unfinished
from engine.library.maps import drop_map
from engine.library.upkeep import checks


def mend_rows(database: Database) -> Iterator[str]:
    """Does its work as it is iterated over; yields a sentence for each thing that was done."""
    if num := _remove_orphans(database):
        yield f"Removed {num} rows that belonged to nothing."
    vectors, moments = checks.damaged_embeddings(database)
    if num := _forget_embeddings(database, vectors + moments):
        yield f"Forgot what was heard in {num} songs, since it was damaged. Index to hear them."
    if num := _correct_states(database):
        yield f"Corrected how far {num} songs are."
    damaged_maps = checks.damaged_maps(database)
    for space_id in damaged_maps:
        drop_map(database, space_id)
    if damaged_maps:
        yield f"Removed {len(damaged_maps)} damaged maps. They are made again when they are shown."
    if num := drop_unfinished(database):
        yield f"Removed {num} search indexes that were never finished."


def _remove_orphans(database: Database) -> int:
    """Removing some may make others: until none is left."""
    keys, num_all = checks.foreign_keys(database), 0
    while True:
        with database.write() as db:
            num = sum(db.execute(f"DELETE FROM {checks.orphans_of(key)}").rowcount for key in keys)
        num_all += num
        if not num:
            return num_all


def _forget_embeddings(database: Database, ids: list[int]) -> int:
    with database.write() as db:
        return db.execute(
            "DELETE FROM embedding WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
        ).rowcount


def _correct_states(database: Database) -> int:
    """Returns how many songs it concerned. A song that is to be tried again becomes a new one."""
    with database.write() as db:
        num = db.execute(f"DELETE FROM no_vocals WHERE {checks.WRONG_SILENCE}").rowcount
        unknown = f"SELECT id FROM track WHERE {checks.UNKNOWN_SOUND}"
        ids = json.dumps([row[0] for row in db.execute(unknown)])
        for table in ("embedding", "no_vocals"):
            db.execute(
                f"DELETE FROM {table} WHERE track_id IN (SELECT value FROM json_each(?))", (ids,)
            )
        num += db.execute(
            f"UPDATE track SET error = NULL, state = CASE WHEN id IN ({checks.HEARD}) THEN"
            f" 'indexed' ELSE 'new' END WHERE {checks.WRONG_STATE}"
        ).rowcount
    return num
