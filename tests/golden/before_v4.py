"""How libraries got their schema up to version 3, whose record was a table of their own."""

from __future__ import annotations

import sqlite3

from engine.library.migrations import STEPS
from engine.library.tables import tables


def take_step(db: sqlite3.Connection, version: int) -> None:
    STEPS[version - 1](tables(db))
    db.execute("INSERT INTO migration VALUES (?, 0)", (version,))
    db.execute(f"PRAGMA user_version = {version}")
