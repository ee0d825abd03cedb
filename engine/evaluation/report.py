"""A report on disk: report.json, tables as CSV and Markdown, figures, and a page of them all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.page import page
from engine.evaluation.results import Report
from engine.evaluation.tables import table_csv, table_markdown
from engine.progress import CancelToken

__all__ = ["SCHEMA", "SCHEMA_VERSION", "Report", "report_json", "write"]

SCHEMA = "singalike-evaluation"
SCHEMA_VERSION = 1


def report_json(report: Report) -> dict[str, Any]:
    """Plain data for ``report.json``; what could not be computed is null."""
    body: dict[str, Any] = _plain(report)
    for plain, result in zip(body["results"], report.results, strict=True):
        for table, source in zip(plain["tables"], result.tables, strict=True):
            keys = [column.key for column in source.columns]
            table["rows"] = [dict(zip(keys, row, strict=True)) for row in table["rows"]]
    return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **body}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
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
    text = json.dumps(report_json(report), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
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
    return index_path
