"""Portraits of voices, one a track: measured when the vocals are separated, gone with the sound."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, fields

from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.records import VoicePortrait

_COLUMNS = ", ".join(field.name for field in fields(VoicePortrait))
_MARKS = ", ".join("?" for _ in fields(VoicePortrait))


def put(db: sqlite3.Connection, track_id: int, portrait: VoicePortrait | None) -> None:
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
