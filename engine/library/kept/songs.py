"""Songs as playlists, favourites and marks refer to them: they outlive the tracks behind them.

A kept song names its track by id, which moved and changed files keep. A track that was forgotten
with its folder leaves the id of nothing (ids are never given twice), and the song waits, with its
last path and sound, until a scan or a run finds either again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.library import filenames
from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.library.files import track_id_at

_PLACE = "CAST(rtrim(CAST(folder.path AS TEXT), '/') || '/' || rel_path AS BLOB)"
_TRACKS_NOW = f"""
    SELECT track.id AS known_id, {_PLACE} AS place, audio_hash AS known_hash,
    track.artist AS by_whom, track.title AS called
    FROM track JOIN folder ON folder.id = folder_id
"""
_SONGS = f"""
    SELECT kept_song.id, track.id, ifnull({_PLACE}, kept_song.path),
    ifnull(track.artist, kept_song.artist), ifnull(track.title, kept_song.title)
    FROM kept_song LEFT JOIN track ON track.id = track_id
    LEFT JOIN folder ON folder.id = folder_id WHERE kept_song.id {IN_IDS}
"""
_LOST = "FROM kept_song WHERE track_id IS NULL OR track_id NOT IN (SELECT id FROM track)"


@dataclass(frozen=True)
class KeptSong:
    """A song that somebody kept.

    Attributes:
        track_id: None while the library does not hold it.
        path, artist, title: as the library knows them, or knew them last.
    """

    id: int
    track_id: int | None
    path: Path
    artist: str
    title: str


def songs(database: Database, song_ids: Sequence[int]) -> list[KeptSong]:
    """In this order; a song may be asked for several times."""
    rows = database.rows(_SONGS, (ids_value(song_ids),))
    found = (KeptSong(a, b, filenames.from_bytes(raw), *names) for a, b, raw, *names in rows)
    by_id = {song.id: song for song in found}
    return [by_id[one] for one in song_ids]


def keep(database: Database, track_ids: Sequence[int]) -> list[int]:
    """Ids of the kept songs that stand for these tracks, in this order, without unknown ones."""
    ids = (ids_value(track_ids),)
    with database.write() as db:
        db.execute(
            "INSERT INTO kept_song (track_id, path, audio_hash, artist, title)"
            f" {_TRACKS_NOW} WHERE track.id {IN_IDS}"
            " AND NOT EXISTS (SELECT 1 FROM kept_song WHERE track_id = track.id)",
            ids,
        )
        found = db.execute(
            "SELECT track_id, min(kept_song.id) FROM kept_song JOIN track ON track.id = track_id"
            f" WHERE track_id {IN_IDS} GROUP BY track_id",
            ids,
        )
        by_track = dict(found.fetchall())
    return [by_track[one] for one in track_ids if one in by_track]


def keep_files(database: Database, files: Sequence[tuple[Path, str]]) -> list[int]:
    """Ids of the kept songs that stand for files, (path, what a list calls it), in this order.

    A file that is not in the library is kept as well, and belongs to it once its folder does.
    """
    tracks = [track_id_at(database, path) for path, _ in files]
    by_track = {one: one for one in tracks if one is not None}
    by_track = dict(zip(by_track, keep(database, list(by_track)), strict=True))
    found = []
    with database.write() as db:
        for (path, name), track_id in zip(files, tracks, strict=True):
            found.append(by_track[track_id] if track_id else _keep_strange(db, path, name))
    return found


def _keep_strange(db: sqlite3.Connection, path: Path, name: str) -> int:
    raw = filenames.to_bytes(path)
    known = db.execute("SELECT id FROM kept_song WHERE path = ?", (raw,)).fetchone()
    if known is not None:
        return int(known[0])
    sql = "INSERT INTO kept_song (path, artist, title) VALUES (?, '', ?)"
    return int(db.execute(sql, (raw, name or path.stem)).lastrowid or 0)


def note_places(db: sqlite3.Connection, folder_id: int) -> None:
    """Remember where the kept songs of a folder lie that is about to be forgotten."""
    db.execute(
        "UPDATE kept_song SET path = place, audio_hash = known_hash, artist = by_whom,"
        f" title = called FROM ({_TRACKS_NOW} WHERE folder_id = ?) WHERE track_id = known_id",
        (folder_id,),
    )


def relink(database: Database) -> int:
    """Find the kept songs again that have no track (any more), by path or by sound; how many."""
    lost = database.rows(f"SELECT id, path, audio_hash {_LOST}")
    if not lost:
        return 0
    by_hash = dict(
        database.rows(
            "SELECT audio_hash, min(id) FROM track"
            f" WHERE audio_hash IN (SELECT audio_hash {_LOST}) GROUP BY 1"
        )
    )
    at_path = [track_id_at(database, filenames.from_bytes(row[1])) for row in lost]
    found = [
        (track_id, row[0])
        for row, there in zip(lost, at_path, strict=True)
        if (track_id := there or by_hash.get(row[2])) is not None
    ]
    if found:
        with database.write() as db:
            db.executemany("UPDATE kept_song SET track_id = ? WHERE id = ?", found)
    return len(found)
