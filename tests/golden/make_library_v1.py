"""Makes library_v1.db: a library as version 1 of the schema left it. Run once, then committed.

Plain SQL on the first migration only, so that the file never follows today's code. A new schema
gets a generator and a file of its own; this file stays as it is.
"""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from pathlib import Path

from before_v4 import take_step

TARGET = Path(__file__).with_name("library_v1.db")
TRACK = """
    INSERT INTO track (id, folder_id, rel_path, size_bytes, mtime_ns, audio_hash, duration_s, state,
        is_missing, error, title, artist, album, album_artist, genre, year, track_number, title_key,
        artist_key, album_key, search_text)
    VALUES (?, 1, ?, 1000, 2000, ?, ?, ?, ?, ?, ?, 'Björk', 'Post', '', 'Pop', 1995, ?, ?, 'bjork',
        'post', ?)
"""


def main() -> None:
    TARGET.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(TARGET, isolation_level=None)) as db:
        db.execute("PRAGMA page_size = 1024")
        take_step(db, 1)
        db.execute("INSERT INTO folder VALUES (1, ?, 1)", (b"/music",))
        tracks = [
            (1, b"Bj\xf6rk/01.mp3", "aa", 200.5, "indexed", 0, None, "Army of Me", 1),
            (2, b"Bjork/02.mp3", "bb", 321.0, "indexed", 1, None, "Hyperballad", 2),
            (3, b"Bjork/03.mp3", None, None, "failed", 0, "It holds no audio.", "Isobel", 3),
            (4, b"Bjork/04.mp3", None, None, "new", 0, None, "Possibly Maybe", 4),
        ]
        for track in tracks:
            title_key = str(track[7]).lower()
            db.execute(TRACK, (*track, title_key, f"{title_key} bjork post pop"))
        db.execute("INSERT INTO space VALUES (1, 'toy', ?, 'overall', '', 4)", ("0" * 64,))
        db.execute("INSERT INTO space VALUES (2, 'toy', ?, 'vocals', 'spleeter', 4)", ("0" * 64,))
        for embedding_id, track_id, space_id in ((1, 1, 1), (2, 2, 1), (3, 1, 2)):
            vector = struct.pack("<4e", *(float(i == embedding_id) for i in range(4)))
            row = (embedding_id, track_id, space_id, vector)
            db.execute("INSERT INTO embedding VALUES (?, ?, ?, ?)", row)
            moments = (embedding_id, 2, 5.0, struct.pack("<2f", 0, 5), bytes([1, 2, 3, 4, 5, 6]))
            db.execute("INSERT INTO moments VALUES (?, ?, ?, ?, ?)", moments)
        db.execute("INSERT INTO no_vocals VALUES (2, 2)")
        db.execute("VACUUM")


if __name__ == "__main__":
    main()
