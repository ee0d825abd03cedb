"""Saved searches: questions with a name. What a question holds is for the search to know."""

from __future__ import annotations

import json
from typing import Any

from engine.errors import LibraryError
from engine.library.database import Database
from engine.library.text import plain


def searches(database: Database) -> dict[str, dict[str, Any]]:
    """By name, in order: each question as it was put, of what JSON can hold."""
    rows = database.rows("SELECT name, question FROM saved_search ORDER BY name COLLATE NOCASE")
    return {name: json.loads(question) for name, question in rows}


def put_search(database: Database, name: str, question: dict[str, Any]) -> None:
    """In the place of an earlier one of this name. LibraryError for a name without letters."""
    if not (name := plain(name)):
        raise LibraryError("A search needs a name to be saved. Write one.")
    with database.write() as db:
        row = (name, json.dumps(question))
        db.execute("INSERT OR REPLACE INTO saved_search (name, question) VALUES (?, ?)", row)


def delete_search(database: Database, name: str) -> None:
    """Of this name, in whichever case; nothing where there is none."""
    with database.write() as db:
        db.execute("DELETE FROM saved_search WHERE name = ?", (name,))
