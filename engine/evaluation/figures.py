"""Plots of results, by matplotlib (extra ``evaluation``). No state outside of a figure."""

from __future__ import annotations

import io
import math
from functools import singledispatch
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from engine.evaluation.bootstrap import Estimate
from engine.evaluation.results import Bars, Curves, HeatMaps, Points

# Okabe and Ito: told apart by people with any kind of colour vision.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
MARKERS = "os^Dv"
MAX_LEGEND = 30
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


def save(plot: object, stem: Path) -> str:
    """Write ``stem`` with .png and .svg added; returns the SVG's text. Raises OSError."""
    with mpl.rc_context(SETTINGS):
        figure = draw(plot)
        figure.savefig(stem.with_name(f"{stem.name}.png"), dpi=150)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    stem.with_name(f"{stem.name}.svg").write_text(buffer.getvalue(), encoding="utf-8")
    return buffer.getvalue()


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
            _mark_chance(axes, plot.chance)
        axes.set_xticks(range(len(plot.groups)), plot.groups)
        axes.set_ylabel(f"{plot.value_label}, %")
        axes.set_ylim(bottom=0)
        axes.set_title(plot.title)
        axes.grid(axis="y", color="#ddd", linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=min(num_series, 5))
    return figure


@draw.register
def _(plot: Curves) -> Figure:
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(4.2 * len(plot.panels) + 0.6, 4.2), layout="constrained")
        panels = figure.subplots(1, len(plot.panels), sharey=True, squeeze=False)[0]
        names = list(dict.fromkeys(name for series in plot.panels.values() for name in series))
        for axes, (title, series) in zip(panels, plot.panels.items(), strict=True):
            for name, estimates in series.items():
                colour = _colour(names.index(name))
                axes.plot(plot.x, [100 * e.value for e in estimates], "o-", color=colour,
                          markersize=4, label=name)  # fmt: skip
                axes.fill_between(plot.x, [100 * e.low for e in estimates],
                                  [100 * e.high for e in estimates], color=colour, alpha=0.12,
                                  linewidth=0)  # fmt: skip
            if plot.chance is not None:
                _mark_chance(axes, plot.chance)
            axes.set_xscale("log")
            axes.set_xticks(plot.x, [f"{x:g}" for x in plot.x])
            axes.set_xticks([], minor=True)
            axes.set_xlabel(plot.x_label)
            axes.set_title(title, fontweight="normal")
            axes.grid(color="#ddd", linewidth=0.6)
        panels[0].set_ylabel(f"{plot.value_label}, %")
        panels[0].set_ylim(0, 102)
        figure.suptitle(plot.title, fontweight="bold", x=0.01, ha="left")
        _legend(figure, names)
    return figure


@draw.register
def _(plot: HeatMaps) -> Figure:
    with mpl.rc_context({**SETTINGS, "axes.spines.left": False, "axes.spines.bottom": False}):
        side = 0.75 * len(plot.labels) + 1.6
        num_columns = max(1, min(3, len(plot.panels)))
        num_rows = -(-len(plot.panels) // num_columns)
        figure = Figure(
            figsize=(side * num_columns + 1.2, side * num_rows + 0.4), layout="constrained"
        )
        panels = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
        for axes in panels[len(plot.panels) :]:
            axes.set_visible(False)
        colours = mpl.colormaps["viridis"].with_extremes(bad="#eee")
        image = None
        for axes, (title, rows) in zip(panels, plot.panels.items(), strict=False):
            values = 100 * np.array(rows)
            image = axes.imshow(values, cmap=colours, vmin=0, vmax=100)
            for i, j in np.argwhere(np.isfinite(values)):
                shade = "white" if values[i, j] < 48 else "black"
                axes.text(j, i, f"{values[i, j]:.0f}", ha="center", va="center", color=shade)
            ticks = range(len(plot.labels))
            notes = plot.row_notes.get(title)
            rows_text = notes or plot.labels
            axes.set_xticks(ticks, plot.labels, rotation=35, ha="right", rotation_mode="anchor")
            axes.set_yticks(ticks, rows_text)
            axes.tick_params(length=0)
            axes.set_title(title, fontweight="normal")
        figure.suptitle(plot.title, fontweight="bold", x=0.01, ha="left")
        if image is not None:
            figure.colorbar(image, ax=list(panels), shrink=0.8, label="%")
    return figure


@draw.register
def _(plot: Points) -> Figure:
    with mpl.rc_context(SETTINGS):
        names = sorted({name for _, labels in plot.panels.values() for name in labels})
        num_columns = plot.num_columns
        num_rows = -(-len(plot.panels) // num_columns)
        figure = Figure(figsize=(3.6 * num_columns, 3.6 * num_rows + 1), layout="constrained")
        panels = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
        for axes in panels[len(plot.panels) :]:
            axes.set_visible(False)
        for axes, (title, (points, labels)) in zip(panels, plot.panels.items(), strict=False):
            for number, name in enumerate(names):
                own = points[np.array(labels) == name]
                axes.scatter(own[:, 0], own[:, 1], s=18, color=_point_colour(number, len(names)),
                             marker=MARKERS[number // 10 % len(MARKERS)], linewidths=0)  # fmt: skip
            caption = plot.captions.get(title)
            axes.set_title(title + (f"\n{caption}" if caption else ""), fontweight="normal",
                           fontsize=10)  # fmt: skip
            axes.set(xticks=[], yticks=[], box_aspect=1)
            axes.spines[["left", "bottom"]].set_color("#ccc")
        figure.suptitle(plot.title, fontweight="bold", x=0.01, ha="left")
        if len(names) <= MAX_LEGEND:
            handles = [
                Line2D([], [], linestyle="", marker=MARKERS[i // 10 % len(MARKERS)],
                       color=_point_colour(i, len(names)), label=name)
                for i, name in enumerate(names)
            ]  # fmt: skip
            figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=9)
    return figure


def _mark_chance(axes: Any, chance: float) -> None:
    axes.axhline(100 * chance, color="#777", linestyle="--", linewidth=1)
    axes.annotate("chance", (1.0, 100 * chance), xycoords=("axes fraction", "data"), ha="right",
                  va="bottom", color="#555", fontsize=9)  # fmt: skip


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _point_colour(number: int, num_names: int) -> Any:
    return _colour(number) if num_names <= len(COLOURS) else mpl.colormaps["tab10"](number % 10)


def _legend(figure: Figure, names: list[str]) -> None:
    handles = [Line2D([], [], color=_colour(i), marker="o", label=n) for i, n in enumerate(names)]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(names), 5))


def _errors(estimates: list[Estimate]) -> list[list[float]]:
    """Lengths of the whiskers below and above, in %; none where there is no interval."""
    below = [100 * max(0.0, e.value - e.low) if math.isfinite(e.low) else 0.0 for e in estimates]
    above = [100 * max(0.0, e.high - e.value) if math.isfinite(e.high) else 0.0 for e in estimates]
    return [below, above]
