"""Makes library_v2.db: the library of ``make_library_v1.py`` as version 2 of the schema left it.

Run once, then committed: plain SQL on the first two migrations only. A new schema gets a generator
and a file of its own; this file stays as it is.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
from pathlib import Path

from before_v4 import take_step

FOLDER = Path(__file__).parent
TARGET = FOLDER / "library_v2.db"
INDEX = b"not a graph, but bytes that were kept"


def main() -> None:
    shutil.copyfile(FOLDER / "library_v1.db", TARGET)
    with contextlib.closing(sqlite3.connect(TARGET, isolation_level=None)) as db:
        take_step(db, 2)
        track_ids, positions = struct.pack("<2q", 1, 2), struct.pack("<4f", -1, 0, 1, 0.5)
        db.execute("INSERT INTO map VALUES (1, 0, 2, ?, ?)", (track_ids, positions))
        index = (1, 1, "ready", 4, "ip", 16, 200, 2, 2, len(INDEX), "0" * 64)
        db.execute(f"INSERT INTO hnsw_index VALUES ({', '.join('?' * len(index))})", index)
        db.execute("INSERT INTO hnsw_chunk VALUES (1, 0, ?)", (INDEX,))
        db.execute("VACUUM")


if __name__ == "__main__":
    main()
