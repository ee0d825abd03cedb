"""A report read back from its folder: what ``report.write`` wrote, as the records it came from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.bootstrap import Estimate
from engine.evaluation.report import SCHEMA, SCHEMA_VERSION, Report
from engine.evaluation.results import (
    Bars,
    Cell,
    Column,
    Curves,
    HeatMaps,
    Plot,
    Points,
    Result,
    Table,
)


def read(folder: Path) -> Report:
    """The report of a folder; what could not be computed is None or NaN again.

    Raises EvaluationError: no report there, a damaged one, or one of a newer version.
    """
    path = folder / "report.json"
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EvaluationError(f"The report {path} cannot be read: {error}") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise EvaluationError(f"{path} is no report of an evaluation.")
    if body.get("schema_version") != SCHEMA_VERSION:
        raise EvaluationError(
            f"{path} has a format that this version does not know. A newer Singalike can open it."
        )
    try:
        return _report(body)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise EvaluationError(f"The report {path} is damaged: {error!r}.") from error


def _report(body: Mapping[str, Any]) -> Report:
    facts = {f.name: body[f.name] for f in fields(Report)}
    for name in ("models", "inputs", "notes"):
        facts[name] = tuple(facts[name])
    return Report(**{**facts, "results": tuple(_result(r) for r in facts["results"])})


def _result(body: Mapping[str, Any]) -> Result:
    return Result(
        body["name"],
        body["title"],
        tuple(_table(t) for t in body["tables"]),
        tuple(_plot(p) for p in body["plots"]),
        tuple(body["notes"]),
        tuple(body["warnings"]),
        body["reason"],
    )


def _table(body: Mapping[str, Any]) -> Table:
    columns = tuple(Column(**column) for column in body["columns"])
    rows = tuple(tuple(_cell(row[c.key]) for c in columns) for row in body["rows"])
    return Table(body["name"], body["title"], columns, rows, body["note"])


def _cell(value: Any) -> Cell:
    return _estimate(value) if isinstance(value, dict) else value


def _estimate(body: Mapping[str, Any]) -> Estimate:
    return Estimate(*(_number(body[name]) for name in ("value", "low", "high")))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _plot(body: Mapping[str, Any]) -> Plot:
    """Kinds of plots are told apart by what they hold."""
    known = {**body}
    if "groups" in body:
        series = {k: tuple(e and _estimate(e) for e in v) for k, v in body["series"].items()}
        return Bars(**{**known, "groups": tuple(body["groups"]), "series": series})
    if "x" in body:
        curves = {
            panel: {name: tuple(map(_estimate, curve)) for name, curve in curves.items()}
            for panel, curves in body["panels"].items()
        }
        return Curves(**{**known, "x": tuple(body["x"]), "panels": curves})
    if "row_notes" in body:
        maps = {
            panel: tuple(tuple(map(_number, row)) for row in rows)
            for panel, rows in body["panels"].items()
        }
        notes = {panel: tuple(rows) for panel, rows in body["row_notes"].items()}
        labels = tuple(body["labels"])
        return HeatMaps(**{**known, "labels": labels, "panels": maps, "row_notes": notes})
    planes = {
        panel: (np.array(points, dtype=np.float64).reshape(-1, 2), tuple(labels))
        for panel, (points, labels) in body["panels"].items()
    }
    names = {panel: tuple(own) for panel, own in body.get("names", {}).items()}
    return Points(**{**known, "panels": planes, "names": names})
