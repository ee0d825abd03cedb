"""Counting the tracks that are there: in some folders, on drives that are plugged in."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.library.scope import inside


@dataclass(frozen=True)
class Tally:
    """Attributes:
    num_tracks: all that are there.
    num_failed: of them, those that cannot be listened to.
    num_no_vocals: of them, those in which nobody sings.
    asked_for: ids of those that were asked for, are there, and did not fail.
    """

    num_tracks: int
    num_failed: int
    num_no_vocals: int
    asked_for: frozenset[int]


def tally(database: Database, folders: Sequence[Path], ids: Collection[int]) -> Tally:
    """Count the tracks in these folders (none: in all), and find some among them by their ids.

    Folders are absolute, without links in them. Reads no tags: 100,000 tracks in 0.05 s.
    """
    condition, values = inside(database, folders) if folders else ("1", [])
    ((num_tracks, num_failed, num_no_vocals, found),) = database.rows(
        "SELECT count(*), count(*) FILTER (WHERE state = 'failed'),"
        " count(*) FILTER (WHERE id IN (SELECT track_id FROM no_vocals) AND id NOT IN"
        "  (SELECT track_id FROM embedding JOIN space ON space.id = space_id WHERE view = 'vocals'"
        "   AND track_id IN (SELECT track_id FROM no_vocals))),"
        f" json_group_array(id) FILTER (WHERE state != 'failed' AND id {IN_IDS})"
        " FROM track WHERE NOT is_missing"
        f" AND folder_id IN (SELECT id FROM folder WHERE is_available) AND {condition}",
        [ids_value(ids), *values],
    )
    return Tally(num_tracks, num_failed, num_no_vocals, frozenset(json.loads(found)))
