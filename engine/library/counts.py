"""Counting the tracks that are there: in some folders, on drives that are plugged in."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.library.scope import inside


def tally(
    database: Database, folders: Sequence[Path], ids: Collection[int]
) -> tuple[int, int, int, set[int]]:
    """(tracks, those that failed, those in which nobody sings, those of ``ids`` that did not fail).

    Of the tracks that are there in these folders (none: in all), which are absolute, without links
    in them. Reads no tags: 100,000 tracks in 0.05 s.
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
    return num_tracks, num_failed, num_no_vocals, set(json.loads(found))
