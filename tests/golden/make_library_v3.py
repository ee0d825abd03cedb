"""Makes library_v3.db: the library of ``make_library_v2.py`` as version 3 of the schema left it.

Run once, then committed: plain SQL on the first three migrations only. A new schema gets a
generator and a file of its own; this file stays as it is.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
from pathlib import Path

from before_v4 import take_step

FOLDER = Path(__file__).parent
TARGET = FOLDER / "library_v3.db"


def main() -> None:
    shutil.copyfile(FOLDER / "library_v2.db", TARGET)
    with contextlib.closing(sqlite3.connect(TARGET, isolation_level=None)) as db:
        take_step(db, 3)
        for space_id, dim in db.execute("SELECT id, dim FROM space").fetchall():
            last = "SELECT count(*), ifnull(max(id), 0) FROM embedding WHERE space_id = ?"
            num, max_id = db.execute(last, (space_id,)).fetchone()
            vector = struct.pack(f"<{dim}f", 0.25, *[0.0] * (dim - 1))
            db.execute("INSERT INTO centre VALUES (?, ?, ?, ?)", (space_id, num, max_id, vector))
        db.execute("VACUUM")


if __name__ == "__main__":
    main()
