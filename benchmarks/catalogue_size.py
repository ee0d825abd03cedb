"""A catalogue of made-up songs of any size: built, opened and searched as people do.

    python benchmarks/catalogue_size.py TABLE --songs 2000000 [--queries 200] [--build]

Two views of made-up vectors (``made_up.py``; 192 and 384 dimensions) with tags, four moments each
(a song of four minutes has 48: 3 kB more a view). With ``--build`` the table is written and
indexed; then it is searched in a process of its own. Cold: another table is not kept in memory by
the system, as far as ``posix_fadvise`` can tell it. Recall: of the ten nearest by voice, exactly.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import made_up
import numpy as np
import pyarrow as pa
from search_cases import memory_bytes

from catalogue.upkeep import index
from engine.library.text import normalise
from engine.progress import CancelToken, Progress
from engine.records import SpaceKey
from engine.search import Scope, Searcher, SearchOptions
from engine.search.index.centre import placed
from engine.search.remote.rows import schema, vectors_of
from engine.search.remote.source import TableSource
from engine.search.remote.table import SongTable

ROWS, MOMENTS = 50_000, 4
SHELVES = 100  # a filter of years leaves one song in so many


def spaces() -> list[SpaceKey]:
    return [made_up.space_key(view, made_up.DIMS[view]) for view in made_up.VIEWS]


def batches(num: int, scratch: Path) -> Iterator[pa.Table]:
    """Rows as a run would have appended them, made up."""
    artist_of = made_up.artists(num)
    keys, random = spaces(), np.random.default_rng(0)
    vectors = []
    for number, key in enumerate(keys):
        place = scratch / f"{key.view}.f32"
        made = np.memmap(place, np.float32, "w+", shape=(num, key.dim))
        vectors.append(made_up.voices(artist_of, key.dim, number, made))
    ids = random.permutation(2**62 // num * np.arange(1, num + 1))
    for first in range(0, num, ROWS):
        who = artist_of[first : first + ROWS]
        rows = np.arange(first, first + len(who))
        yield pa.table(columns(rows, ids[rows], who, keys, vectors, random), schema=schema(keys))
    for key in keys:
        (scratch / f"{key.view}.f32").unlink()


def columns(
    rows: np.ndarray,
    ids: np.ndarray,
    who: np.ndarray,
    keys: list[SpaceKey],
    vectors: list[np.ndarray],
    random: np.random.Generator,
) -> list[Any]:
    num = len(rows)
    names = [f"Singer {artist}" for artist in who]
    titles, albums = [f"Song {row}" for row in rows], [f"Album {row // 12}" for row in rows]
    genres = [f"Genre {artist % 14}" for artist in who]
    told = zip(names, titles, albums, genres, strict=True)
    made: dict[str, Any] = {
        "id": ids,
        "path": [f"s3://archive/{row % 997}/{row}.mp3" for row in rows],
        "archive_id": [str(row) for row in rows],
        "title": titles,
        "artist": names,
        "album": albums,
        "album_artist": [""] * num,
        "genre": genres,
        "audio_hash": [f"{row:032x}" for row in rows],
        "words": [normalise(" ".join(some)) for some in told],
        "artist_keys": [[normalise(name)] for name in names],
        "genre_keys": [[normalise(name)] for name in genres],
        "year": 1920 + rows % SHELVES,
        "track_number": rows % 12 + 1,
        "size_bytes": 4_000_000 + rows,
        "mtime_ns": rows,
        "duration_s": 180.0 + rows % 180,
    }
    for key, some in zip(keys, vectors, strict=True):
        halves = pa.array(np.asarray(some[rows[0] : rows[-1] + 1], np.float16).ravel())
        codes = random.integers(-127, 128, (num, MOMENTS * 64), dtype=np.int8)
        made |= {
            f"{key.view}_vector": pa.FixedSizeListArray.from_arrays(halves, key.dim),
            f"{key.view}_codes": [code.tobytes() for code in codes],
            f"{key.view}_starts_s": [np.arange(MOMENTS, dtype=np.float32) * 5] * num,
            f"{key.view}_length_s": np.full(num, 5, np.float32),
            f"{key.view}_from_mixture": [False] * num,
        }
    return [
        values if isinstance(values, pa.Array) else pa.array(values, field.type)
        for field in schema(keys)
        for values in (made.get(field.name, [None] * num),)
    ]


def build(place: Path, num: int) -> None:
    table = SongTable.create(str(place), spaces())
    place.mkdir(parents=True, exist_ok=True)
    started, busy = time.monotonic(), time.process_time()
    for rows in batches(num, place.parent):
        table.songs.add(rows)
    told("written", started, busy)
    started, busy = time.monotonic(), time.process_time()
    index(table, lambda progress: step(progress, started, busy), CancelToken())
    told("indexed", started, busy)


def step(progress: Progress, started: float, busy: float) -> None:
    told(f"  {progress.message} begins after", started, busy)


def told(name: str, started: float, busy: float) -> None:
    now, cpu = time.monotonic() - started, time.process_time() - busy
    print(f"{name:40} {now:8.0f} s, {cpu:8.0f} s of processor time", flush=True)


def search(place: Path, num_queries: int) -> None:
    before, table = memory_bytes(), SongTable.open(str(place))
    num = table.count()
    print(f"{num} songs, {files_of(place)}", flush=True)
    source = TableSource(table)
    searcher = Searcher(source)
    drawn = table.rows(["id"], table.sample(4 * num_queries)).column("id").to_numpy()
    chosen = np.random.default_rng(1).choice(drawn, num_queries, replace=False).tolist()
    forget(place)
    cases = {
        "cold, voices": SearchOptions(),
        "voices": SearchOptions(),
        "voices, one year in 100": SearchOptions(scope=Scope(first_year=1950, last_year=1950)),
        "voices, other artists, one of each": SearchOptions(
            other_artists=True, one_per_artist=True, k=30
        ),
        "whole sound": SearchOptions("overall"),
        "blend": SearchOptions("blend"),
    }
    for name, options in cases.items():
        seconds, found, busy = [], [], time.process_time()
        for track_id in chosen[: 20 if "cold" in name else None]:
            forget(place) if "cold" in name else None
            source._kept.clear()
            started = time.perf_counter()
            found.append(searcher.by_track(track_id, options))
            seconds.append(time.perf_counter() - started)
        cpu_ms = 1e3 * (time.process_time() - busy) / len(seconds)
        p50, p95 = 1e3 * np.percentile(seconds, [50, 95])
        print(
            f"{name:40} p50 {p50:6.0f} ms, p95 {p95:6.0f} ms, {cpu_ms:5.0f} ms of processor time",
            flush=True,
        )
        if name in ("voices", "voices, one year in 100"):
            some = [[n.track.id for n in one.neighbours] for one in found]
            where = "year = 1950" if "year" in name else ""
            print(f"{'':40} recall {recall(table, chosen, some, where):.3f}", flush=True)
    print(f"{'memory held':40} {(memory_bytes() - before) / 1e6:6.0f} MB", flush=True)


def recall(table: SongTable, chosen: list[int], found: list[list[int]], where: str) -> float:
    """Of the ten nearest by voice among all songs, the share that was found."""
    key = table.spaces[0]
    centre = table.centre(key)
    assert centre is not None
    source = TableSource(table)
    _, own = source.vectors(source.space("vocals", None), chosen)
    queries = placed(own, centre)
    best: np.ndarray = np.zeros((len(chosen), 0), np.int64)
    scores: np.ndarray = np.zeros((len(chosen), 0), np.float32)
    asked = table.songs.search().select(["id", "vocals_vector"])
    for batch in (asked.where(where) if where else asked).to_batches(50_000):
        known = vectors_of(pa.Table.from_batches([batch]), key)
        ids, some = np.array(list(known)), placed(np.array(list(known.values())), centre)
        best = np.hstack([best, np.broadcast_to(ids, (len(chosen), len(ids)))])
        scores = np.hstack([scores, queries @ some.T])
        order = np.argsort(-scores, axis=1)[:, :11]
        best, scores = (np.take_along_axis(one, order, 1) for one in (best, scores))
    hits = total = 0
    for true, own_id, have in zip(best.tolist(), chosen, found, strict=True):
        wanted = [one for one in true if one != own_id][:10]
        hits += len(set(wanted) & set(have))
        total += len(wanted)
    return hits / total


def files_of(place: Path) -> str:
    sizes = dict[str, int]()
    for path in place.rglob("*"):
        if path.is_file():
            kind = "indexes" if "_indices" in path.parts else "rows"
            sizes[kind] = sizes.get(kind, 0) + path.stat().st_size
    return ", ".join(f"{size / 1e9:.2f} GB of {kind}" for kind, size in sorted(sizes.items()))


def forget(place: Path) -> None:
    """Ask the system to keep nothing of these files in memory."""
    for path in place.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("--songs", type=int, default=2_000_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--build", action="store_true")
    chosen = parser.parse_args()
    print(json.dumps(vars(chosen), default=str), flush=True)
    if chosen.build:
        chosen.table.parent.mkdir(parents=True, exist_ok=True)
        build(chosen.table, chosen.songs)
    else:
        search(chosen.table, chosen.queries)


if __name__ == "__main__":
    main()
