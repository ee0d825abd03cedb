"""What each choice of a recipe is worth: short runs, each with one choice switched off.

    python benchmarks/ablation.py RUNS --data DATA [--data MORE] --batches 200 --seeds 0 1

Runs that RUNS holds already are not made again, so it can be stopped, and seeds be added. Then a
table (Markdown): error rates on the voices kept for validation, in percent, each switch against
the recipe with the same seeds. The recipe's spread over its seeds is the noise: a difference of
that size says nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

SWITCHES: dict[str, tuple[str, ...]] = {
    "base": (),
    "no-teacher": ("distil.teacher=",),
    "no-contrast": ("loss.weight=0.0",),
    "same-segment": ("pairs.same=segment",),
    "no-artificial": ("pairs.artificial=0.0", "pairs.positive_artificial=0.0"),
    "mix-paper": ("pairs.mix=paper",),
    "bilinear": ("loss.head=bilinear",),
    "no-mask": ("loss.mask_same_artist=false",),
    "one-way": ("loss.symmetric=false",),
    "no-eq": ("augment.eq_db=0.0", "augment.level_db=0.0"),
    "mean-pool": ("encoder.pooling=mean",),
    "balance-1": ("pairs.balance=1.0",),
    "no-speeds": ("augment.voice_steps=0",),
    "excerpt-3s": ("encoder.excerpt_samples=48000",),
}
FIGURES = ("eer_vocals", "eer_mixture", "mnr_vocals", "mnr_mixture")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path, help="folder for the runs")
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--system", default="singalike")
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--switches", nargs="+", choices=SWITCHES, default=list(SWITCHES))
    parser.add_argument("--table", action="store_true", help="only of what there is")
    arguments = parser.parse_args()
    for seed in () if arguments.table else arguments.seeds:
        for name in arguments.switches:
            train(arguments, name, seed)
    print(table(arguments.runs))


def train(arguments: argparse.Namespace, name: str, seed: int) -> None:
    folder = arguments.runs / f"{name}.{seed}"
    settings = [
        f"seed={seed}",
        f"optim.num_pairs={arguments.pairs}",
        f"optim.num_batches={arguments.batches}",
        f"optim.validate_every={arguments.batches}",
        f"optim.warmup_batches={max(1, round(0.15 * arguments.batches))}",
        *SWITCHES[name],
    ]
    command = [sys.executable, "-m", "training", "run", "-s", arguments.system, "-o", str(folder)]
    for data in arguments.data:
        command += ["--data", str(data)]
    for setting in settings:
        command += ["--set", setting]
    command += ["--precision", "float32", "--log-every", "5"]
    subprocess.run(command, check=True)


def table(runs: Path) -> str:
    """Mean over seeds of each figure, and its difference from the recipe with the same seeds."""
    found = {name: results(runs, name) for name in SWITCHES}
    base = found["base"]
    lines = ["| | seeds | " + " | ".join(FIGURES) + " |", "| --- " * (len(FIGURES) + 2) + "|"]
    for name, of_seed in found.items():
        seeds = sorted(set(of_seed) & set(base))
        cells = [cell(base if name == "base" else of_seed, base, seeds, key) for key in FIGURES]
        if seeds:
            lines.append(f"| {name} | {len(seeds)} | " + " | ".join(cells) + " |")
    spreads = [spread([figures[key] for figures in base.values()]) for key in FIGURES]
    return "\n".join([*lines, f"| spread of base | {len(base)} | " + " | ".join(spreads) + " |"])


def results(runs: Path, name: str) -> dict[int, dict[str, float]]:
    """The last validation of each finished run, by seed."""
    found = {}
    for path in runs.glob(f"{name}.*/metrics.jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        validations = [line for line in lines if line["kind"] == "valid"]
        if validations:
            found[int(path.parent.suffix[1:])] = validations[-1]
    return found


def cell(
    own: dict[int, dict[str, float]], base: dict[int, dict[str, float]], seeds: list[int], key: str
) -> str:
    if not seeds:
        return ""
    mean = statistics.fmean(own[seed][key] for seed in seeds)
    difference = mean - statistics.fmean(base[seed][key] for seed in seeds)
    return f"{mean:.1f}" if own is base else f"{mean:.1f} ({difference:+.1f})"


def spread(values: list[float]) -> str:
    return f"± {statistics.stdev(values):.1f}" if len(values) > 1 else ""


if __name__ == "__main__":
    main()
