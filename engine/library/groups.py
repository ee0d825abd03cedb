"""Artists and albums of a library: who and what there is, in one query each."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Literal

from engine.library import filenames
from engine.library.database import Database
from engine.library.scope import artist_key, without_guests
from engine.library.text import normalise

GroupKind = Literal["artists", "albums"]


@dataclass(frozen=True)
class Group:
    """Songs that belong together: all by an artist, or an album.

    Attributes:
        name: of the artist, without guests, or of the album.
        artist: whose songs they are; "" for an album of several artists, or of nobody known.
        track_ids: album by album, by number of track.
        year: of one of the songs; None where no tag has one.
        path: of one of the songs, whose cover stands for all.
        album: of that song.
    """

    name: str
    artist: str
    track_ids: tuple[int, ...]
    year: int | None
    path: Path
    album: str


_OWNER = "CASE WHEN {0} != '' THEN {0} ELSE {1} END"
# Of the columns that are not grouped by, SQLite takes those of the row with the minimum: of the
# first song, if possible one of an album, which has a cover more often.
_SQL = """
    SELECT {owner}, album, json_group_array(track.id), year, folder.path, rel_path,
        min(track.id + (album_key = '') * 1000000000000)
    FROM track JOIN folder ON folder.id = folder_id WHERE {key} != '' GROUP BY {key}, {owner}
"""
_QUERIES: dict[GroupKind, str] = {
    "artists": _SQL.format(key="artist_key", owner=_OWNER.format("artist", "album_artist")),
    "albums": _SQL.format(key="album_key", owner=_OWNER.format("album_artist", "artist")),
}


def groups(database: Database, kind: GroupKind, text: str = "") -> list[Group]:
    """All artists or albums with every word of ``text`` in their names, by name.

    Songs without the tag are in none. Names that differ in case, accents, punctuation or guests are
    one; an album is one, too, whose songs by several artists lie in one folder.

    100,000 songs by 10,000 artists take a second of a core, and are read once after each change.
    """
    named = database.remembered(f"groups of {kind}", lambda: _named(database, kind))
    words = normalise(text).split()
    return [one for name, one in named if all(word in name for word in words)]


def _named(database: Database, kind: GroupKind) -> list[tuple[str, Group]]:
    """(comparable names, group), in order."""
    is_artists = kind == "artists"
    rows = database.rows(_QUERIES[kind])
    in_order = database.rows("SELECT id FROM track ORDER BY album_key, track_number, title_key")
    places = defaultdict(int, {row[0]: place for place, row in enumerate(in_order)})
    found = [
        Group(
            without_guests(owner) if is_artists else album,
            without_guests(owner),
            tuple(sorted(json.loads(ids), key=places.__getitem__)),
            year or None,
            filenames.join(folder, place),
            album,
        )
        for owner, album, ids, year, folder, place, _ in rows
    ]
    if is_artists:
        found = _merged(found, places, lambda one: artist_key(one.artist))
    else:
        found = _merged(found, places, lambda one: (normalise(one.name), artist_key(one.artist)))
        found = _merged(found, places, lambda one: (normalise(one.name), one.path.parent))
    named = ((f"{normalise(one.name)} {normalise(one.artist)}", one) for one in found)
    return sorted(named, key=itemgetter(0))


def _merged(
    found: Iterable[Group], places: Mapping[int, int], key_of: Callable[[Group], Hashable]
) -> list[Group]:
    """Groups with one key are one, named after the largest."""
    by_key = dict[Hashable, list[Group]]()
    for one in found:
        by_key.setdefault(key_of(one), []).append(one)
    return [
        several[0] if len(several) == 1 else _united(several, places) for several in by_key.values()
    ]


def _united(several: list[Group], places: Mapping[int, int]) -> Group:
    largest = max(several, key=lambda one: len(one.track_ids))
    is_by_one = len({artist_key(one.artist) for one in several}) == 1
    ids = (number for one in several for number in one.track_ids)
    return replace(
        largest,
        artist=largest.artist if is_by_one else "",
        track_ids=tuple(sorted(ids, key=places.__getitem__)),
        year=max(one.year or 0 for one in several) or None,
    )
