"""Maps as the library keeps them, one for each space, and what the points of a map stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.library.database import Database
from engine.library.heard import strongest
from engine.library.tables import tables
from engine.records import TagKind

_IDS, _PLACES = np.dtype("<i8"), np.dtype("<f4")


@dataclass(frozen=True, eq=False)
class MapRecord:
    """Where the songs of one space lie.

    Attributes:
        made_s: when it was laid out, in seconds since 1970.
        num_laid_out: the first so many were laid out together; those after them came later and
            were placed among their neighbours.
        track_ids: (n,) int64.
        positions: (n, 2) float32, about -1 to 1.
    """

    space_id: int
    made_s: float
    num_laid_out: int
    track_ids: np.ndarray
    positions: np.ndarray


def put_map(database: Database, record: MapRecord) -> None:
    """Keep a map in the place of the space's earlier one."""
    if record.positions.shape != (len(record.track_ids), 2):
        raise ValueError(
            f"positions of shape {record.positions.shape} for {len(record.track_ids)} tracks"
        )
    if not np.isfinite(record.positions).all():
        raise ValueError("positions that are not finite")
    row = {
        "space_id": record.space_id,
        "made_s": record.made_s,
        "num_laid_out": record.num_laid_out,
        "track_ids": record.track_ids.astype(_IDS).tobytes(),
        "positions": record.positions.astype(_PLACES).tobytes(),
    }
    with database.write() as db:
        tables(db).table("map").upsert(row, pk="space_id")


def map_of(database: Database, space_id: int) -> MapRecord | None:
    """The map of a space; None where there is none, or a damaged one: it can be made again."""
    row = database.row(
        "SELECT made_s, num_laid_out, track_ids, positions FROM map WHERE space_id = ?",
        (space_id,),
    )
    if row is None or len(row[2]) != len(row[3]) or len(row[2]) % _IDS.itemsize:
        return None
    track_ids = np.frombuffer(row[2], _IDS).astype(np.int64)
    positions = np.frombuffer(row[3], _PLACES).astype(np.float32).reshape(-1, 2)
    if not np.isfinite(positions).all():
        return None
    return MapRecord(space_id, row[0], min(row[1], len(track_ids)), track_ids, positions)


def ids_in_space(database: Database, space_id: int) -> np.ndarray:
    """(n,) int64, ascending: the tracks with an embedding in a space."""
    rows = database.rows(
        "SELECT track_id FROM embedding WHERE space_id = ? ORDER BY track_id", (space_id,)
    )
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


@dataclass(frozen=True, eq=False)
class Labels:
    """What tags and ears say of many tracks, as numbers that points can be coloured by.

    Attributes:
        track_ids: (n,) int64, ascending.
        artists, genres: names as first written, "" where the tags say nothing.
        artist_of, genre_of: (n,) int32, places in these.
        years: (n,) int32; 0 where the tags say nothing.
        heard: by kind of tag, words and (n,) int32 places in these, of the word that is heard most;
            files play no part.
    """

    track_ids: np.ndarray
    artists: tuple[str, ...]
    artist_of: np.ndarray
    genres: tuple[str, ...]
    genre_of: np.ndarray
    years: np.ndarray
    heard: Mapping[TagKind, tuple[tuple[str, ...], np.ndarray]] = field(default_factory=dict)


def labels(database: Database) -> Labels:
    """Of all tracks: 100,000 take about a third of a second."""
    rows = database.rows(
        "SELECT id, artist_key, CASE artist WHEN '' THEN album_artist ELSE artist END, genre,"
        " coalesce(year, 0) FROM track ORDER BY id"
    )
    artists, artist_of = _numbered((row[1], row[2]) for row in rows)
    genres, genre_of = _numbered((row[3].casefold().strip(), row[3]) for row in rows)
    heard = {
        kind: _numbered((of_track.get(row[0], ""),) * 2 for row in rows)
        for kind, of_track in strongest(database).items()
    }
    return Labels(
        np.fromiter((row[0] for row in rows), np.int64, len(rows)),
        artists,
        artist_of,
        genres,
        genre_of,
        np.fromiter((row[4] for row in rows), np.int32, len(rows)),
        heard,
    )


def _numbered(named: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], np.ndarray]:
    """(names as first written, the number of each one's name), for (key, name)."""
    numbers: dict[str, int] = {}
    names: list[str] = []
    found = []
    for key, name in named:
        if key not in numbers:
            numbers[key] = len(names)
            names.append(name)
        found.append(numbers[key])
    return tuple(names), np.array(found, np.int32)
