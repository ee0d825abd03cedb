"""Plots of results, by matplotlib (extra ``evaluation``). No state outside of a figure."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from engine.evaluation.bootstrap import Estimate
from engine.evaluation.colours import COLOURS, colour
from engine.evaluation.results import Bars, Curves, HeatMaps, Points

INK, SOFT, GRID = "#1f2933", "#5f6b76", "#e3e7eb"
ON_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
# Beyond the number of colours, series are told apart by these.
HATCHES, DASHES = ("", "///", "..."), ("-", "--", ":")
MARKERS = "os^Dv"
MAX_LEGEND = len(COLOURS) * len(MARKERS)
SEQUENTIAL = LinearSegmentedColormap.from_list("share", ["#f6f4fb", "#a98fdd", "#4a2391"])
DIVERGING = LinearSegmentedColormap.from_list(
    "against", ["#a85f00", "#efc187", "#f7f7f7", "#b9a5e3", "#4a2391"]
)
SETTINGS: Any = {
    "svg.hashsalt": "singalike",  # the same figure gives the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "axes.titlepad": 10,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "hatch.color": "white",
    "legend.frameon": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "font.size": 10,
    "text.color": INK,
}


def save(plot: object, stem: Path, models: Sequence[str] = ()) -> str:
    """Write ``stem`` with .png and .svg added; returns the SVG's text. Raises OSError.

    ``models``: all models of the report; each keeps its colour in every figure.
    """
    with mpl.rc_context(SETTINGS):
        figure = draw(plot, models)
        figure.savefig(stem.with_name(f"{stem.name}.png"), dpi=150)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    stem.with_name(f"{stem.name}.svg").write_text(buffer.getvalue(), encoding="utf-8")
    return buffer.getvalue()


@singledispatch
def draw(plot: object, models: Sequence[str]) -> Figure:
    """A figure of any plot of ``engine.evaluation.results``."""
    raise TypeError(f"no figure for {type(plot).__name__}")


@draw.register
def _(plot: Bars, models: Sequence[str]) -> Figure:
    num_series = len(plot.series)
    width_in = max(6.5, 0.62 * num_series * len(plot.groups) + 1.6)
    figure = Figure(figsize=(width_in, 4.3), layout="constrained")
    axes = figure.subplots()
    numbers = _numbers(plot.series, models)
    width = 0.84 / num_series
    for place, (name, estimates) in enumerate(plot.series.items()):
        offset = (place - (num_series - 1) / 2) * width
        known = [(g + offset, e) for g, e in enumerate(estimates) if e and math.isfinite(e.value)]
        at, values = [x for x, _ in known], [e for _, e in known]
        axes.bar(at, [100 * e.value for e in values], 0.92 * width, color=colour(numbers[name]),
                 hatch=HATCHES[numbers[name] // len(COLOURS) % len(HATCHES)],
                 yerr=_errors(values),
                 error_kw={"ecolor": INK, "capsize": 2.5, "elinewidth": 1})  # fmt: skip
        for x, estimate in known:
            top = 100 * np.nanmax([estimate.value, estimate.high])
            axes.annotate(f"{100 * estimate.value:.1f}", (x, top), xytext=(0, 3), fontsize=8,
                          textcoords="offset points", ha="center", color=INK,
                          bbox=ON_WHITE)  # fmt: skip
    axes.set_xticks(range(len(plot.groups)), plot.groups)
    axes.set_xlim(-0.5, len(plot.groups) - 0.5)
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel(f"{plot.value_label}, %")
    axes.set_ylim(0, 1.06 * max(axes.get_ylim()[1], 100 * (plot.chance or 0)))
    axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 100])
    axes.grid(axis="y")
    axes.set_title(plot.title)
    if plot.chance is not None:
        _mark_chance(axes, plot.chance)
    handles = [
        Patch(color=colour(n), hatch=HATCHES[n // len(COLOURS) % len(HATCHES)], label=name)
        for name, n in numbers.items()
        if name in plot.series
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(num_series, 6))
    return figure


@draw.register
def _(plot: Curves, models: Sequence[str]) -> Figure:
    figure = Figure(figsize=(3.9 * len(plot.panels) + 1.0, 4.3), layout="constrained")
    panels = figure.subplots(1, len(plot.panels), sharey=True, squeeze=False)[0]
    names = list(dict.fromkeys(name for series in plot.panels.values() for name in series))
    numbers = _numbers(names, models)
    for axes, (title, series) in zip(panels, plot.panels.items(), strict=True):
        for name, estimates in series.items():
            # Side by side, so that intervals can be told apart.
            x = _dodged(plot.x, names.index(name), len(names))
            axes.errorbar(x, [100 * e.value for e in estimates], yerr=_errors(list(estimates)),
                          color=colour(numbers[name]), linestyle=_dash(numbers[name]), marker="o",
                          markersize=4.5, linewidth=1.6, elinewidth=1.0, capsize=0)  # fmt: skip
        if plot.chance is not None:
            _mark_chance(axes, plot.chance, is_named=axes is panels[-1])
        axes.set_xscale("log")
        axes.set_xticks(plot.x, [f"{x:g}" for x in plot.x])
        axes.set_xticks([], minor=True)
        axes.set_xlabel(plot.x_label)
        axes.set_title(title, fontweight="normal", fontsize=11)
        axes.grid(axis="y")
    panels[0].set_ylabel(f"{plot.value_label}, %")
    panels[0].set_ylim(0, 103)
    _headline(figure, plot.title)
    handles = [
        Line2D([], [], color=colour(n), linestyle=_dash(n), marker="o", markersize=4.5, label=name)
        for name, n in numbers.items()
        if name in names
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(names), 6))
    return figure


@draw.register
def _(plot: HeatMaps, models: Sequence[str]) -> Figure:
    side = 0.72 * len(plot.labels) + 1.5
    num_columns = max(1, min(3, len(plot.panels)))
    figure, panels = _grid(len(plot.panels), num_columns, side + 0.3, side)
    colours = (SEQUENTIAL if plot.chance is None else DIVERGING).with_extremes(bad="#f2f3f5")
    image = None
    for axes, (title, rows) in zip(panels, plot.panels.items(), strict=False):
        values = 100 * np.array(rows)
        image = axes.imshow(values, cmap=colours, vmin=0, vmax=100)
        for i, j in np.argwhere(np.isfinite(values)):
            red, green, blue, _ = image.cmap(image.norm(values[i, j]))
            is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
            axes.text(j, i, f"{values[i, j]:.0f}", ha="center", va="center",
                      color="white" if is_dark else INK)  # fmt: skip
        ticks = range(len(plot.labels))
        axes.set_xticks(ticks, plot.labels, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_yticks(ticks, plot.row_notes.get(title) or plot.labels)
        axes.set_xticks(np.arange(len(plot.labels) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(plot.labels) - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.5)
        axes.tick_params(which="both", length=0, labelcolor=INK)
        axes.spines[:].set_visible(False)
        axes.set_title(title, fontweight="normal", fontsize=11)
    _headline(figure, plot.title)
    if image is not None:
        bar = figure.colorbar(image, ax=list(panels), shrink=0.7, aspect=24, label="%")
        bar.outline.set_visible(False)
    return figure


@draw.register
def _(plot: Points, models: Sequence[str]) -> Figure:
    names = sorted({name for _, labels in plot.panels.values() for name in labels})
    figure, panels = _grid(len(plot.panels), plot.num_columns, 2.9, 3.2)
    for axes, (title, (points, labels)) in zip(panels, plot.panels.items(), strict=False):
        for number, name in enumerate(names):
            own = points[np.array(labels) == name]
            axes.scatter(own[:, 0], own[:, 1], s=20, color=colour(number), linewidths=0,
                         marker=_marker(number, len(names)))  # fmt: skip
        caption = plot.captions.get(title)
        axes.set_title(title, fontweight="normal", fontsize=10, pad=18 if caption else 6)
        if caption:
            axes.annotate(caption, (0, 1), xycoords="axes fraction", xytext=(0, 5), fontsize=9,
                          textcoords="offset points", color=SOFT)  # fmt: skip
        axes.set(xticks=[], yticks=[], box_aspect=1)
        axes.margins(0.07)
        axes.spines[:].set(visible=True, color=GRID)
    _headline(figure, plot.title)
    if len(names) <= MAX_LEGEND:
        handles = [
            Line2D([], [], linestyle="", marker=_marker(i, len(names)), color=colour(i), label=name)
            for i, name in enumerate(names)
        ]
        num_columns = min(len(names), max(2, int(1.7 * plot.num_columns)))
        figure.legend(handles=handles, loc="outside lower center", ncols=num_columns, fontsize=9)
    return figure


def _grid(
    num_panels: int, num_columns: int, width_in: float, height_in: float
) -> tuple[Figure, Any]:
    """A figure and its panels by rows, those that are not needed hidden."""
    num_rows = -(-num_panels // num_columns)
    size = (width_in * num_columns + 0.8, height_in * num_rows + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
    for axes in panels[num_panels:]:
        axes.set_visible(False)
    return figure, panels


def _headline(figure: Figure, title: str) -> None:
    figure.suptitle(title, fontsize=12, fontweight="bold", color=INK, x=0.008, ha="left")


def _mark_chance(axes: Any, chance: float, is_named: bool = True) -> None:
    """A dashed line, named outside of the box, where nothing lies under the word."""
    axes.axhline(100 * chance, color=SOFT, linestyle=(0, (4, 3)), linewidth=1)
    if is_named:
        axes.annotate("chance", (1.0, 100 * chance), xytext=(4, 0), va="center", color=SOFT,
                      xycoords=("axes fraction", "data"), textcoords="offset points",
                      fontsize=9, annotation_clip=False)  # fmt: skip


def _numbers(names: Sequence[str] | Any, models: Sequence[str]) -> dict[str, int]:
    """The number by which each series gets its colour: its place among the models."""
    return {name: i for i, name in enumerate(dict.fromkeys([*models, *names]))}


def _dash(number: int) -> Any:
    return DASHES[number // len(COLOURS) % len(DASHES)]


def _marker(number: int, num_names: int) -> str:
    """Colour alone does for a few; further names differ in shape as well."""
    return "o" if num_names <= len(COLOURS) else MARKERS[number % len(MARKERS)]


def _dodged(x: Sequence[float], place: int, num_places: int) -> np.ndarray:
    """Positions on a logarithmic axis, moved by a share of its narrowest gap."""
    logs = np.log(x)
    gap = np.diff(logs).min(initial=1.0) if len(logs) > 1 else 1.0
    return np.asarray(np.exp(logs + 0.5 * gap * (place - (num_places - 1) / 2) / num_places))


def _errors(estimates: list[Estimate]) -> list[list[float]]:
    """Lengths of the whiskers below and above, in %; none where there is no interval."""
    below = [100 * max(0.0, e.value - e.low) if math.isfinite(e.low) else 0.0 for e in estimates]
    above = [100 * max(0.0, e.high - e.value) if math.isfinite(e.high) else 0.0 for e in estimates]
    return [below, above]
