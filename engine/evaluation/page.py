"""The report as one HTML file that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from html import escape

from engine.evaluation.bootstrap import Estimate
from engine.evaluation.results import Cell, Report, Result, Table
from engine.evaluation.tables import cell_text, heading

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --warn: #c77700; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid var(--line);
  padding-top: 1.5rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; margin: 0.5rem 0; }
caption { text-align: left; font-weight: 600; padding: 0.4rem 0; }
th, td { padding: 0.3rem 0.7rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th { background: var(--soft); } td.name, th.name { text-align: left; }
td.best { font-weight: 700; } td small { opacity: 0.7; }
figure { margin: 1rem 0; background: #fff; padding: 0.5rem; border-radius: 0.4rem; }
figure img { max-width: 100%; display: block; margin: auto; }
.warning { border-left: 0.3rem solid var(--warn); padding: 0.5rem 1rem; background: var(--soft); }
.note, footer { opacity: 0.8; font-size: 0.9rem; } dt { font-weight: 600; }
dd { margin: 0 0 0.4rem 0; overflow-wrap: anywhere; } code { font-size: 0.9em; }
"""


def page(report: Report, drawings: Mapping[tuple[str, str], str]) -> str:
    """The whole page. ``drawings`` are SVG texts by (protocol, plot)."""
    data = report.data
    lead = f"{data['clips']} clips, {data['songs']} songs, {data['singers']} singers"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Evaluation on {escape(str(data['name']))}</title><style>{STYLE}</style></head>",
        f"<body><h1>Evaluation on {escape(str(data['name']))}</h1><p>{escape(lead)}. In brackets: "
        "95 % bootstrap intervals over artists. Bold: the best of its input.</p>",
        *[f'<p class="note">{escape(note)}</p>' for note in report.notes],
        *[_section(result, drawings) for result in report.results],
        _footer(report),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(result: Result, drawings: Mapping[tuple[str, str], str]) -> str:
    parts = [f'<section id="{escape(result.name)}"><h2>{escape(result.title)}</h2>']
    if result.reason is not None:
        parts.append(f'<p class="warning">Could not be run: {escape(result.reason)}</p>')
    parts += [f'<p class="warning">{escape(warning)}</p>' for warning in result.warnings]
    parts += [_table(table) for table in result.tables]
    for plot in result.plots:
        if svg := drawings.get((result.name, plot.name)):
            source = base64.b64encode(svg.encode()).decode()
            parts.append(
                f'<figure><img alt="{escape(plot.title)}" '
                f'src="data:image/svg+xml;base64,{source}"></figure>'
            )
    parts += [f'<p class="note">{escape(note)}</p>' for note in result.notes]
    return "\n".join([*parts, "</section>"])


def _table(table: Table) -> str:
    is_name = [all(isinstance(r[i], str) for r in table.rows) for i in range(len(table.columns))]
    best = best_cells(table)
    head = "".join(
        f"<th{' class=name' if name else ''}>{escape(heading(column))}</th>"
        for column, name in zip(table.columns, is_name, strict=True)
    )
    rows = []
    for number, row in enumerate(table.rows):
        cells = ""
        for i, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            kind = "name" if is_name[i] else "best" if (number, i) in best else ""
            text = (
                escape(cell_text(cell, column)).replace("[", "<small>[").replace("]", "]</small>")
            )
            cells += f'<td class="{kind}">{text}</td>'
        rows.append(f"<tr>{cells}</tr>")
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="scroll"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{note}"
    )


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
            values = {r: sign * _number(table.rows[r][i]) for r in rows}
            known = {r: v for r, v in values.items() if math.isfinite(v)}
            if len(known) > 1:
                best |= {(r, i) for r, v in known.items() if v == min(known.values())}
    return best


def _number(cell: Cell) -> float:
    if isinstance(cell, Estimate):
        return cell.value
    return float(cell) if isinstance(cell, (int, float)) else math.nan


def _footer(report: Report) -> str:
    entries = {
        "Made": report.created,
        "Command": report.command,
        "Seed": str(report.seed),
        "Data": ", ".join(f"{key} {value}" for key, value in report.data.items()),
        "Models": "; ".join(f"{m['name']} (sha256 {m['sha256']})" for m in report.models),
        "Settings": ", ".join(f"{key} {value}" for key, value in report.options.items()),
        "Packages": ", ".join(f"{name} {version}" for name, version in report.packages.items()),
    }
    items = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in entries.items() if v)
    return f"<footer><h2>How this was made</h2><dl>{items}</dl></footer>"
