"""Other engines for nearest neighbours, on the first view: vectors and graph, no songs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from search_cases import (
    Case,
    K,
    Result,
    exact,
    memory_bytes,
    recall,
    spread,
    timed,
    without_self,
)

M, EF_CONSTRUCTION, EF = 16, 200, 128  # as ours


def faiss_hnsw(case: Case) -> Result:
    import faiss

    faiss.omp_set_num_threads(case.threads)
    index = faiss.IndexHNSWFlat(case.dim, M, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = EF_CONSTRUCTION

    def load(path: Path) -> Any:
        loaded = faiss.read_index(str(path))
        loaded.hnsw.efSearch = EF
        return loaded

    return other(
        case,
        "faiss",
        lambda vectors: index.add(vectors),
        lambda path: faiss.write_index(index, str(path)),
        load,
        lambda loaded, query: loaded.search(query[None], K + 1)[1][0],
    )


def usearch_f16(case: Case) -> Result:
    from usearch.index import Index

    index = Index(
        ndim=case.dim, metric="ip", dtype="f16", connectivity=M,
        expansion_add=EF_CONSTRUCTION, expansion_search=EF,
    )  # fmt: skip

    def load(path: Path) -> Any:
        loaded = Index.restore(str(path))
        loaded.expansion_search = EF
        return loaded

    return other(
        case,
        "usearch",
        lambda vectors: index.add(None, vectors, threads=case.threads),
        lambda path: index.save(str(path)),
        load,
        lambda loaded, query: loaded.search(query, K + 1).keys.astype(np.int64),
    )


def brute_force(case: Case) -> Result:
    """All vectors in memory, one product of a matrix with a vector."""

    def nearest(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
        scores = vectors @ query
        best = np.argpartition(-scores, K)[: K + 1]
        return best[np.argsort(-scores[best])]

    path = case.folder / "brute.npy"
    return other(
        case,
        "brute",
        lambda vectors: np.save(path, vectors),
        lambda _: None,
        lambda _: np.load(path),
        nearest,
    )


def other(
    case: Case,
    name: str,
    add: Callable[[np.ndarray], object],
    save: Callable[[Path], object],
    load: Callable[[Path], Any],
    search: Callable[[Any, np.ndarray], np.ndarray],
) -> Result:
    """Builds in a child of its own, so that what remains of it is not counted as memory."""
    path = case.folder / f"{name}.index"
    child = os.fork()
    if child == 0:
        vectors = np.array(case.vectors(0))
        started = time.process_time()
        add(vectors)
        build_s = time.process_time() - started
        started = time.perf_counter()
        save(path)
        save_s = time.perf_counter() - started
        path.with_suffix(".json").write_text(json.dumps([build_s, save_s]))
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError(f"{name} could not build its index")
    build_s, save_s = json.loads(path.with_suffix(".json").read_text())
    queries = np.array(case.vectors(0)[case.queries()])
    before, started = memory_bytes(), time.perf_counter()
    loaded = load(path)
    load_s = time.perf_counter() - started
    memory = memory_bytes() - before
    for query in queries[:20]:
        search(loaded, query)
    answers, seconds = timed(lambda q=q: search(loaded, q) for q in queries)
    stored = path if path.exists() else case.folder / "brute.npy"
    return {
        "build_s": build_s,
        "save_s": save_s,
        "load_s": load_s,
        "memory_bytes": memory,
        "file_bytes": stored.stat().st_size,
        **spread(seconds, "bare"),
        "bare_recall": recall(exact(case), without_self(case.queries(), answers)),
    }
