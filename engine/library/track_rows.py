"""What scans and index runs read of single tracks and folders, and write of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.library import codec, filenames
from engine.library.database import Database
from engine.library.records import Tags


@dataclass(frozen=True)
class KnownFile:
    """A track as an earlier scan left it."""

    id: int
    folder_id: int
    rel_path: bytes
    size_bytes: int
    mtime_ns: int
    audio_hash: str | None
    is_missing: int  # 0 or 1


@dataclass(frozen=True)
class Sighting:
    """A file as it is now: where, its size and time, and what its tags say."""

    folder_id: int
    rel_path: bytes
    size_bytes: int
    mtime_ns: int
    tags: Tags

    def columns(self) -> dict[str, Any]:
        return {
            "folder_id": self.folder_id,
            "rel_path": self.rel_path,
            "size_bytes": self.size_bytes,
            "mtime_ns": self.mtime_ns,
            "is_missing": 0,
            **codec.tag_columns(self.tags, self.rel_path),
        }


_COLUMNS = "track.id, folder_id, rel_path, size_bytes, mtime_ns, audio_hash, is_missing"


def files_of(database: Database, folder_id: int, prefix: bytes) -> dict[bytes, KnownFile]:
    """Known files of a folder whose relative path begins with ``prefix``, by relative path."""
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM track WHERE folder_id = ? AND substr(rel_path, 1, ?) = ?",
        (folder_id, len(prefix), prefix),
    )
    return {row[2]: KnownFile(*row) for row in rows}


def missing_files(database: Database) -> list[KnownFile]:
    """Files that an earlier scan did not find any more in a folder that was there."""
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM track JOIN folder ON folder.id = folder_id"
        " WHERE is_missing AND is_available ORDER BY track.id"
    )
    return [KnownFile(*row) for row in rows]


def add(db: sqlite3.Connection, file: Sighting, audio_hash: str | None) -> None:
    codec.insert(db, "track", {**file.columns(), "audio_hash": audio_hash})


def update(db: sqlite3.Connection, track_id: int, file: Sighting) -> None:
    """The same sound with other tags, or at another place: keeps what was heard in it."""
    codec.update(db, "track", track_id, file.columns())


def replace(db: sqlite3.Connection, track_id: int, file: Sighting, audio_hash: str | None) -> None:
    """Another sound under the same name: forgets what was heard in the old one."""
    for table in ("embedding", "no_vocals"):
        db.execute(f"DELETE FROM {table} WHERE track_id = ?", (track_id,))
    news = {"audio_hash": audio_hash, "duration_s": None, "state": "new", "error": None}
    codec.update(db, "track", track_id, {**file.columns(), **news})


def vacate(db: sqlite3.Connection, track_ids: Collection[int]) -> None:
    """Free the paths of tracks that are about to move: they may be swapping places."""
    db.execute(
        "UPDATE track SET rel_path = CAST('' || id AS BLOB) || x'00'"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(track_ids)),),
    )


def set_missing(db: sqlite3.Connection, track_ids: Collection[int], is_missing: bool) -> None:
    db.execute(
        "UPDATE track SET is_missing = ? WHERE id IN (SELECT value FROM json_each(?))",
        (is_missing, json.dumps(list(track_ids))),
    )


def set_available(db: sqlite3.Connection, folder_id: int, is_available: bool) -> None:
    db.execute("UPDATE folder SET is_available = ? WHERE id = ?", (is_available, folder_id))


def merge_folder(
    db: sqlite3.Connection, folder_id: int, path: Path, above_id: int, above: Path
) -> None:
    """Hand the tracks of a folder on to one above it."""
    db.execute(
        "UPDATE track SET folder_id = ?, rel_path = CAST(? || rel_path AS BLOB)"
        " WHERE folder_id = ?",
        (above_id, filenames.relative_bytes(path, above) + b"/", folder_id),
    )
    db.execute("DELETE FROM folder WHERE id = ?", (folder_id,))


def mark_heard(
    db: sqlite3.Connection, track_id: int, space_id: int, audio_hash: str, duration_s: float
) -> bool:
    """Make room for what was heard; False where the track is not there any more.

    Other spaces keep what they have unless the sound is another one than they heard.
    """
    known = db.execute("SELECT audio_hash FROM track WHERE id = ?", (track_id,)).fetchone()
    if known is None:
        return False
    is_same_sound = known[0] in (None, audio_hash)
    for table in ("embedding", "no_vocals"):
        db.execute(
            f"DELETE FROM {table} WHERE track_id = ? AND (space_id = ? OR NOT ?)",
            (track_id, space_id, is_same_sound),
        )
    db.execute(
        "UPDATE track SET state = 'indexed', error = NULL, audio_hash = ?, duration_s = ?"
        " WHERE id = ?",
        (audio_hash, duration_s, track_id),
    )
    return True
