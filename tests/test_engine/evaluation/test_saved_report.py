from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.evaluate_page import BARS, CURVES, HEAT, POINTS, similarity_table, write_report

from engine.errors import CancelledError, EvaluationError
from engine.evaluation.evaluation_data import Clip, EvaluationData, thinned
from engine.evaluation.report import read, report_json, write
from engine.evaluation.results import Points, Result
from engine.progress import CancelToken


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = Result("one", "One", (similarity_table(0.3, float("nan")),),
                  (BARS, CURVES, HEAT, POINTS), ("A note.",), ("Beware.",))  # fmt: skip
    return write_report(
        tmp_path_factory.mktemp("r"), done, Result("two", "Two", reason="It needs more.")
    )


def test_what_was_written_is_read(folder: Path) -> None:
    report = read(folder)
    assert report_json(report) == json.loads((folder / "report.json").read_text())
    one, two = report.results
    assert two.reason == "It needs more."
    assert one.tables[0].rows[0][:3] == similarity_table(0.3).rows[0][:3]
    assert one.tables[0].columns == similarity_table(0.3).columns
    assert one.plots[0] == BARS
    points = one.plots[3]
    assert isinstance(points, Points)
    plane, labels = points.panels["mixture: m"]
    np.testing.assert_array_equal(plane, POINTS.panels["mixture: m"][0])
    assert labels == ("A", "A", "B")
    assert points.names == POINTS.names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "is no report"),
        ('{"schema": "singalike-evaluation", "schema_version": 99}', "newer Singalike"),
        ('{"schema": "singalike-evaluation", "schema_version": 1}', "is damaged"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_what_is_no_report_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(EvaluationError, match=said):
        read(tmp_path)


@pytest.mark.parametrize("value", [10**400, [], "one"], ids=["huge", "list", "text"])
def test_a_number_that_is_none_is_damage(folder: Path, tmp_path: Path, value: object) -> None:
    body = json.loads((folder / "report.json").read_text())
    curves = body["results"][0]["plots"][1]["panels"]
    next(iter(next(iter(curves.values())).values()))[0]["low"] = value
    (tmp_path / "report.json").write_text(json.dumps(body))
    with pytest.raises(EvaluationError, match="is damaged"):
        read(tmp_path)


def test_writing_stops_on_request(folder: Path, tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        write(read(folder), tmp_path, cancel)
    assert list((tmp_path / "figures").iterdir()) == []


def test_no_report_at_all(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="cannot be read"):
        read(tmp_path)


def test_a_large_data_set_is_thinned_at_random() -> None:
    clips = [Clip(f"s{i:02}", f"song {j}") for i in range(20) for j in range(1 if i < 5 else 4)]
    data = EvaluationData("x", tuple(clips), ("Before.",))
    few = thinned(data, 6, 3, seed=1)
    singers = {clip.singer for clip in few.clips}
    assert len(singers) == 6
    assert len(few.clips) == 18
    assert not singers & {"s00", "s01", "s02", "s03", "s04"}  # those with several songs come first
    assert few.notes == (
        "Before.",
        "6 of 20 singers take part, with 3 songs each at most, drawn at random.",
    )
    assert thinned(data, 6, 3, seed=1) == few
    assert thinned(data, 6, 3, seed=2) != few
    assert {c.singer for c in thinned(data, 17, 9, seed=0).clips} > {
        f"s{i:02}" for i in range(5, 20)
    }
    assert thinned(data, 20, 4, seed=0) is data
