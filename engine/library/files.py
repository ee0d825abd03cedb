"""The files behind the tracks, and what was heard in them: plain SQL for each song."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.library import codec, filenames
from engine.library.codec import IN_IDS, Packed, ids_value
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
    ctime_ns: int | None
    audio_hash: str | None
    is_missing: int  # 0 or 1


@dataclass(frozen=True)
class Sighting:
    """A file as it is now: where, its size and times, and what its tags say."""

    folder_id: int
    rel_path: bytes
    size_bytes: int
    mtime_ns: int
    tags: Tags
    ctime_ns: int | None = None  # of a file of this system

    def columns(self) -> dict[str, Any]:
        return {
            "folder_id": self.folder_id,
            "rel_path": self.rel_path,
            "size_bytes": self.size_bytes,
            "mtime_ns": self.mtime_ns,
            "ctime_ns": self.ctime_ns,
            "is_missing": 0,
            **codec.tag_columns(self.tags, self.rel_path),
        }


_COLUMNS = "track.id, folder_id, rel_path, size_bytes, mtime_ns, ctime_ns, audio_hash, is_missing"


def files_of(database: Database, folder_id: int, prefix: bytes) -> dict[bytes, KnownFile]:
    """Known files of a folder whose relative path begins with ``prefix``, by relative path."""
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM track WHERE folder_id = ? AND substr(rel_path, 1, ?) = ?",
        (folder_id, len(prefix), prefix),
    )
    return {row[2]: KnownFile(*row) for row in rows}


def track_id_at(database: Database, path: Path) -> int | None:
    """The track that is this file, also when it is named through a link or spelt otherwise."""
    given, resolved = filenames.given(path), filenames.resolved(path)
    named = (resolved, filenames.resolved(given.parent) / given.name, given)
    places = dict.fromkeys(form for place in named for form in filenames.spellings(place))
    folders = database.rows("SELECT id, path FROM folder")
    for place, (folder_id, raw) in itertools.product(places, folders):
        if place.is_relative_to(folder := filenames.from_bytes(raw)):
            row = database.row(
                "SELECT id FROM track WHERE folder_id = ? AND rel_path = ?",
                (folder_id, filenames.relative_bytes(place, folder)),
            )
            if row is not None:
                return int(row[0])
    return None


def missing_files(database: Database) -> list[KnownFile]:
    """Files that an earlier scan did not find any more in a folder that was there."""
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM track JOIN folder ON folder.id = folder_id"
        " WHERE is_missing AND is_available ORDER BY track.id"
    )
    return [KnownFile(*row) for row in rows]


def add(db: sqlite3.Connection, columns: dict[str, Any]) -> int:
    """A new track; returns its id. Names of columns are always our own."""
    columns = {**columns, "added_s": time.time()}
    marks = ", ".join(f":{name}" for name in columns)
    sql = f"INSERT INTO track ({', '.join(columns)}) VALUES ({marks})"
    return int(db.execute(sql, columns).lastrowid or 0)


def update(db: sqlite3.Connection, track_id: int, columns: dict[str, Any]) -> None:
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    values = columns | {"track_id": track_id}
    db.execute(f"UPDATE track SET {assignments} WHERE id = :track_id", values)


def replace(db: sqlite3.Connection, track_id: int, file: Sighting, audio_hash: str | None) -> None:
    """Another sound under the same name: forgets what was heard in the old one."""
    forget_heard(db, track_id)
    unheard = {"audio_hash": audio_hash, "duration_s": None, "state": "new", "error": None}
    update(db, track_id, file.columns() | unheard)


def forget_heard(db: sqlite3.Connection, track_id: int, only_space_id: int | None = None) -> None:
    """What was heard in a track, in one space or in all."""
    for table in ("embedding", "no_vocals"):
        db.execute(
            f"DELETE FROM {table} WHERE track_id = :track AND space_id = ifnull(:space, space_id)",
            {"track": track_id, "space": only_space_id},
        )
    if only_space_id is None:
        for table in ("portrait", "heard_tag"):
            db.execute(f"DELETE FROM {table} WHERE track_id = ?", (track_id,))


def vacate(db: sqlite3.Connection, track_ids: Collection[int]) -> None:
    """Free the paths of tracks that are about to move: they may be swapping places."""
    db.execute(
        f"UPDATE track SET rel_path = CAST('' || id AS BLOB) || x'00' WHERE id {IN_IDS}",
        (ids_value(track_ids),),
    )


def set_missing(db: sqlite3.Connection, track_ids: Collection[int], is_missing: bool) -> None:
    db.execute(
        f"UPDATE track SET is_missing = ? WHERE id {IN_IDS}", (is_missing, ids_value(track_ids))
    )


def set_ctimes(db: sqlite3.Connection, ctimes_ns: Mapping[int, int]) -> None:
    """Of files that are otherwise as they were, by track id."""
    changes = [(ctime_ns, track_id) for track_id, ctime_ns in ctimes_ns.items()]
    db.executemany("UPDATE track SET ctime_ns = ? WHERE id = ?", changes)


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
    forget_heard(db, track_id, space_id if is_same_sound else None)
    db.execute(
        "UPDATE track SET state = 'indexed', error = NULL, audio_hash = ?, duration_s = ?"
        " WHERE id = ?",
        (audio_hash, duration_s, track_id),
    )
    return True


def put_heard(db: sqlite3.Connection, track_id: int, space_id: int, heard: Packed | None) -> None:
    """What was heard in a track that has nothing in the space yet; None: nobody sings in it."""
    if heard is None:
        db.execute("INSERT INTO no_vocals VALUES (?, ?)", (track_id, space_id))
        return
    vector, moments, from_mixture = heard
    embedding_id = db.execute(
        "INSERT INTO embedding (track_id, space_id, vector, from_mixture) VALUES (?, ?, ?, ?)",
        (track_id, space_id, vector, from_mixture),
    ).lastrowid
    db.execute("INSERT INTO moments VALUES (?, ?, ?, ?, ?)", (embedding_id, *moments))
