"""Measures again what the docs claim of models, and writes it into their tables.

    python -m tools.figures --data tracks.csv     # evaluates for minutes, then as below
    python -m tools.figures                       # writes tables from the last reports, checks
    python -m tools.figures --check               # looks whether sentences say what tables say

A table that is written stands between ``<!-- figures -->`` and ``<!-- end of figures -->``. A cell
is known by the first cell of its row and the title of its column; it keeps its form (bold, with an
interval or without), and what is not known here (goals, say) stays as it is. CLAIMS are the
sentences that name a figure of a table. Reports lie in build/figures.

Figures of speed are not measured here: they need a machine that does nothing else (benchmarks/).
Nor are those of versions that are gone, which the docs name as such.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "figures"
MARKED = re.compile(r"<!-- figures -->\n(.*?)<!-- end of figures -->", re.DOTALL)
DOCUMENTS = ("docs/results.md", "resources/checkpoints/singalike-3/README.md")
VOICES = "artist-similarity --models ge2e,campp,singalike-2,singalike-3,cvsm-1"
RUNS = {
    "songs": f"{VOICES} --where use=library --clip-s 60 --input separated,mixture",
    "mir-1k": f"{VOICES} --where source=MIR-1K",
    "triplets": "overall-similarity --models singalike-3-overall,singalike-3,musicnn,cvsm-1 "
    "--input mixture --where source=MIR-1K",
}
# A row's first cell -> its run, the table of the report, and what its rows there have in common.
SETS = {"MIR-1K": "mir-1k", "31 songs": "songs"}
INPUTS = {"true vocals": "vocals", "separated": "separated", "mixture": "mixture"}
CROSSINGS = {
    "a voice alone asks for separated voices": ("vocals", "separated"),
    "a voice alone asks for mixtures": ("vocals", "mixture"),
    "separated voices ask for mixtures": ("separated", "mixture"),
}
MODELS = {
    "GE2E": "ge2e", "CAM++ as it is": "campp", "singalike-2": "singalike-2",
    "singalike-3": "singalike-3", "Singalike 3": "singalike-3", "cvsm-1": "cvsm-1",
}  # fmt: skip
TRIPLETS = {"both nearer": "both", "same voice nearer": "voice", "same band nearer": "band"}
VOICE_MEASURES = ("eer", "r_at_1", "map")  # as a cell has them: EER [low, high] / R@1 / mAP


@dataclass(frozen=True)
class Claim:
    """A sentence that names figures: each group of its pattern is one.

    Attributes:
        cells: for each group the row, the column, and which of the cell's figures.
    """

    document: str
    pattern: str
    cells: tuple[tuple[str, str, int], ...]


EER, R_AT_1 = 0, 1
CLAIMS = (
    Claim(
        "README.md",
        r"singalike-3 finds a song of the same singer first for ([\d.]+) % of separated voices",
        (("MIR-1K, separated", "singalike-3", R_AT_1),),
    ),
    Claim(
        "README.md",
        r"same singer first for ([\d.]+) % of separated voices and of whole mixtures",
        (("MIR-1K, mixture", "singalike-3", R_AT_1),),
    ),
    Claim(
        "docs/results.md",
        r"On produced Western songs its mixtures were its weak side \(([\d.]+)\)",
        (("31 songs, mixture", "campp", EER),),
    ),
)


def source_of(row: str, column: str) -> tuple[str, str, dict[str, str], tuple[str, ...]] | None:
    """Run, table, what its row there says, and measures; None for a cell that people write."""
    if column in TRIPLETS and re.fullmatch(r"[\w-]+", row):  # a model's name; others are history
        return "triplets", "triplets", {"model": row}, (TRIPLETS[column],)
    for name, run in SETS.items():
        kind = row.removeprefix(name)[2:]  # ", mixture" or ": ... asks for ..."
        if not row.startswith(name) or column not in MODELS:
            continue
        model = {"model": MODELS[column]}
        if kind in INPUTS:
            row_there = model | {"input": INPUTS[kind], "centring": "library"}
            return run, "distinct-songs", row_there, VOICE_MEASURES
        if kind in CROSSINGS:
            asks, target = CROSSINGS[kind]
            return run, "crossings", model | {"asks": asks, "for": target}, VOICE_MEASURES
    return None


def plain(cell: str) -> str:
    """Without bold, code and what stands in brackets: ``**cvsm-1**`` is cvsm-1."""
    return re.sub(r"[*`]| \(.*?\)", "", cell).strip()


def cells(table: str) -> Iterator[tuple[int, int, str, str, str]]:
    """Line, place in it, row, column and text of each cell of a table in Markdown."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    for number, line in enumerate(lines[2:], 2):
        for place in range(1, len(line)):
            yield number, place, plain(line[0]), plain(lines[0][place]), line[place]


