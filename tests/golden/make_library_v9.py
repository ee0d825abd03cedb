"""Makes library_v9.db: the library of ``make_library_v8.py`` as version 9 of the schema left it.

Run once, then committed: the first nine steps only. A new schema gets a generator and a file of
its own; this file stays as it is.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from engine.library.migrations import STEPS, upgrade

FOLDER = Path(__file__).parent
TARGET = FOLDER / "library_v9.db"


def main() -> None:
    shutil.copyfile(FOLDER / "library_v8.db", TARGET)
    with contextlib.closing(sqlite3.connect(TARGET, isolation_level=None)) as db:
        upgrade(db, STEPS[:9])
        db.execute("UPDATE _sqlite_migrations SET applied_at = NULL")
        db.execute("VACUUM")


if __name__ == "__main__":
    main()
