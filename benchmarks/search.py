"""How fast, how exact and how large the search is, beside brute force.

    python benchmarks/search.py FOLDER [--sizes 1000 10000 100000] [--dims 256 256]
                                [--steps make build ours cold] [--threads 1]
    python benchmarks/search.py FOLDER --table

``--dims``: of each view. Libraries are made up (``made_up.py``) and kept in FOLDER, as is
``search.json`` with all results so far: a long run can be done in parts, and a part done again
replaces its earlier result. Every step is a process of its own, so that its memory can be told.
Answers are compared with an exact search over the float32 vectors. Times of building are of the
processor, on ``--threads`` threads; times of queries are by the clock, one query at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import made_up
import numpy as np
from search_cases import (
    Case,
    K,
    Result,
    exact,
    memory_bytes,
    peak_bytes,
    recall,
    spread,
    timed,
    without_self,
)

NUM_ADDED, EF = 20, 128


def make(case: Case) -> Result:
    """The library, and the vectors in full precision beside it."""
    from engine.library import Library

    artist_of = made_up.artists(case.size)
    case.library_path.unlink(missing_ok=True)
    started = time.process_time()
    with Library.open(case.library_path) as library:
        made_up.add_tracks(library, case.folder / "no music", artist_of)
        for number, dim in enumerate(case.dims):
            path, shape = case.vectors_path(number), (case.size, dim)
            out = np.lib.format.open_memmap(path, "w+", np.float32, shape)
            vectors = made_up.voices(artist_of, dim, number, out)
            space_id = library.space_id(made_up.space_key(made_up.VIEWS[number], dim))
            made_up.add_embeddings(library, space_id, vectors)
    return {"make_s": time.process_time() - started}


# Ours


def build(case: Case) -> Result:
    """Both graphs, from nothing into the library; saving, which is part of it, is told again."""
    from engine.library import Library
    from engine.search.index import centre
    from engine.search.index import graph as hnsw

    with Library.open(case.library_path) as library:
        build_s = centre_s = save_s = 0.0
        for space_id, _ in library.spaces():
            with library.database.write() as db:
                db.execute("DELETE FROM hnsw_index WHERE space_id = ?", (space_id,))
            started = time.process_time()
            hnsw.refresh(library, space_id, num_threads=case.threads)
            build_s += time.process_time() - started
            started = time.process_time()
            centre.refresh(library, space_id)
            centre_s += time.process_time() - started
            index = hnsw.load(library, space_id)
            started = time.perf_counter()
            hnsw._save(library, space_id, index)
            save_s += time.perf_counter() - started
        sql = "SELECT sum(num_bytes) FROM hnsw_index"
        index_bytes = library.database.rows(sql)[0][0]
        library.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return {
        "build_s": build_s,
        "centre_s": centre_s,
        "save_s": save_s,
        "file_bytes": index_bytes,
        "library_bytes": case.library_path.stat().st_size,
        "build_peak_bytes": peak_bytes(),
    }


def ours_bare(case: Case) -> Result:
    """Loading all that a search holds, and asking the first graph alone."""
    from engine.library import Library
    from engine.search.index.space_index import SpaceIndex

    with Library.open(case.library_path) as library:
        spaces = [space_id for space_id, _ in library.spaces()]
        queries = np.array(case.vectors(0)[case.queries()])
        before, started = memory_bytes(), time.perf_counter()
        loaded = [SpaceIndex(library, space_id).current() for space_id in spaces]
        load_s = time.perf_counter() - started
        memory = memory_bytes() - before
        graph = loaded[0].graph
        assert graph is not None
        graph.graph.set_ef(EF)
        for query in queries[:20]:
            graph.nearest(query, K + 1)
        answers, seconds = timed(lambda query: graph.nearest(query, K + 1), queries)
    # embeddings of the first view have the ids 1, 2, ...
    found = without_self(case.queries(), [ids - 1 for ids in answers])
    vectors = np.array(case.vectors(0))
    _, brute_s = timed(lambda query: np.argpartition(vectors @ query, -K)[-K:], queries)
    return {
        "load_s": load_s,
        "memory_bytes": memory,
        **spread(seconds, "bare"),
        **spread(brute_s, "brute"),
        "bare_recall": recall(exact(case), found),
    }


def ours(case: Case) -> Result:
    """Whole searches, as the window makes them: re-scored, filtered, with moments."""
    from engine.library import Library
    from engine.library.scope import Scope
    from engine.search import Searcher, SearchOptions

    artist_of = made_up.artists(case.size)
    asked = {
        "search": SearchOptions(k=K),
        "filtered": SearchOptions(k=K, other_artists=True, hide_duplicates=True),
        "each_artist_once": SearchOptions(k=30, one_per_artist=True, hide_duplicates=True),
        "in_scope": SearchOptions(k=K, scope=Scope(first_year=1990, last_year=1999)),
        "blend": SearchOptions(k=K, by="blend"),
        "blend_filtered": SearchOptions(k=K, by="blend", other_artists=True, hide_duplicates=True),
    }
    if len(case.dims) < 2:
        asked = {name: options for name, options in asked.items() if options.by != "blend"}
    result, found = Result(), dict[str, list[list[int]]]()
    with Library.open(case.library_path) as library:
        searcher = Searcher(library)
        track_ids = (case.queries() + 1).tolist()
        centres = [searcher.source.space(key.view, None).centre for _, key in library.spaces()]
        for name, options in asked.items():
            for track_id in track_ids[:10]:
                searcher.by_track(track_id, options)
            spent = time.thread_time()
            answers, seconds = timed(partial(searcher.by_track, options=options), track_ids)
            spent = time.thread_time() - spent
            result |= spread(seconds, name)
            result[f"{name}_processor_ms"] = 1000 * spent / len(track_ids)
            found[name] = [[n.track.id - 1 for n in answer.neighbours] for answer in answers]
        result |= added(case, searcher) | {PEAK: peak_bytes()}

    def of_others(place: int) -> np.ndarray:
        return artist_of != artist_of[place]

    result["search_recall"] = recall(exact(case, centres[:1]), found["search"])
    result["filtered_recall"] = recall(exact(case, centres[:1], of_others), found["filtered"])
    if "blend" in asked:
        result["blend_recall"] = recall(exact(case, centres), found["blend"])
        true = exact(case, centres, of_others)
        result["blend_filtered_recall"] = recall(true, found["blend_filtered"])
    return result


def ours_cold(case: Case) -> Result:
    """Searches for which nothing of the library is in the system's memory but what is loaded.

    The file's pages are dropped before each, and no song is searched for twice. Only where the
    system lets go of them (Linux), and on the drive that the folder is on.
    """
    from engine.library import Library
    from engine.search import Searcher, SearchOptions

    asked = {"cold": SearchOptions(k=K), "cold_blend": SearchOptions(k=K, by="blend")}
    result, file = Result(), os.open(case.library_path, os.O_RDONLY)

    def search(track_id: int, options: SearchOptions) -> float:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        started = time.perf_counter()
        searcher.by_track(track_id, options)
        return time.perf_counter() - started

    with Library.open(case.library_path) as library:
        searcher = Searcher(library)
        track_ids = np.random.default_rng(8).permutation(case.queries() + 1).tolist()
        warming, *parts = track_ids[:5], track_ids[5::2], track_ids[6::2]
        for (name, options), part in zip(asked.items(), parts, strict=True):
            for track_id in warming:
                search(track_id, options)
            before = read_bytes()
            result |= spread([search(track_id, options) for track_id in part], name)
            result[f"{name}_read_bytes"] = (read_bytes() - before) / len(part)
    os.close(file)
    return result


def read_bytes() -> int:
    """What this process has had read from drives."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("read_bytes")))