def figures_in(cell: str) -> list[float]:
    """Those of ``**4.2 [0.7, 16.7] / 93.8 / 93.0**`` without the interval."""
    return [float(text) for text in re.findall(r"-?[\d.]+", re.sub(r"\[.*?\]", "", cell))]


def measured(report: dict[str, Any], table: str, row: dict[str, str]) -> dict[str, Any]:
    tables = [t for result in report["results"] for t in result["tables"] if t["name"] == table]
    [found] = [one for one in tables[0]["rows"] if row.items() <= one.items()]
    return dict(found)


def filled(cell: str, figures: list[dict[str, float]]) -> str:
    """A cell of the same form with these figures."""
    parts = [f"{100 * one['value']:.1f}" for one in figures]
    if "[" in cell:
        parts[0] += f" [{100 * figures[0]['low']:.1f}, {100 * figures[0]['high']:.1f}]"
    text = " / ".join(parts)
    return f"**{text}**" if cell.startswith("**") else text


def rewritten(table: str, reports: dict[str, Any]) -> str:
    lines = table.splitlines()
    for number, place, row, column, cell in cells(table):
        if cell and (source := source_of(row, column)) and source[0] in reports:
            run, name, there, measures = source
            found = measured(reports[run], name, there)
            parts = lines[number].split("|")
            parts[place + 1] = f" {filled(cell, [found[key] for key in measures])} "
            lines[number] = "|".join(parts)
    return "\n".join(lines) + "\n"


def problems(root: Path = ROOT) -> list[str]:
    """Cells that contradict each other, and sentences that contradict cells or are not there."""
    told: dict[tuple[str, str], list[float]] = {}
    found = []
    for document in DOCUMENTS:
        for table in MARKED.findall((root / document).read_text("utf-8")):
            for _, _, row, column, cell in cells(table):
                if cell and source_of(row, column):
                    before = told.setdefault((row, MODELS.get(column, column)), figures_in(cell))
                    if before != figures_in(cell):
                        found.append(f"{document}: {row}, {column} is {cell} here, else {before}")
    return found + [text for claim in CLAIMS for text in _wrong(claim, told, root)]


def _wrong(claim: Claim, told: dict[tuple[str, str], list[float]], root: Path) -> Iterator[str]:
    text = " ".join((root / claim.document).read_text("utf-8").replace("`", "").split())
    match = re.search(claim.pattern, text)
    if match is None:
        yield f"{claim.document}: no sentence is like {claim.pattern}"
        return
    for said, (row, column, which) in zip(match.groups(), claim.cells, strict=True):
        figure, num_decimals = told[row, column][which], len(said.partition(".")[2])
        if abs(float(said) - figure) > 0.5 * 10**-num_decimals + 1e-9:
            yield f"{claim.document} says {said}, but {row}, {column} is {figure}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Tables and sentences of the docs.")
    parser.add_argument("--data", help="table of songs: evaluate first (docs/results.md)")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    for name, arguments in RUNS.items() if options.data else ():
        command = [sys.executable, "-m", "engine.cli", "evaluate", *arguments.split()]
        command += ["--data", options.data, "--out", str(REPORTS / name)]
        subprocess.run(command, check=True, cwd=ROOT)
    if not options.check:
        paths = {name: REPORTS / name / "report.json" for name in RUNS}
        reports = {n: json.loads(p.read_text("utf-8")) for n, p in paths.items() if p.exists()}
        print(f"Written from reports of: {', '.join(reports) or 'none'}.")
        for document in DOCUMENTS:
            text = (ROOT / document).read_text("utf-8")
            new = MARKED.sub(lambda m: m[0].replace(m[1], rewritten(m[1], reports)), text)
            (ROOT / document).write_text(new, encoding="utf-8")
    found = problems()
    print("\n".join(found or ["Sentences and tables agree."]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
