"""Parts of a library by what tags and places say: which there are, and which tracks are in them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import QueryError
from engine.library import filenames
from engine.library.database import Database
from engine.library.heard import tag_counts
from engine.library.text import normalise
from engine.records import TagKind

_GENRE_BREAKS = re.compile(r"[;,|\\]|\s/\s|/(?=\S{3})")  # "Jazz; Vocal", "Pop/Rock"; not "R/B"
_GUESTS = re.compile(r"\s[(\[]?(?:feat|ft|featuring)\b.*", re.IGNORECASE)
_MAX_KEYS = 4096


@dataclass(frozen=True)
class Scope:
    """A part of the library. What is empty or None does not narrow it.

    Attributes:
        genres: any of these, by ``genre_key``; a track's tag may name several genres.
        first_year, last_year: both included. A track without a year is in no range of years.
        folders: any of these, with all folders inside them.
        min_duration_s, max_duration_s: length of the song; not yet known lengths are in no range.
        lowest_note, highest_note: in semitones as MIDI counts them; all that is sung lies between
            them. Voices that were not measured yet are in no range.
        sounds_like: all of these tags are heard in it (``HeardTag.name``).
    """

    genres: frozenset[str] = frozenset()
    first_year: int | None = None
    last_year: int | None = None
    folders: frozenset[Path] = frozenset()
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    lowest_note: int | None = None
    highest_note: int | None = None
    sounds_like: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for low, high in (
            (self.first_year, self.last_year),
            (self.min_duration_s, self.max_duration_s),
        ):
            if low is not None and high is not None and low > high:
                raise QueryError(f"No song lies between {low:g} and {high:g}. Swap the two.")

    @property
    def num_conditions(self) -> int:
        """How many ways it is narrowed: by genre, years, folders, length, notes, what is heard."""
        years = (self.first_year, self.last_year) != (None, None)
        lengths = (self.min_duration_s, self.max_duration_s) != (None, None)
        notes = (self.lowest_note, self.highest_note) != (None, None)
        heard = bool(self.sounds_like)
        return sum((bool(self.genres), years, bool(self.folders), lengths, notes, heard))


EVERYTHING = Scope()


@dataclass(frozen=True)
class Facets:
    """What a person can choose from.

    Attributes:
        genres: (name as most often written, number of tracks), the most frequent first.
        first_year, last_year: of all tracks; None where no tag has a year.
        folders: (folder, number of tracks): those of the library and those directly inside them.
        heard: (tag, its kind, number of tracks) of what is heard, the most frequent first.
    """

    genres: tuple[tuple[str, int], ...]
    first_year: int | None
    last_year: int | None
    folders: tuple[tuple[Path, int], ...]
    heard: tuple[tuple[str, TagKind, int], ...] = ()


def genre_key(name: str) -> str:
    """The comparable core of a genre's name."""
    return normalise(name)


@lru_cache(_MAX_KEYS)  # a search compares the same few names over and over
def artist_key(name: str) -> str:
    """The comparable core of an artist's name, without guests (“feat. …”)."""
    return normalise(without_guests(name))


def without_guests(name: str) -> str:
    """An artist's name as written, but for “feat. …”."""
    return _GUESTS.sub("", name)


def genres_of(tag: str) -> list[str]:
    """The genres that one tag names, as written."""
    return [name.strip() for name in _GENRE_BREAKS.split(tag) if name.strip()]


def facets(database: Database) -> Facets:
    """What the tags and places of all tracks offer. Half a second for 100,000 tracks."""
    ((first, last),) = database.rows("SELECT min(year), max(year) FROM track WHERE year > 0")
    return Facets(_genres(database), first, last, _folders(database), tag_counts(database))