def added(case: Case, searcher: Any) -> Result:
    """A song after the other, each found by the next search; then the library is as before.

    The last tracks are heard anew, as if another song had taken the place of each.
    """
    from engine.records import MomentCodes, TrackEmbedding

    library = searcher.source.library
    moments = MomentCodes(np.ones((48, 64), np.int8), np.arange(48, dtype=np.float32), 5.0)
    artists = made_up.artists(case.size)[:NUM_ADDED]
    spaces = [(i, made_up.voices(artists, key.dim, 99)) for i, key in library.spaces()]
    rows = library.database.rows(
        "SELECT id, audio_hash, duration_s FROM track ORDER BY id DESC LIMIT ?", (NUM_ADDED,)
    )

    def add(number: int, row: Any) -> None:
        for space_id, news in spaces:
            library.put_embedding(
                row[0], space_id, TrackEmbedding(news[number], moments), audio_hash=row[1],
                duration_s=row[2],
            )  # fmt: skip

    of_last, last = "WHERE track_id >= ?", (rows[-1][0],)
    columns = "id, track_id, space_id, vector"
    old = library.database.rows(f"SELECT {columns} FROM embedding {of_last}", last)
    sql = f"SELECT * FROM moments WHERE embedding_id IN (SELECT id FROM embedding {of_last})"
    old_moments = library.database.rows(sql, last)
    _, seconds = timed(lambda one: add(*one), enumerate(rows))
    _, searches = timed(lambda row: searcher.by_track(row[0]), rows)
    with library.database.write() as db:
        db.execute(f"DELETE FROM embedding {of_last}", last)
        db.executemany(f"INSERT INTO embedding ({columns}) VALUES (?, ?, ?, ?)", old)
        db.executemany("INSERT INTO moments VALUES (?, ?, ?, ?, ?)", old_moments)
    return spread(seconds, "add") | spread(searches, "search_among_new")


