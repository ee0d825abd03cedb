"""How fast a library opens, is filtered, scanned again and summed up.

    python benchmarks/opening.py FOLDER [--size 100000] [--steps open filter status scan index]

The library is made up (``made_up.py``) and kept in FOLDER, as are the small but real files that are
scanned, and ``opening.json`` with all results so far. ``open`` is the first data that the window
asks for, in a fresh process and without Qt; ``benchmarks/window.py run`` times the painted window.
``index`` runs ``singalike index`` where every file was heard before. Processor times are told
beside those by the clock, since they do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_up
import numpy as np

NUM_RUNS, NUM_ROWS, DIM = 7, 120, 256
Result = dict[str, Any]

FIRST_DATA = f"""
import sys
from pathlib import Path
from engine.library import Library
with Library.open(Path(sys.argv[1])) as library:
    ids = library.track_ids()
    rows = library.tracks(ids[:{NUM_ROWS}])
    library.folders(), library.counts()
assert rows
"""
TYPED = ("singer 12", "album 4", "genre 3 song", "zzz")


def library_path(folder: Path, size: int) -> Path:
    """The library that is read; made where it is not there. No files belong to it."""
    path = folder / f"{size}-{DIM}-2.db"  # as benchmarks/search.py makes it
    if not path.exists():
        made_up.make(path, size, DIM)
    return path


def processes(*arguments: str) -> Result:
    """Whole processes, one after the other; the first run, which may read from the disk, is told
    apart.
    """
    seconds, busy = [], []
    for _ in range(NUM_RUNS + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {
        "first_s": seconds[0],
        "median_s": statistics.median(seconds[1:]),
        "processor_s": statistics.median(busy[1:]),
    }


def opening(folder: Path, size: int) -> Result:
    return processes("-c", FIRST_DATA, str(library_path(folder, size)))


def status(folder: Path, size: int) -> Result:
    path = library_path(folder, size)
    return processes("-m", "engine.cli", "status", "--json", "--library", str(path))


def filtering(folder: Path, size: int) -> Result:
    """Letter by letter, as typed: the ids, and the first rows of them."""
    from engine.library import Library

    seconds, busy = [], []
    with Library.open(library_path(folder, size)) as library:
        library.track_ids()
        for text in TYPED:
            for length in range(1, len(text) + 1):
                started, spent = time.perf_counter(), time.thread_time()
                library.tracks(library.track_ids(text[:length])[:NUM_ROWS])
                seconds.append(1000 * (time.perf_counter() - started))
                busy.append(1000 * (time.thread_time() - spent))
    p50, p95 = np.percentile(seconds, (50, 95))
    busy_p50, busy_p95 = np.percentile(busy, (50, 95))
    return {
        "p50_ms": p50,
        "p95_ms": p95,
        "processor_p50_ms": busy_p50,
        "processor_p95_ms": busy_p95,
    }


def write_files(folder: Path, size: int) -> None:
    """Tenths of a second of silence, ten songs to a folder."""
    for number in range(size):
        place = folder / f"Singer {number // 50}" / f"Album {number // 10}"
        if number % 10 == 0:
            place.mkdir(parents=True, exist_ok=True)
        path = place / f"{number:06d}.wav"
        if not path.exists():
            with path.open("wb") as file, wave.open(file, "wb") as out:
                out.setparams((1, 2, 16_000, 0, "NONE", ""))
                out.writeframes(bytes(3200))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    started, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - spent


def scanning(folder: Path, size: int) -> Result:
    """The first scan, which reads every file's tags, and two more, which find nothing new."""
    from engine.library import Library
    from engine.library.scan.scan import scan

    music, path = folder / f"{size} files", folder / f"{size}-scanned.db"
    write_files(music, size)
    path.unlink(missing_ok=True)
    with Library.open(path) as library:
        first = timed(lambda: scan(library, [music]))
        again = min(timed(lambda: scan(library)) for _ in range(2))
        assert library.counts().tracks == size
    return {
        "first_s": first[0],
        "first_processor_s": first[1],
        "again_s": again[0],
        "again_processor_s": again[1],
    }


def indexing(folder: Path, size: int) -> Result:
    """``singalike index`` with nothing to hear, on the library that ``scan`` made."""
    from engine.library import Library

    path = folder / f"{size}-scanned.db"
    artist_of = made_up.artists(size)
    with Library.open(path) as library:
        if not library.spaces():
            for number, view in enumerate(made_up.VIEWS):
                space_id = library.space_id(made_up.space_key(view, DIM))
                made_up.add_embeddings(library, space_id, made_up.voices(artist_of, DIM, number))
            with library.database.write() as db:
                db.execute("UPDATE track SET state = 'indexed', duration_s = 0.1, audio_hash = id")
    command = ("-m", "engine.cli", "index", "--library", str(path))
    subprocess.run([sys.executable, *command], check=True)  # builds the search indexes
    return processes(*command)


STEPS = {
    "open": opening,
    "filter": filtering,
    "status": status,
    "scan": scanning,
    "index": indexing,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    path = asked.folder / "opening.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for step in asked.steps:
        found = STEPS[step](asked.folder, asked.size)
        found = {key: round(value, 3) for key, value in found.items()}
        results[f"{asked.size} {step}"] = found | {"load_average": round(os.getloadavg()[0], 1)}
        path.write_text(json.dumps(results, indent=1))
        print(step, json.dumps(results[f"{asked.size} {step}"]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
