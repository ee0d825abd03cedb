"""Makes library_v7.db: the library of ``make_library_v6.py`` as version 7 of the schema left it.

Run once, then committed: the first seven steps only. A new schema gets a generator and a file of
its own; this file stays as it is.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from engine.library.migrations import STEPS, upgrade

FOLDER = Path(__file__).parent
TARGET = FOLDER / "library_v7.db"


def main() -> None:
    shutil.copyfile(FOLDER / "library_v6.db", TARGET)
    with contextlib.closing(sqlite3.connect(TARGET, isolation_level=None)) as db:
        upgrade(db, STEPS[:7])
        song = "INSERT INTO kept_song VALUES (?, ?, ?, ?, 'Björk', ?)"
        db.execute(song, (1, 1, b"/music/Bj\xf6rk/01.mp3", "aa", "Army of Me"))
        db.execute(song, (2, 2, b"/music/Bjork/02.mp3", "bb", "Hyperballad"))
        db.execute("INSERT INTO playlist VALUES (1, 'Evenings')")
        db.executemany("INSERT INTO playlist_entry VALUES (1, ?, ?)", [(0, 2), (1, 1)])
        db.execute("INSERT INTO favourite VALUES (1, 0)")
        db.execute("INSERT INTO mark VALUES (1, 2, 1, 0)")
        db.execute("""INSERT INTO saved_search VALUES (1, 'Near', '{"songs": [1]}')""")
        db.execute("UPDATE _sqlite_migrations SET applied_at = NULL")
        db.execute("VACUUM")


if __name__ == "__main__":
    main()
