"""What is heard in songs, in words (tags), and their voices, in measures (portraits).

Both are apart from what files say of themselves (``Tags``), and gone with the sound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, fields

from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.records import HeardTag, TagKind, VoicePortrait

_COLUMNS = ", ".join(field.name for field in fields(VoicePortrait))
_MARKS = ", ".join("?" for _ in fields(VoicePortrait))


def put_tags(db: sqlite3.Connection, track_id: int, tags: Iterable[HeardTag]) -> None:
    """In place of what was heard before: those that are worth a word."""
    kept = [tag for tag in tags if tag.is_kept]
    db.execute("DELETE FROM heard_tag WHERE track_id = ?", (track_id,))
    db.executemany(
        "INSERT OR IGNORE INTO tag (name, kind) VALUES (?, ?)", [(t.name, t.kind) for t in kept]
    )
    db.executemany(
        "INSERT INTO heard_tag SELECT ?, id, ?, ? FROM tag WHERE name = ?",
        [(track_id, round(100 * t.strength), round(100 * t.chance), t.name) for t in kept],
    )


def tags_of(database: Database, track_ids: Iterable[int]) -> dict[int, tuple[HeardTag, ...]]:
    """By track, the strongest first; tracks in which nothing stands out are left out."""
    rows = database.rows(
        "SELECT track_id, name, kind, strength, chance FROM heard_tag JOIN tag ON tag.id = tag_id"
        f" WHERE track_id {IN_IDS} ORDER BY strength DESC, chance DESC, name",
        (ids_value(track_ids),),
    )
    found: dict[int, list[HeardTag]] = {}
    for track_id, name, kind, strength, chance in rows:
        found.setdefault(track_id, []).append(HeardTag(name, kind, strength / 100, chance / 100))
    return {track_id: tuple(tags) for track_id, tags in found.items()}


def strongest(database: Database) -> dict[TagKind, dict[int, str]]:
    """By kind and track, the strongest of its tags; tracks without one are left out."""
    rows = database.rows(
        "SELECT track_id, kind, name, max(1000 * strength + chance) FROM heard_tag"  # its name
        " JOIN tag ON tag.id = tag_id GROUP BY track_id, kind"
    )
    found: dict[TagKind, dict[int, str]] = {"genre": {}, "mood": {}, "instruments": {}, "era": {}}
    for track_id, kind, name, _ in rows:
        found[kind][track_id] = name
    return found


def tag_counts(database: Database) -> tuple[tuple[str, TagKind, int], ...]:
    """(name, kind, in how many tracks) of all tags that are heard, the most frequent first."""
    rows = database.rows(
        "SELECT name, kind, count(*) FROM heard_tag JOIN tag ON tag.id = tag_id GROUP BY tag_id"
        " ORDER BY count(*) DESC, name"
    )
    return tuple((row[0], row[1], row[2]) for row in rows)


def put_portrait(db: sqlite3.Connection, track_id: int, portrait: VoicePortrait | None) -> None:
    """In the place of what was there; None: there is no voice, or too little of it, to tell of."""
    if portrait is None:
        db.execute("DELETE FROM portrait WHERE track_id = ?", (track_id,))
        return
    sql = f"INSERT OR REPLACE INTO portrait (track_id, {_COLUMNS}) VALUES (?, {_MARKS})"
    db.execute(sql, (track_id, *astuple(portrait)))


def portraits(database: Database, track_ids: Iterable[int]) -> dict[int, VoicePortrait]:
    """By track, of those of them that have one."""
    sql = f"SELECT track_id, {_COLUMNS} FROM portrait WHERE track_id {IN_IDS}"
    rows = database.rows(sql, (ids_value(track_ids),))
    return {row[0]: VoicePortrait(*row[1:]) for row in rows}
