"""A report on disk: report.json, tables as CSV and Markdown, figures, and a page of them all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from itertools import repeat
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.page import page
from engine.evaluation.results import Report, Table
from engine.evaluation.tables import table_csv, table_markdown
from engine.paths import written_whole
from engine.progress import CancelToken

SCHEMA = "singalike-evaluation"
SCHEMA_VERSION = 1


def report_json(report: Report) -> dict[str, Any]:
    """Plain data for ``report.json``; what could not be computed is null."""
    return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **_plain(report)}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        body = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        if isinstance(value, Table):
            keys = [column.key for column in value.columns]
            body["rows"] = [dict(zip(keys, row, strict=True)) for row in body["rows"]]
        return body
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write(report: Report, folder: Path, cancel: CancelToken | None = None) -> Path:
    """Write everything below ``folder`` (made if need be) and return the page's path.

    A report that is there stays readable until ``report.json``, the last of all files, is replaced.
    Raises EvaluationError when the folder cannot be written, CancelledError between two figures.
    """
    try:
        return _write(report, folder, cancel or CancelToken())
    except OSError as error:
        raise EvaluationError(
            f"The report cannot be written into {folder}: {error.strerror or error}."
        ) from error


def _write(report: Report, folder: Path, cancel: CancelToken) -> Path:
    from engine.evaluation import figures  # matplotlib: for those who write a report

    tables_path, figures_path = folder / "tables", folder / "figures"
    tables_path.mkdir(parents=True, exist_ok=True)
    figures_path.mkdir(exist_ok=True)
    models = [str(model["name"]) for model in report.models]
    for result in report.results:
        for table in result.tables:
            stem = f"{result.name}.{table.name}"
            (tables_path / f"{stem}.csv").write_text(table_csv(table), encoding="utf-8", newline="")
            (tables_path / f"{stem}.md").write_text(table_markdown(table), encoding="utf-8")
        for plot in result.plots:
            cancel.check()
            figures.save(plot, figures_path / f"{result.name}.{plot.name}", models)
    index_path = folder / "index.html"
    index_path.write_text(page(report), encoding="utf-8")
    text = json.dumps(report_json(report), indent=1, ensure_ascii=False, allow_nan=False)
    with written_whole(folder / "report.json") as draft:
        draft.write_text(text + "\n", encoding="utf-8")
    return index_path


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
        report: Report = _built(Report, body)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise EvaluationError(f"The report {path} is damaged: {error!r}.") from error
    return report


def _built(kind: Any, value: Any) -> Any:
    """What plain data was made from, by the types of the fields of its dataclass."""
    inner = get_args(kind)
    if is_dataclass(kind):
        return _record(kind, value)
    if get_origin(kind) in (Union, UnionType):
        if not isinstance(value, dict):
            return value
        # Of several dataclasses, the one that has all of these fields.
        records = [k for k in inner if is_dataclass(k) and {f.name for f in fields(k)} >= {*value}]
        return _record(records[0], value)
    if get_origin(kind) is tuple:
        return tuple(map(_built, repeat(inner[0]) if inner[-1] is Ellipsis else inner, value))
    if get_origin(kind) is Mapping:
        return {key: _built(inner[1], item) for key, item in value.items()}
    if kind is np.ndarray:
        return np.array(value, dtype=np.float64).reshape(-1, 2)
    if kind is float:
        return math.nan if value is None else float(value)
    return value


def _record(kind: Any, body: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    if kind is Table:
        keys = [column["key"] for column in body["columns"]]
        body = {**body, "rows": [[row[key] for key in keys] for row in body["rows"]]}
    known = {f.name: body[f.name] for f in fields(kind) if f.name in body}
    return kind(**{name: _built(hints[name], item) for name, item in known.items()})
