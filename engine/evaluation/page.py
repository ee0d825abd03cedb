"""The report as a page for any browser: it lies beside its figures and needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from engine.evaluation.results import Report, Result, Table
from engine.evaluation.tables import best_cells, cell_text, heading

# Of this page and of the listening test's, in light and in dark.
THEME = """
:root { color-scheme: light dark; --ink: #1f2933; --muted: #5f6b76; --line: #e1e5ea;
  --soft: #f6f7f9; --ground: #fff; --accent: #6440c4; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --muted: #a3adb7; --line: #343b43;
  --soft: #20252b; --ground: #171b20; --accent: #b39bf2; --on-accent: #171b20; } }
* { box-sizing: border-box; }
"""
STYLE = (
    THEME
    + """
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 76rem; margin: 0 auto; padding: 2rem; }
h2 { margin: 3rem 0 1rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
figure { margin: 1rem 0; background: #fff; padding: 0.8rem; border-radius: 0.6rem; }
img { max-width: 100%; height: auto; display: block; margin: auto; }
.scroll { overflow-x: auto; margin: 1.6rem 0 0.4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.5rem; }
th, td { padding: 0.3rem 0.75rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th, .note { color: var(--muted); } .name { text-align: left; } .best { font-weight: 700; }
.warning { border-left: 0.3rem solid var(--accent); padding: 0.6rem 1rem; background: var(--soft); }
dd { margin: 0 0 0.6rem; overflow-wrap: anywhere; }
"""
)


def page(report: Report) -> str:
    """The whole page; figures are taken from the folder ``figures`` beside it."""
    data = report.data
    title = escape(f"Evaluation on {data['name']}")
    counts = f"{data['clips']} clips, {data['songs']} songs, {data['singers']} singers"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>",
        f"<p>{escape(counts)}. In brackets: 95 % bootstrap intervals over artists. Bold: the best "
        "of its input.</p>",
        _notes(report.notes),
        *[_section(result) for result in report.results],
        _origin(report),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(result: Result) -> str:
    parts = [f"<h2>{escape(result.title)}</h2>"]
    if result.reason is not None:
        parts.append(f'<p class="warning">Could not be run: {escape(result.reason)}</p>')
    parts += [f'<p class="warning">{escape(warning)}</p>' for warning in result.warnings]
    for plot in result.plots:
        source = escape(f"figures/{result.name}.{plot.name}.svg")
        parts.append(f'<figure><img alt="{escape(plot.title)}" src="{source}"></figure>')
    parts += [_table(table) for table in result.tables]
    return "\n".join([*parts, _notes(result.notes)])


def _notes(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="note">{items}</ul>' if items else ""


def _table(table: Table) -> str:
    best = best_cells(table)
    rows = ["".join(f"<th>{escape(heading(column))}</th>" for column in table.columns)]
    for number, row in enumerate(table.rows):
        cells = ""
        for place, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            kind = "name" if isinstance(cell, str) else "best" if (number, place) in best else ""
            cells += f'<td class="{kind}">{escape(cell_text(cell, column))}</td>'
        rows.append(cells)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    caption = f"<caption>{escape(table.title)}</caption>"
    return f'<div class="scroll"><table>{caption}{body}</table></div>{note}'


def _origin(report: Report) -> str:
    """What would make the same numbers again."""
    entries = {
        "Command": report.command,
        "Made": report.created,
        "Seed": str(report.seed),
        "Data": _listed(report.data),
        "Models": "; ".join(f"{m['name']} (sha256 {m['sha256']})" for m in report.models),
        "Settings": _listed(report.options),
        "Packages": _listed(report.packages),
    }
    items = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in entries.items() if v)
    return f'<h2>How this was made</h2><dl class="note">{items}</dl>'


def _listed(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in facts.items())
