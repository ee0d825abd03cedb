"""Tables as people and programs read them: Markdown and CSV."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict
from typing import Any

from engine.evaluation.bootstrap import Estimate
from engine.evaluation.results import Cell, Column, Table


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


def best_cells(table: Table) -> set[tuple[int, int]]:
    """(row, column) of the best figures, among the rows of the same input where there is one."""
    keys = [column.key for column in table.columns]
    alike = [keys.index(key) for key in ("input", "question") if key in keys]
    groups: dict[tuple[Cell, ...], list[int]] = {}
    for number, row in enumerate(table.rows):
        groups.setdefault(tuple(row[i] for i in alike), []).append(number)
    best = set()
    for i, column in enumerate(table.columns):
        if not column.better:
            continue
        sign = 1 if column.better == "lower" else -1
        for rows in groups.values():
            values = {r: sign * number_in(table.rows[r][i]) for r in rows}
            known = {r: v for r, v in values.items() if math.isfinite(v)}
            if len(known) > 1:
                best |= {(r, i) for r, v in known.items() if v == min(known.values())}
    return best


def number_in(cell: Cell) -> float:
    """Of a figure its value; NaN where there is no number."""
    if isinstance(cell, Estimate):
        return cell.value
    return float(cell) if isinstance(cell, (int, float)) else math.nan


def _is_estimate(table: Table, index: int) -> bool:
    return any(isinstance(row[index], Estimate) for row in table.rows)
