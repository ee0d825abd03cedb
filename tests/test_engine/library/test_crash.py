"""A process is killed while it writes; the next one finds whole tracks and goes on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.libraries import OVERALL, add_tracks

from engine.library import Library, Tags, indexes

NUM_TRACKS = 400
INDEXER = """
import sys
from pathlib import Path
from engine.library import Library
from support.libraries import OVERALL, embedding

with Library.open(Path(sys.argv[1])) as library, library.lease():
    space_id = library.space_id(OVERALL)
    for track_id in library.pending(space_id):
        library.put_embedding(
            track_id, space_id, embedding(track_id, num_moments=100), audio_hash="a", duration_s=1
        )
        print(track_id, flush=True)
"""
INDEX_WRITER = """
import sys
from pathlib import Path
from engine.library import Library
from engine.library.indexes import IndexRecord, put_index

def chunks():
    for _ in range(1000):
        yield bytes(50_000)
        print("chunk", flush=True)

with Library.open(Path(sys.argv[1])) as library:
    put_index(library.database, IndexRecord(1, 16, "ip", 16, 200, 1, 1), chunks())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path, [Tags(f"Title {i}", "Artist") for i in range(NUM_TRACKS)])
        library.space_id(OVERALL)
    return tmp_path / "library.db"


@contextlib.contextmanager
def running(script: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(root), str(root.parent)))},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def kill_after(script: str, path: Path, num_lines: int) -> list[str]:
    """What the process said before it was killed in the middle of its work."""
    with running(script, path) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(num_lines)]
        process.kill()
        return [*lines, *process.stdout.read().splitlines(keepends=True)]


def test_kill_9_loses_at_most_the_track_in_work(path: Path) -> None:
    told: list[int] = []
    for num_lines in (1, 40, 75):
        told += [int(line) for line in kill_after(INDEXER, path, num_lines) if line.endswith("\n")]
        with Library.open(path) as library:
            assert library.database.rows("PRAGMA integrity_check") == [("ok",)]
            assert library.database.rows("PRAGMA foreign_key_check") == []
            heard = library.embeddings(1)[0].tolist()
            assert set(told) <= set(heard)
            assert len(heard) <= len(told) + 3  # one that was kept but not told, per kill
            assert library.database.row("SELECT count(*) FROM moments") == (len(heard),)
            with library.lease():
                pass  # a dead holder does not keep the next one out
    assert len(told) < NUM_TRACKS
    with running(INDEXER, path) as process:
        assert process.stdout is not None
        process.stdout.read()
        assert process.wait() == 0
    with Library.open(path) as library:
        assert library.counts().embeddings == {1: NUM_TRACKS}
        assert library.counts().indexed == NUM_TRACKS


def test_kill_9_while_an_index_is_written_leaves_the_earlier_one(path: Path) -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    record = indexes.IndexRecord(1, 16, "ip", 16, 200, 7, 7, 3, digest)
    with Library.open(path) as library:
        indexes.put_index(library.database, record, [b"abc"])
    kill_after(INDEX_WRITER, path, 5)
    with Library.open(path) as library:
        found = indexes.index_of(library.database, 1)
        assert found is not None
        assert found[1] == record
        assert list(indexes.index_pieces(library.database, found[0])) == [b"abc"]
        indexes.put_index(library.database, record, [b"de", b"f"])
        assert library.database.row("SELECT count(*) FROM hnsw_index") == (1,)
        assert library.database.rows("SELECT data FROM hnsw_chunk") == [(b"de",), (b"f",)]
