"""Sentences of the docs say what their tables say, and tables are written in place."""

from __future__ import annotations

import re
import shutil

import pytest
from support.documents import ROOT

from tools import figures

TABLE = """\
| | singalike-2 | **singalike-3** | goal |
| --- | --- | --- | --- |
| MIR-1K, mixture | 14.0 [8.1, 20.4] / 90.0 / 80.4 | **1.8 / 100.0 / 99.3** | EER 2 |
"""


def report(eer: float) -> dict:
    def share(value: float) -> dict[str, float]:
        return {"value": value, "low": value / 2, "high": 2 * value}

    rows = [
        {"input": "mixture", "model": model, "centring": centring,
         "eer": share(eer if centring == "library" else 0.5), "r_at_1": share(0.9),
         "map": {"value": 0.8, "low": None, "high": None}}
        for model in ("singalike-2", "singalike-3") for centring in ("raw", "library")
    ]  # fmt: skip
    return {"results": [{"tables": [{"name": "distinct-songs", "rows": rows}]}]}


@pytest.fixture
def docs(tmp_path):
    for name in {*figures.DOCUMENTS, *(claim.document for claim in figures.CLAIMS)}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_docs_say_what_their_tables_say():
    assert figures.problems() == []


def test_a_table_is_written_in_its_own_form():
    new = figures.rewritten(TABLE, {"mir-1k": report(0.1234)})
    assert new == TABLE.replace(
        "14.0 [8.1, 20.4] / 90.0 / 80.4", "12.3 [6.2, 24.7] / 90.0 / 80.0"
    ).replace("1.8 / 100.0 / 99.3", "12.3 / 90.0 / 80.0")


def test_rows_that_tell_what_was_before_stay():
    assert figures.source_of("musicnn", "both nearer") is not None
    assert figures.source_of("… its first fit", "both nearer") is None
    assert figures.source_of("MIR-1K, mixture", "goal") is None


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("README.md", "first for 100 %", "first for 99 %", "says 99"),
        ("README.md", "of the same singer first", "by that singer first", "no sentence"),
    ],
)
def test_what_disagrees_is_told(docs, name, old, new, told):
    text = (docs / name).read_text("utf-8")
    assert old in text
    (docs / name).write_text(text.replace(old, new), encoding="utf-8")
    assert told in "\n".join(figures.problems(docs))


def test_two_tables_that_disagree_are_told(docs):
    path = docs / figures.DOCUMENTS[1]
    text = re.sub(r"(\| MIR-1K, mixture \| .*? \| )[\d.]+", r"\g<1>99.9", path.read_text("utf-8"))
    path.write_text(text, encoding="utf-8")
    assert "99.9" in "\n".join(figures.problems(docs))
