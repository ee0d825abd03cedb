"""Playlists: names, and songs in an order that a person chose."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LibraryError
from engine.library.database import Database
from engine.library.kept.m3u import read_m3u
from engine.library.kept.songs import KeptSong, keep_files, songs
from engine.library.text import display, plain


@dataclass(frozen=True)
class Playlist:
    """``num_songs``: with those that the library does not hold at the moment."""

    id: int
    name: str
    num_songs: int


def playlists(database: Database) -> list[Playlist]:
    """All of them, by name."""
    rows = database.rows(
        "SELECT id, name, (SELECT count(*) FROM playlist_entry WHERE playlist_id = playlist.id)"
        " FROM playlist ORDER BY name COLLATE NOCASE"
    )
    return [Playlist(*row) for row in rows]


def playlist_named(database: Database, name: str) -> Playlist:
    """LibraryError where there is none of this name (in whichever case)."""
    found = playlists(database)
    wanted = plain(name).casefold()
    for one in found:
        if one.name.casefold() == wanted:
            return one
    known = ", ".join(f"“{one.name}”" for one in found) or "none yet"
    raise LibraryError(f"There is no playlist “{name}”. Playlists: {known}.")


def create(database: Database, name: str, song_ids: Sequence[int] = ()) -> int:
    """A new playlist of kept songs; returns its id. LibraryError where its name is taken."""
    with database.write() as db:
        name = _free_name(db, name)
        new = db.execute("INSERT INTO playlist (name) VALUES (?)", (name,)).lastrowid or 0
        _put(db, new, song_ids, 0)
    return new


def import_m3u(database: Database, file: Path, name: str | None = None) -> int:
    """A playlist of another program as a new one of ours; returns its id.

    Named like the file, with a number where that is taken, unless a name is given. LibraryError
    where the file cannot be read, or the name given is taken.
    """
    song_ids = keep_files(database, read_m3u(file))
    if name is not None:
        return create(database, name, song_ids)
    taken = {one.name.casefold() for one in playlists(database)}
    base = display(file.stem)
    names = (base if number == 1 else f"{base} {number}" for number in itertools.count(1))
    return create(database, next(n for n in names if plain(n).casefold() not in taken), song_ids)


def rename(database: Database, playlist_id: int, name: str) -> None:
    with database.write() as db:
        name = _free_name(db, name, playlist_id)
        db.execute("UPDATE playlist SET name = ? WHERE id = ?", (name, playlist_id))


def delete(database: Database, playlist_id: int) -> None:
    """The songs themselves stay where they are."""
    with database.write() as db:
        db.execute("DELETE FROM playlist WHERE id = ?", (playlist_id,))


def songs_of(database: Database, playlist_id: int) -> list[KeptSong]:
    """In order; a song may be there several times."""
    sql = "SELECT song_id FROM playlist_entry WHERE playlist_id = ? ORDER BY position"
    return songs(database, [row[0] for row in database.rows(sql, (playlist_id,))])


def add_songs(database: Database, playlist_id: int, song_ids: Sequence[int]) -> None:
    """At the end."""
    with database.write() as db:
        last = "SELECT ifnull(max(position) + 1, 0) FROM playlist_entry WHERE playlist_id = ?"
        _put(db, playlist_id, song_ids, db.execute(last, (playlist_id,)).fetchone()[0])


def set_songs(database: Database, playlist_id: int, song_ids: Sequence[int]) -> None:
    """These songs, in this order, in the place of all that were there."""
    with database.write() as db:
        db.execute("DELETE FROM playlist_entry WHERE playlist_id = ?", (playlist_id,))
        _put(db, playlist_id, song_ids, 0)


def _put(db: sqlite3.Connection, playlist_id: int, song_ids: Sequence[int], first: int) -> None:
    rows = [(playlist_id, position, one) for position, one in enumerate(song_ids, first)]
    db.executemany("INSERT INTO playlist_entry VALUES (?, ?, ?)", rows)


def _free_name(db: sqlite3.Connection, name: str, own_id: int = 0) -> str:
    name = plain(name)
    if not name:
        raise LibraryError("A playlist needs a name. Write one.")
    taken = db.execute("SELECT name FROM playlist WHERE id != ?", (own_id,)).fetchall()
    if name.casefold() in (one.casefold() for (one,) in taken):
        raise LibraryError(f"There is a playlist “{name}” already. Choose another name.")
    return name