STEPS: dict[str, tuple[Callable[[Case], Result], ...]] = {
    "make": (make,),
    "build": (build,),
    "ours": (ours_bare, ours),
    "cold": (ours_cold,),
}


# Running, and telling


def run(case: Case, step: str, results: dict[str, Result], path: Path) -> None:
    """All parts of a step, each in a fresh process; results are kept as soon as they are there."""
    name = str(case)
    found = results.get(name, {}) | {"commit": commit(), "load_average": os.getloadavg()[0]}
    for part in STEPS[step]:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found |= pool.submit(part, case).result()
        results[name] = {k: round(v, 4) if isinstance(v, float) else v for k, v in found.items()}
        path.write_text(json.dumps(results, indent=1))
    print(name, json.dumps(results[name]), flush=True)


def commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    root = Path(__file__).parent
    return subprocess.run(command, cwd=root, capture_output=True, text=True).stdout.strip()


COLUMNS = (
    ("build", "build_s", "{:.1f} s"),
    ("save", "save_s", "{:.2f} s"),
    ("load", "load_s", "{:.2f} s"),
    ("memory", "memory_bytes", "{:.0f} MB"),
    ("file", "file_bytes", "{:.0f} MB"),
    ("p50", "bare_p50_ms", "{:.2f} ms"),
    ("p95", "bare_p95_ms", "{:.2f} ms"),
    ("brute p50", "brute_p50_ms", "{:.2f} ms"),
    ("recall@10", "bare_recall", "{:.4f}"),
)
SEARCHES = (
    "search", "filtered", "each_artist_once", "in_scope", "blend", "blend_filtered", "cold",
    "cold_blend", "add",
)  # fmt: skip
RECALLS = ("search_recall", "filtered_recall", "blend_recall", "blend_filtered_recall")


def table(results: dict[str, Result]) -> str:
    """Markdown: what is in memory, and the first graph alone; then searches."""
    lines = ["| songs × dims | " + " | ".join(name for name, _, _ in COLUMNS) + " |"]
    lines.append("| --- |" + " ---: |" * len(COLUMNS))
    whole = [name for name in results if "search_p50_ms" in results[name]]
    for name in results:
        cells = (cell(results[name].get(key), key, text) for _, key, text in COLUMNS)
        lines.append(f"| {name.replace(' ', ' × ')} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "| songs × dims | library | peak | " + " | ".join(SEARCHES) + " | recall |",
    ]
    lines.append("| --- |" + " ---: |" * (len(SEARCHES) + 3))
    for name in whole:
        found = results[name]
        times = [
            f"{found[f'{one}_p50_ms']:.1f} / {found[f'{one}_p95_ms']:.1f}"
            if f"{one}_p50_ms" in found
            else ""
            for one in SEARCHES
        ]
        sizes = [cell(found.get(key), key, "{:.0f} MB") for key in ("library_bytes", PEAK)]
        exactness = " / ".join(cell(found.get(key), key, "{:.4f}") for key in RECALLS)
        texts = [name.replace(" ", " × "), *sizes, *times, exactness]
        lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines)


PEAK = "search_peak_bytes"


def cell(value: float | None, key: str, text: str) -> str:
    if value is None:
        return ""
    return text.format(value / 1e6 if key.endswith("_bytes") else value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--dims", type=int, nargs="+", default=[256, 256])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only print what was measured")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    path = asked.folder / "search.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    if not asked.table:
        os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(asked.threads)
        for size in asked.sizes:
            case = Case(asked.folder, size, tuple(asked.dims), asked.threads)
            for step in asked.steps:
                run(case, step, results, path)
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
