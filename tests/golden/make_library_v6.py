"""Makes library_v6.db: the library of ``make_library_v5.py`` as version 6 of the schema left it.

Run once, then committed: the first six steps only. A new schema gets a generator and a file of its
own; this file stays as it is.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from engine.library.migrations import STEPS, upgrade

FOLDER = Path(__file__).parent
TARGET = FOLDER / "library_v6.db"


def main() -> None:
    shutil.copyfile(FOLDER / "library_v5.db", TARGET)
    with contextlib.closing(sqlite3.connect(TARGET, isolation_level=None)) as db:
        upgrade(db, STEPS[:6])
        portrait = (1, 45.0, 57.5, 69.0, 5.8, 60.0, 0.3, 14.0, 1.5, 2400.0, 0.7)
        db.execute(f"INSERT INTO portrait VALUES ({', '.join('?' * len(portrait))})", portrait)
        db.execute("UPDATE _sqlite_migrations SET applied_at = NULL")
        db.execute("VACUUM")


if __name__ == "__main__":
    main()
