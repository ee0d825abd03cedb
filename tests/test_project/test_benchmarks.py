"""Benchmarks write libraries below the library's own functions: what they make must still open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.documents import ROOT

from engine import models
from engine.library import Library
from engine.search import Searcher, SearchOptions


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def test_a_made_up_library_is_searched_like_any(benchmarks: None, tmp_path: Path) -> None:
    import made_up

    made_up.make(tmp_path / "library.db", 60, 32)
    with Library.open(tmp_path / "library.db") as library:
        for by in ("vocals", "overall", "blend"):
            result = Searcher(library).by_track(1, SearchOptions(by=by, k=5))
            assert len(result.neighbours) == 5


def test_made_up_vectors_are_as_long_as_those_of_the_models_that_serve(benchmarks: None) -> None:
    import made_up

    served = {view: models.load(models.default_model_name(view)) for view in made_up.VIEWS}
    assert {view: model.vector_dim for view, model in served.items()} == made_up.DIMS


def test_the_benchmark_of_search_runs(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/search.py", tmp_path, "--sizes", "300"]
    done = subprocess.run(
        [*command, "--dims", "32", "48", "--steps", "make", "build", "ours"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "300 × 32+48" in done.stdout


def test_a_table_of_systems_has_means_over_seeds_and_the_widest_interval(benchmarks: None) -> None:
    import paper_tables

    def row(model: str, source: str, centring: str, eer: float, low: float | None) -> dict:
        known = {"value": eer, "low": low, "high": eer + 0.1}
        found = {"input": source, "model": model, "centring": centring}
        return {**found, "eer": known, "r_at_1": {"value": 0.5, "low": None, "high": None}}

    rows = [
        row("cvsm-a.0", "vocals", "raw", 0.2, 0.15),
        row("cvsm-a.1", "vocals", "raw", 0.3, 0.28),
        row("cvsm-a.0", "vocals", "data", 0.01, 0.0),
        row("cola.0", "mixture", "raw", 0.4, 0.3),
    ]
    tables = [{"name": "distinct-songs", "rows": rows}, {"name": "crossings", "rows": rows}]
    text = paper_tables.markdown(paper_tables.figures_of({"results": [{"tables": tables}]}))
    assert "| `cvsm-a` | 2 | 25.0 [15.0, 40.0] | – | – |" in text
    assert "| `cola` | 1 | – | – | 40.0 [30.0, 50.0] |" in text
    assert "| `cvsm-a` | 2 | 50.0 | – | – |" in text
