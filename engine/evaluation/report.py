"""A report on disk: report.json, tables as CSV and Markdown, figures, and a page to look at."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.bootstrap import Estimate
from engine.evaluation.results import Cell, Column, Result, Table

SCHEMA = "singalike-evaluation"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Report:
    """What was run, on what, and what came out.

    Two runs with the same data, models, options and seed differ in ``created`` and ``command``
    only.
    """

    created: str
    command: str
    seed: int
    packages: Mapping[str, str]
    data: Mapping[str, Any]
    models: tuple[Mapping[str, Any], ...]
    inputs: tuple[str, ...]
    options: Mapping[str, Any]
    notes: tuple[str, ...]
    results: tuple[Result, ...]


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


def write(report: Report, folder: Path) -> Path:
    """Write everything below ``folder`` (made if need be) and return the page's path.

    Raises EvaluationError when the folder cannot be written.
    """
    try:
        return _write(report, folder)
    except OSError as error:
        raise EvaluationError(
            f"The report cannot be written into {folder}: {error.strerror or error}."
        ) from error


def _write(report: Report, folder: Path) -> Path:
    from engine.evaluation.page import page

    tables_path, figures_path = folder / "tables", folder / "figures"
    tables_path.mkdir(parents=True, exist_ok=True)
    figures_path.mkdir(exist_ok=True)
    text = json.dumps(report_json(report), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    drawings: dict[tuple[str, str], str] = {}
    for result in report.results:
        for table in result.tables:
            stem = f"{result.name}.{table.name}"
            (tables_path / f"{stem}.csv").write_text(table_csv(table), encoding="utf-8", newline="")
            (tables_path / f"{stem}.md").write_text(table_markdown(table), encoding="utf-8")
        for plot in result.plots:
            path = figures_path / f"{result.name}.{plot.name}"
            if drawing := _draw(plot, path):
                drawings[result.name, plot.name] = drawing
    index_path = folder / "index.html"
    index_path.write_text(page(report, drawings), encoding="utf-8")
    return index_path


def _draw(plot: Any, path: Path) -> str | None:
    """PNG and SVG beside each other; the SVG's text, or None without matplotlib."""
    try:
        from engine.evaluation import figures
    except ModuleNotFoundError:
        return None
    return figures.save(plot, path)


def cell_text(cell: Cell, column: Column) -> str:
    """As people read it: % where the column says so, intervals in brackets."""
    if cell is None:
        return "–"
    if isinstance(cell, Estimate):
        value = cell_text(cell.value, column)
        if not math.isfinite(cell.low):
            return value
        return f"{value} [{cell_text(cell.low, column)}, {cell_text(cell.high, column)}]"
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return "–"
        if column.unit == "p" and cell < 0.001:
            return "< 0.001"
        return f"{100 * cell:.1f}" if column.unit == "%" else f"{cell:.3f}"
    return str(cell)


def heading(column: Column) -> str:
    arrow = {"lower": " ↓", "higher": " ↑", "": ""}[column.better]
    unit = " %" if column.unit == "%" and "%" not in column.title else ""
    return f"{column.title}{unit}{arrow}"


def table_markdown(table: Table) -> str:
    """With a title, ready to be pasted into a document."""
    lines = [f"**{table.title}**", ""]
    lines.append("| " + " | ".join(heading(c) for c in table.columns) + " |")
    lines.append("|" + " --- |" * len(table.columns))
    for row in table.rows:
        cells = [
            cell_text(v, c).replace("|", "\\|") for v, c in zip(row, table.columns, strict=True)
        ]
        lines.append("| " + " | ".join(cells) + " |")
    if table.note:
        lines += ["", table.note]
    return "\n".join(lines) + "\n"


def table_csv(table: Table) -> str:
    """Fractions as they are; a figure with an interval takes three columns."""
    width = [_is_estimate(table, i) for i in range(len(table.columns))]
    header = []
    for column, is_wide in zip(table.columns, width, strict=True):
        header += (
            [column.key, f"{column.key}_low", f"{column.key}_high"] if is_wide else [column.key]
        )
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in table.rows:
        cells: list[Any] = []
        for cell, is_wide in zip(row, width, strict=True):
            if not is_wide:
                cells.append(cell)
            elif isinstance(cell, Estimate):
                cells += asdict(cell).values()
            else:
                cells += [cell, "", ""]
        writer.writerow(["" if isinstance(c, float) and math.isnan(c) else c for c in cells])
    return buffer.getvalue()


def _is_estimate(table: Table, index: int) -> bool:
    return any(isinstance(row[index], Estimate) for row in table.rows)
