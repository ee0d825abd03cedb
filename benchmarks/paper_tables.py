"""The paper's tables in small: its seven systems and ours, on the same data, as many pairs each.

    python benchmarks/paper_tables.py OUT --data DATA [--data MORE] --table tracks.csv \
        --where source=MIR-1K --batches 3000 --seeds 0 1

Every system is trained from scratch, exported, and heard on singers that none of them knows. On
one free core 3,000 batches of 64 pairs take an hour, so all of it sixteen; it can be stopped at any
time, and the same command goes on where it was. Processes that work through other ``--systems`` or
``--seeds`` beside it may share OUT.

Out come OUT/report, with figures, and a table (Markdown): of each system the mean over its seeds,
and the interval over singers, the widest of its seeds. Embeddings are compared as the networks give
them (``raw``), as in the paper. Two systems whose intervals overlap are not told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SYSTEMS = ("cola", "cola-art", "mscol", "cvsm-a", "cvsm-ah", "cvsm-af", "cvsm-art", "cvsm-taught")
INPUTS = ("vocals", "separated", "mixture")
# Of each table of the report: the figures that are shown, all in percent.
FIGURES = {
    "distinct-songs": {"eer": "EER", "r_at_1": "R@1"},
    "paper": {"eer": "EER, paper's trials", "mnr": "MNR, paper's trials"},
    "artist-id": {"accuracy": "artist identified", "macro_f1": "macro-F1"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder for runs, models and the report")
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--table", type=Path, required=True, help="songs to hear, a CSV")
    parser.add_argument("--where", action="append", default=[], help="rows of it: COLUMN=TEXT")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--batches", type=int, default=3000)
    parser.add_argument("--pairs", type=int, default=64)
    arguments = parser.parse_args()
    models = [
        trained(arguments, system, seed) for seed in arguments.seeds for system in arguments.systems
    ]
    print(markdown(figures_of(heard(arguments, models))))


def singalike(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command of ours on one thread; its progress is shown, its results come back.

    Where it fails it has said why, and this ends as well; not so where it could do its work but for
    a part (exit code 3: too few songs for artist identification, say).
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "engine.cli", *map(str, words)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(done.returncode)
    return done


def trained(arguments: argparse.Namespace, system: str, seed: int) -> Path:
    """The checkpoint of a system, trained to its end and exported unless it was before."""
    name = f"{system}.{seed}"
    run, model = arguments.out / "runs" / name, arguments.out / "models" / name
    if (model / "checkpoint.json").exists():
        return model
    data = [word for path in arguments.data for word in ("--data", path)]
    settings = [f"seed={seed}", f"optim.num_batches={arguments.batches}"]
    settings += [f"optim.num_pairs={arguments.pairs}", f"optim.validate_every={arguments.batches}"]
    changed = [word for setting in settings for word in ("--set", setting)]
    singalike("train", "run", "-s", system, *data, "-o", run, "--precision", "float32", *changed)
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    if json.loads(lines[-1])["batch"] < arguments.batches:
        raise SystemExit(f"{run} was told to stop. The same command goes on.")
    singalike("train", "export", run, *data, "-o", model)
    return model


def heard(arguments: argparse.Namespace, models: list[Path]) -> dict[str, Any]:
    """The report on all checkpoints, as plain data."""
    where = [word for row in arguments.where for word in ("--where", row)]
    done = singalike(
        *("evaluate", "artist-similarity,artist-id", "--models", ",".join(map(str, models))),
        *("--data", arguments.table, *where, "--input", ",".join(INPUTS), "--json"),
        *("--out", arguments.out / "report", "--cache", arguments.out / "cache"),
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def figures_of(report: dict[str, Any]) -> dict[str, dict[tuple[str, str], list[dict[str, float]]]]:
    """By system: estimates of all its seeds, by figure and input."""
    found: dict[str, dict[tuple[str, str], list[dict[str, float]]]] = {}
    tables = [table for result in report["results"] for table in result["tables"]]
    for table in tables:
        for row in table["rows"] if table["name"] in FIGURES else ():
            if row.get("centring", "raw") != "raw":
                continue
            system = row["model"].rpartition(".")[0]
            cells = found.setdefault(system, defaultdict(list))
            for key, title in FIGURES[table["name"]].items():
                if row[key] is not None:
                    cells[title, row["input"]].append(row[key])
    return found


def markdown(found: dict[str, dict[tuple[str, str], list[dict[str, float]]]]) -> str:
    titles = [title for figures in FIGURES.values() for title in figures.values()]
    lines = []
    for title in titles:
        lines += [f"\n**{title}**, %", "", "| system | seeds | " + " | ".join(INPUTS) + " |"]
        lines.append("| --- " * (len(INPUTS) + 2) + "|")
        for system, cells in found.items():
            texts = [cell(cells.get((title, source), [])) for source in INPUTS]
            num_seeds = max(len(estimates) for estimates in cells.values())
            lines.append(f"| `{system}` | {num_seeds} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def cell(estimates: list[dict[str, float]]) -> str:
    """Mean over seeds [lowest and highest end of an interval]."""
    if not estimates:
        return "–"
    mean = statistics.fmean(100 * e["value"] for e in estimates)
    known = [e for e in estimates if e["low"] is not None]
    if not known:
        return f"{mean:.1f}"
    low, high = min(e["low"] for e in known), max(e["high"] for e in known)
    return f"{mean:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    main()
