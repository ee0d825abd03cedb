"""Libraries whose bytes have changed: told in a sentence, mended, and heard again where needed."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.effort import NUM_KILLS
from faults.forkserver import ForkServer
from faults.snapshot import contents, flaws, tables

from engine.errors import LibraryLockedError
from engine.library import Library
from engine.library.upkeep import repair, verify

PAGE_BYTES = 4096
HURTS = ("bits", "page", "zeros", "end")


def hurt(path: Path, kind: str, seed: int) -> None:
    """Do to a file what drives do."""
    random = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    place = int(random.integers(PAGE_BYTES, len(content)))
    page = slice(place // PAGE_BYTES * PAGE_BYTES, (place // PAGE_BYTES + 1) * PAGE_BYTES)
    if kind == "bits":
        for number in random.integers(PAGE_BYTES, len(content), 3):
            content[number] ^= 1 << int(random.integers(8))
    elif kind == "page":
        content[page] = random.bytes(PAGE_BYTES)
    elif kind == "zeros":
        content[page] = bytes(PAGE_BYTES)
    else:
        del content[max(place, len(content) * 3 // 4) :]
    path.write_bytes(content)


def schema_pages(content: bytes) -> set[int]:
    """The pages with the names and places of all tables: the first one, and those below it."""
    is_interior, num_cells = content[100] == 5, int.from_bytes(content[103:105], "big")
    if not is_interior:
        return {1}
    cells = [int.from_bytes(content[i : i + 2], "big") for i in range(112, 112 + 2 * num_cells, 2)]
    return {1, *(int.from_bytes(content[i : i + 4], "big") for i in (*cells, 108))}


def changed_pages(old: bytes, new: bytes) -> set[int]:
    places = range(0, len(old), PAGE_BYTES)
    return {
        i // PAGE_BYTES + 1 for i in places if old[i : i + PAGE_BYTES] != new[i : i + PAGE_BYTES]
    }


def test_whatever_is_hurt_is_told_and_mended(
    processes: ForkServer, large: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    """Flipped bits, lost pages, a lost end. Never a crash; what is left is right."""
    shares: dict[str, list[float]] = {kind: [] for kind in HURTS}
    num_tracks, whole = len(tables(large)["track"]), large.read_bytes()
    for seed in range(NUM_KILLS // 4):
        path = Path(shutil.copy(large, tmp_path / f"{seed}.db"))
        kind = HURTS[seed % len(HURTS)]
        hurt(path, kind, seed)
        before = path.read_bytes()
        told = processes.run("cli", "verify", "--library", path)
        done = processes.run("cli", "repair", "--library", path)
        about = f"seed {seed}, {kind}: {told.out} {told.err} {done.out} {done.err}"
        assert "Traceback" not in told.err + done.err, about
        if told.code == 0:  # bits that mean nothing, or a letter of a title
            assert done.out == "There is nothing to repair.\n", about
            tally["changed bytes without a meaning"] += 1
            continue
        if done.code == 1:  # the one kind of page without which nothing is found
            assert schema_pages(whole) & changed_pages(whole, before), about
            assert "restore a backup" in done.err, about
            assert path.read_bytes() == before
            tally["libraries without the page that names their tables"] += 1
            continue
        assert (told.code, done.code) == (1, 0), about
        assert flaws(path) == [], about
        kept = json.loads(processes.run("cli", "status", "--library", path, "--json").out)
        shares[kind].append(kept["tracks"] / num_tracks)
        [old] = tmp_path.glob(f"{seed}.db.*")
        if old.name.endswith(".damaged"):
            assert old.read_bytes() == before, about
        tally["damaged libraries"] += 1
    # but for the root of a tree, damage takes single pages; up to a quarter was cut off at the end
    assert np.median(shares["page"] + shares["zeros"]) > 0.95
    assert np.median(shares["end"]) > 0.5


@pytest.mark.parametrize("num_kept", [10, 1000, 6000])
def test_where_nothing_can_be_saved_it_is_said_and_nothing_is_changed(
    processes: ForkServer, library_path: Path, num_kept: int
) -> None:
    library_path.write_bytes(library_path.read_bytes()[:num_kept])
    before = library_path.read_bytes()
    assert processes.run("cli", "verify", "--library", library_path).code == 1
    done = processes.run("cli", "repair", "--library", library_path)
    assert (done.code, done.out) == (1, "")
    assert "index your folders again" in done.err
    assert library_path.read_bytes() == before


def change(path: Path, sql: str, *values: Any) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        assert db.execute(sql, values).rowcount > 0, sql


NAN = np.full(16, np.nan, "<f2").tobytes()
WRONGS = {
    "a vector that is too short": ("vectors", "UPDATE embedding SET vector = x'00' WHERE id = 1"),
    "a vector without direction": (
        "vectors",
        "UPDATE embedding SET vector = zeroblob(32) WHERE id = (SELECT max(id) FROM embedding)",
    ),
    "a vector of no numbers": (
        "vectors",
        f"UPDATE embedding SET vector = x'{NAN.hex()}' WHERE id = 3",
    ),
    "moments that are gone": ("vectors", "DELETE FROM moments WHERE embedding_id = 4"),
    "moments of another length": (
        "vectors",
        "UPDATE moments SET starts = x'0000' WHERE embedding_id = 5",
    ),
    "rows of a track that is gone": ("orphans", "DELETE FROM track WHERE id = 4"),
    "heard, it says": (
        "states",
        "UPDATE track SET state = 'indexed', error = NULL WHERE state = 'failed'",
    ),
    "new, it says": ("states", "UPDATE track SET state = 'new' WHERE id = 5"),
    "failed for no reason": ("states", "UPDATE track SET state = 'failed' WHERE id = 5"),
    "the sound of what was heard is not known": (
        "states",
        "UPDATE track SET audio_hash = NULL WHERE id = 5",
    ),
    "it sings and does not sing": (
        "states",
        "INSERT INTO no_vocals SELECT track_id, space_id FROM embedding WHERE space_id = 2 LIMIT 1",
    ),
}


@pytest.mark.parametrize(("kind", "sql"), WRONGS.values(), ids=WRONGS.keys())
def test_what_is_wrong_inside_is_told_mended_and_heard_again(
    processes: ForkServer, indexed: Path, library_path: Path, kind: str, sql: str
) -> None:
    music = indexed / "Music" / "Album"
    expected, before = contents(library_path), tables(library_path)
    change(library_path, sql)
    hurt_tables = tables(library_path)
    told = processes.run("cli", "verify", "--library", library_path, "--json")
    assert told.code == 1
    assert kind in [problem["kind"] for problem in json.loads(told.out)["problems"]]
    assert tables(library_path) == hurt_tables != before  # verify changes nothing
    done = processes.run("cli", "repair", "--library", library_path, "--json")
    report = json.loads(done.out)
    assert (done.code, report["left"]) == (0, []), done.out
    assert report["done"]
    kept = tables(Path(report["kept_path"]))
    assert {**kept, "lease": []} == hurt_tables  # the repair's own lease
    assert flaws(library_path) == []
    heard = processes.run("cli", "index", music, "--library", library_path)
    assert heard.code in (0, 3), heard.err
    assert contents(library_path) == expected


def test_a_damaged_index_makes_searches_slower_not_wrong(
    processes: ForkServer, large: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(large, tmp_path / "library.db"))
    search = ("similar", 7, "--by", "overall", "--json", "--library", path)
    before = json.loads(processes.run("cli", *search).out)
    flipped = "CAST(substr(data, 1, 99) || x'77' || substr(data, 101) AS BLOB)"
    change(path, f"UPDATE hnsw_chunk SET data = {flipped}")
    after = json.loads(processes.run("cli", *search).out)
    assert after["neighbours"] == before["neighbours"]
    assert "index again to repair it" in after["note"]


def test_a_log_that_was_left_behind_is_read(indexed: Path, tmp_path: Path) -> None:
    """Of a process that was killed: what it had finished is in the log, not in the file."""
    path = Path(shutil.copy(indexed / "library.db", tmp_path / "library.db"))
    copy = tmp_path / "copy" / "library.db"
    copy.parent.mkdir()
    with Library.open(path) as library:
        library.put_failure(5, "It is broken.")
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{copy}{ending}")
    assert copy.read_bytes() != path.read_bytes()
    with Library.open(copy) as library:
        assert library.track(5).error == "It is broken."
    assert flaws(copy) == []


def test_a_damaged_library_that_is_open_elsewhere_is_not_replaced(
    large: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(large, tmp_path / "library.db"))
    with Library.open(path) as library:
        library.track_ids()
        content = bytearray(path.read_bytes())
        content[200_000:204_096] = bytes(4096)
        path.write_bytes(content)
        with pytest.raises(LibraryLockedError, match="Close it"):
            repair(path)
    assert not verify(path).is_fine
    assert repair(path).left == ()
