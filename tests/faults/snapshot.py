"""A library file as plain values, to compare one that was disturbed with one that was not."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from engine.library.upkeep import verify

_CLOCKS = {"added_s", "applied_s", "applied_at", "made_s", "heartbeat_s"}
_NAMES = {
    "folder": "SELECT id, path FROM folder",
    "track": "SELECT track.id, path || '/' || rel_path FROM track JOIN folder"
    " ON folder.id = folder_id",
    "space": "SELECT id, model || view || separator FROM space",
    "embedding": "SELECT embedding.id, space_id || ': ' || path || '/' || rel_path FROM embedding"
    " JOIN track ON track.id = track_id JOIN folder ON folder.id = folder_id",
}
_CACHES = {"hnsw_index", "hnsw_chunk", "map", "centre"}  # made anew from the rest at any time

Tables = dict[str, list[tuple[Any, ...]]]


def tables(path: Path) -> Tables:
    """Every row of every table as it is, but for the times at which things were done."""
    with _opened(path) as db:
        return {name: _rows(db, name, _CLOCKS) for name in _table_names(db)}


def contents(path: Path) -> Tables:
    """The same without what depends on the order of work: ids by the names they stand for."""
    with _opened(path) as db:
        names = {f"{table}_id": dict(db.execute(sql)) for table, sql in _NAMES.items()}
        return {
            table: _rows(db, table, _CLOCKS | {"id"}, names)
            for table in _table_names(db)
            if table not in _CACHES | {"sqlite_sequence", "lease"}
        }


def integrity(path: Path) -> list[Any]:
    """Empty where SQLite finds nothing wrong."""
    with _opened(path) as db:
        found = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != b"ok"]
        return found + db.execute("PRAGMA foreign_key_check").fetchall()


def flaws(path: Path) -> list[Any]:
    """Empty where there are no half tracks and no half rows: what is there is right."""
    return [*integrity(path), *verify(path).problems]


@contextlib.contextmanager
def _opened(path: Path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.text_factory = bytes
        yield db


def _table_names(db: sqlite3.Connection) -> list[str]:
    rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [row[0].decode() for row in rows]


def _rows(
    db: sqlite3.Connection,
    table: str,
    left_out: set[str],
    names: dict[str, dict[int, Any]] | None = None,
) -> list[tuple[Any, ...]]:
    columns = [row[1].decode() for row in db.execute(f"PRAGMA table_info({table})")]
    kept = [column for column in columns if column not in left_out]
    rows = db.execute(f"SELECT {', '.join(kept)} FROM {table}").fetchall()
    if names is not None:
        rows = [
            tuple(names.get(c, {}).get(value, value) for c, value in zip(kept, row, strict=True))
            for row in rows
        ]
    return sorted(rows, key=repr)