def ids_within(database: Database, scope: Scope) -> np.ndarray:
    """Ids of the tracks in a scope, ascending (n,) int64."""
    conditions, values = ["1"], list[Any]()
    if scope.genres:
        wanted = [tag for tag, _ in _genre_tags(database) if _keys(tag) & scope.genres]
        conditions.append("genre IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(wanted))
    for column, low, high in (
        ("year", scope.first_year, scope.last_year),
        ("duration_s", scope.min_duration_s, scope.max_duration_s),
    ):
        for sign, limit in ((">=", low), ("<=", high)):
            if limit is not None:
                conditions.append(f"{column} {sign} ?")
                values.append(limit)
    for column, sign, note in (
        ("lowest_note", ">=", scope.lowest_note),
        ("highest_note", "<=", scope.highest_note),
    ):
        if note is not None:  # half a semitone off is the same note
            conditions.append(f"id IN (SELECT track_id FROM portrait WHERE {column} {sign} ?)")
            values.append(note - 0.5 if sign == ">=" else note + 0.5)
    if scope.folders:
        condition, places = inside(database, scope.folders)
        conditions.append(condition)
        values += places
    for name in sorted(scope.sounds_like):
        conditions.append(
            "id IN (SELECT track_id FROM heard_tag JOIN tag ON tag.id = tag_id WHERE name = ?)"
        )
        values.append(name)
    rows = database.rows(f"SELECT id FROM track WHERE {' AND '.join(conditions)}", values)
    return np.sort(np.fromiter((row[0] for row in rows), np.int64, len(rows)))


def latest_ids_within(database: Database, scope: Scope) -> np.ndarray:
    """``ids_within``; of the latest scope, read anew only when the library has changed."""
    latest = database.remembered("scope", dict[Scope, np.ndarray])
    if scope not in latest:
        latest.clear()
        latest[scope] = ids_within(database, scope)
    return latest[scope]


def artist_ids(database: Database, name: str) -> list[int]:
    """Ids of an artist's tracks, songs with guests among them."""
    key = artist_key(name)
    if not key:
        return []
    rows = database.rows(
        "SELECT id, artist, album_artist FROM track"
        " WHERE artist_key = ? OR (artist_key > ? AND artist_key < ?) ORDER BY id",
        (key, f"{key} ", f"{key}!"),  # all that begins with the name and a space: guests
    )
    return [row[0] for row in rows if key in (artist_key(row[1]), artist_key(row[2]))]


def artists_like(database: Database, words: str) -> list[str]:
    """Names of the artists with all of these words in them, without guests, in order."""
    wanted = normalise(words).split()
    hits = " AND ".join("instr(artist_key, ?)" for _ in wanted) or "0"
    rows = database.rows(
        f"SELECT DISTINCT artist FROM track WHERE artist != '' AND {hits} ORDER BY artist_key",
        wanted,
    )
    names = (without_guests(row[0]) for row in rows)
    by_key = {artist_key(name): name for name in reversed(list(names))}
    return list(reversed(by_key.values()))


def inside(database: Database, folders: Iterable[Path]) -> tuple[str, list[Any]]:
    """A condition, and its values, for the tracks in any of these folders."""
    places = list(_places(database, folders))
    condition = " OR ".join(sql for sql, _ in places) or "0"
    return f"({condition})", [value for _, some in places for value in some]


def _keys(tag: str) -> set[str]:
    return {genre_key(name) for name in genres_of(tag)}


def _genre_tags(database: Database) -> list[tuple[str, int]]:
    return database.rows("SELECT genre, count(*) FROM track WHERE genre != '' GROUP BY genre")


def _genres(database: Database) -> tuple[tuple[str, int], ...]:
    num_by_key, spellings = Counter[str](), dict[str, Counter[str]]()
    for tag, num in _genre_tags(database):
        for name in {genre_key(name): name for name in genres_of(tag)}.values():
            num_by_key[genre_key(name)] += num
            spellings.setdefault(genre_key(name), Counter())[name] += num
    return tuple(
        (spellings[key].most_common(1)[0][0], num) for key, num in num_by_key.most_common()
    )


def _folders(database: Database) -> tuple[tuple[Path, int], ...]:
    rows = database.rows(
        "SELECT folder.path, CASE WHEN instr(rel_path, x'2f')"
        " THEN substr(rel_path, 1, instr(rel_path, x'2f') - 1) ELSE x'' END, count(*)"
        " FROM track JOIN folder ON folder.id = folder_id GROUP BY 1, 2"
    )
    num_by_path = Counter[Path]()
    for top, inside, num in rows:
        num_by_path[filenames.from_bytes(top)] += num
        if inside:
            num_by_path[filenames.join(top, inside)] += num
    return tuple(sorted(num_by_path.items()))


def _places(database: Database, folders: Iterable[Path]) -> Iterable[tuple[str, list[Any]]]:
    """SQL and values for the tracks in any of these folders."""
    tops = [
        (row[0], filenames.from_bytes(row[1]))
        for row in database.rows("SELECT id, path FROM folder")
    ]
    for wanted in map(filenames.given, folders):
        for folder_id, top in tops:
            if top.is_relative_to(wanted):
                yield "folder_id = ?", [folder_id]
            elif wanted.is_relative_to(top):
                prefix = filenames.relative_bytes(wanted, top) + b"/"
                yield (
                    "(folder_id = ? AND substr(rel_path, 1, ?) = ?)",
                    [folder_id, len(prefix), prefix],
                )
