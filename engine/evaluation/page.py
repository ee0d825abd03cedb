"""The report as one HTML file that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from engine.evaluation.bootstrap import Estimate
from engine.evaluation.colours import THEME, colour
from engine.evaluation.results import Cell, Column, Report, Result, Table
from engine.evaluation.tables import cell_text, heading

MODEL_COLUMNS = ("model", "other", "one")
NO_FIGURES = "Figures need matplotlib. Install it: pip install 'singalike[evaluation]'"
STYLE = (
    THEME
    + """
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 76rem; margin: 0 auto; padding: 2.5rem 2rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.4rem; }
h2 { font-size: 1.35rem; line-height: 1.2; margin: 0 0 1rem; }
header p { margin: 0.3rem 0; } .lead, .note, footer { color: var(--muted); }
nav, .models { display: flex; flex-wrap: wrap; gap: 0.5rem; padding: 0; margin: 1rem 0 0;
  list-style: none; }
nav a { color: var(--accent); text-decoration: none; padding: 0.25rem 0.8rem; font-size: 0.92rem;
  border: 1px solid var(--line); border-radius: 2rem; }
nav a:hover, nav a:focus-visible { background: var(--soft); }
.models li { padding-right: 0.8rem; }
.dot { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%;
  margin-right: 0.45em; }
section, footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.8rem;
  scroll-margin-top: 1rem; }
figure { margin: 1rem 0; background: #fff; padding: 0.8rem; border: 1px solid var(--line);
  border-radius: 0.6rem; }
figure img { max-width: 100%; max-height: 60rem; display: block; margin: auto; }
.scroll { overflow-x: auto; margin: 1.6rem 0 0.4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
caption { text-align: left; font-weight: 600; padding: 0 0 0.5rem; font-size: 1rem; }
th, td { padding: 0.32rem 0.75rem; text-align: right; white-space: nowrap; }
thead th { color: var(--muted); font-weight: 600; border-bottom: 2px solid var(--line); }
tbody td, tbody th { border-bottom: 1px solid var(--line); }
tbody:hover tr:hover td { background: var(--soft); }
.name { text-align: left; } tbody th { font-weight: 600; vertical-align: top; }
tbody + tbody tr:first-child > * { border-top: 2px solid var(--line); }
td small { color: var(--muted); } td b { font-weight: 400; }
.best b { font-weight: 700; color: var(--accent); }
.warning { border-left: 0.3rem solid var(--warn); padding: 0.6rem 1rem; margin: 0.8rem 0;
  background: var(--warn-soft); border-radius: 0 0.4rem 0.4rem 0; }
.note { font-size: 0.92rem; margin: 0.3rem 0; }
ul.note { padding-left: 1.2rem; margin-top: 1.2rem; }
footer { font-size: 0.88rem; } dt { font-weight: 600; color: var(--ink); }
dd { margin: 0 0 0.6rem; overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
@media print { body { max-width: none; padding: 0; } nav { display: none; }
  figure, tr { break-inside: avoid; } }
"""
)


def page(report: Report, drawings: Mapping[tuple[str, str], str]) -> str:
    """The whole page. ``drawings`` are SVG texts by (protocol, plot)."""
    title = escape(f"Evaluation on {report.data['name']}")
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{STYLE}</style></head>",
        f"<body><header><h1>{title}</h1>{_head(report)}</header>",
        *[_section(result, drawings, _dots(report)) for result in report.results],
        _footer(report),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _head(report: Report) -> str:
    data = report.data
    counts = f"{data['clips']} clips, {data['songs']} songs, {data['singers']} singers"
    dots = _dots(report)
    models = "".join(f"<li>{dot}{escape(name)}</li>" for name, dot in dots.items())
    links = "".join(f'<a href="#{escape(r.name)}">{escape(r.title)}</a>' for r in report.results)
    return (
        f'<p class="lead">{escape(counts)}. In brackets: 95 % bootstrap intervals over artists. In '
        f'colour: the best of its input.</p><ul class="models">{models}</ul>'
        f'<nav aria-label="Contents">{links}</nav>{_notes(report.notes)}'
    )


def _dots(report: Report) -> dict[str, str]:
    """A dot in the colour of each model, as in the figures."""
    return {
        str(model["name"]): f'<i class="dot" style="background:{colour(number)}"></i>'
        for number, model in enumerate(report.models)
    }


def _section(
    result: Result, drawings: Mapping[tuple[str, str], str], dots: Mapping[str, str]
) -> str:
    parts = [f'<section id="{escape(result.name)}"><h2>{escape(result.title)}</h2>']
    if result.reason is not None:
        parts.append(f'<p class="warning">Could not be run: {escape(result.reason)}</p>')
    parts += [f'<p class="warning">{escape(warning)}</p>' for warning in result.warnings]
    for plot in result.plots:
        if svg := drawings.get((result.name, plot.name)):
            source = base64.b64encode(svg.encode()).decode()
            parts.append(
                f'<figure><img alt="{escape(plot.title)}" '
                f'src="data:image/svg+xml;base64,{source}"></figure>'
            )
    if result.plots and not any(name == result.name for name, _ in drawings):
        parts.append(f'<p class="note">{NO_FIGURES}</p>')
    parts += [_table(table, dots) for table in result.tables]
    return "\n".join([*parts, _notes(result.notes), "</section>"])


def _notes(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="note">{items}</ul>' if items else ""


def _table(table: Table, dots: Mapping[str, str]) -> str:
    """Rows of one input stand together, under its name said once."""
    is_name = [all(isinstance(r[i], str) for r in table.rows) for i in range(len(table.columns))]
    best = best_cells(table)
    head = "".join(
        f"<th scope=col{' class=name' if name else ''}>{escape(heading(column))}</th>"
        for column, name in zip(table.columns, is_name, strict=True)
    )
    is_grouped = bool(table.columns) and table.columns[0].key == "input"
    bodies = []
    for key, numbers in groupby(
        range(len(table.rows)), lambda n: table.rows[n][0] if is_grouped else None
    ):
        group = list(numbers)
        rows = []
        for number in group:
            cells = f"<th scope=rowgroup class=name rowspan={len(group)}>{escape(str(key))}</th>"
            cells = cells if is_grouped and number == group[0] else ""
            for i in range(is_grouped, len(table.columns)):
                text = _cell(table.rows[number][i], table.columns[i], dots)
                kind = "name" if is_name[i] else "best" if (number, i) in best else ""
                cells += f'<td class="{kind}">{text}</td>'
            rows.append(f"<tr>{cells}</tr>")
        bodies.append(f"<tbody>{''.join(rows)}</tbody>")
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="scroll"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead>{''.join(bodies)}</table></div>{note}"
    )


def _cell(cell: Cell, column: Column, dots: Mapping[str, str]) -> str:
    text = escape(cell_text(cell, column))
    if isinstance(cell, str):
        return dots.get(cell, "") + text if column.key in MODEL_COLUMNS else text
    value, bracket, interval = text.partition(" [")
    return f"<b>{value}</b>" + (f" <small>[{interval}</small>" if bracket else "")


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
        "Command": report.command,
        "Made": report.created,
        "Seed": str(report.seed),
        "Data": ", ".join(f"{key} {value}" for key, value in report.data.items()),
        "Models": "; ".join(f"{m['name']} (sha256 {m['sha256']})" for m in report.models),
        "Settings": ", ".join(f"{key} {value}" for key, value in report.options.items()),
        "Packages": ", ".join(f"{name} {version}" for name, version in report.packages.items()),
    }
    items = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in entries.items() if v)
    return f"<footer><h2>How this was made</h2><dl>{items}</dl></footer>"
