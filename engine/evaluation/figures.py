"""Plots of results, by matplotlib (extra ``evaluation``). No state outside of a figure."""

from __future__ import annotations

import math
from functools import singledispatch
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from engine.evaluation.bootstrap import Estimate
from engine.evaluation.results import Bars

# Okabe and Ito: told apart by people with any kind of colour vision.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
SETTINGS: Any = {
    "svg.hashsalt": "singalike",  # the same figure gives the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "font.size": 10,
}


@singledispatch
def draw(plot: object) -> Figure:
    """A figure of any plot of ``engine.evaluation.results``."""
    raise TypeError(f"no figure for {type(plot).__name__}")


@draw.register
def _(plot: Bars) -> Figure:
    with mpl.rc_context(SETTINGS):
        num_series = len(plot.series)
        figure = Figure(
            figsize=(max(6.0, 0.55 * num_series * len(plot.groups) + 2.5), 4.2),
            layout="constrained",
        )
        axes = figure.subplots()
        width = 0.8 / num_series
        for number, (name, estimates) in enumerate(plot.series.items()):
            offset = (number - (num_series - 1) / 2) * width
            colour = COLOURS[number % len(COLOURS)]
            known = [
                (g + offset, e) for g, e in enumerate(estimates) if e and math.isfinite(e.value)
            ]
            positions = [position for position, _ in known]
            axes.bar(
                positions,
                [100 * e.value for _, e in known],
                width * 0.92,
                color=colour,
                label=name,
                yerr=_errors([e for _, e in known]),
                error_kw={"ecolor": "#333", "capsize": 3, "elinewidth": 1},
            )
        if plot.chance is not None:
            axes.axhline(100 * plot.chance, color="#777", linestyle="--", linewidth=1)
            axes.annotate("chance", (1.0, 100 * plot.chance), xycoords=("axes fraction", "data"),
                          ha="right", va="bottom", color="#555", fontsize=9)  # fmt: skip
        axes.set_xticks(range(len(plot.groups)), plot.groups)
        axes.set_ylabel(f"{plot.value_label}, %")
        axes.set_ylim(bottom=0)
        axes.set_title(plot.title)
        axes.grid(axis="y", color="#ddd", linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=min(num_series, 5))
    return figure


def _errors(estimates: list[Estimate]) -> list[list[float]]:
    """Lengths of the whiskers below and above, in %; none where there is no interval."""
    below = [100 * max(0.0, e.value - e.low) if math.isfinite(e.low) else 0.0 for e in estimates]
    above = [100 * max(0.0, e.high - e.value) if math.isfinite(e.high) else 0.0 for e in estimates]
    return [below, above]
