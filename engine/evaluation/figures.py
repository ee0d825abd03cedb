"""Plots of results as matplotlib figures: the report's files, and what the window shows.

A figure is drawn at a width in points. It keeps no state outside of itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from engine.evaluation import figure_layout as layout
from engine.evaluation.bootstrap import Estimate
from engine.evaluation.colours import NUM_COLOURS, mixed, text_on
from engine.evaluation.figure_layout import SEPARATOR, Frame, Style, percent_text
from engine.evaluation.figure_sheet import POINTS_PER_INCH, Mark, Sheet
from engine.evaluation.results import Bars, Curves, HeatMaps, Points

REPORT_STYLE = Style()
REPORT_DPI = 150
DASHES = ("-", "--", ":")  # beyond the number of colours, curves are told apart by these
MAX_BAR = 46.0
RADIUS, SMALL_RADIUS, MANY = 4.5, 2.6, 300  # of points; small where a panel has many
BAND_ALPHA = 0.14
GRID_Z, DATA_Z, TEXT_Z = 0.5, 2, 4

_drawing = Lock()  # matplotlib's fonts and caches serve one thread at a time


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure, its marks, and the boxes of its panels."""

    figure: Figure
    marks: tuple[Mark, ...]
    panels: tuple[Frame, ...]


class Picture(NamedTuple):
    """A drawing as pixels: RGBA, (height, width, 4) uint8."""

    pixels: np.ndarray
    marks: tuple[Mark, ...]
    panels: tuple[Frame, ...]


def save(plot: object, stem: Path, models: Sequence[str] = ()) -> None:
    """Write ``stem`` with .png and .svg added. Raises OSError.

    ``models``: all models of the report; each keeps its colour in every figure.
    """
    # The same figure gives the same file.
    with _drawing, mpl.rc_context({"svg.hashsalt": "singalike"}):
        figure = draw(plot, models).figure
        figure.savefig(stem.with_name(f"{stem.name}.png"), dpi=REPORT_DPI)
        figure.savefig(stem.with_name(f"{stem.name}.svg"), metadata={"Date": None})


def picture(
    plot: object, models: Sequence[str], style: Style, width: float, ratio: float
) -> Picture:
    """``ratio``: pixels for each point."""
    with _drawing:
        drawing = draw(plot, models, style, width)
        drawing.figure.set_dpi(POINTS_PER_INCH * ratio)
        canvas = FigureCanvasAgg(drawing.figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.array(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Picture(pixels, drawing.marks, drawing.panels)


def draw(
    plot: Any, models: Sequence[str] = (), style: Style = REPORT_STYLE, width: float | None = None
) -> Drawing:
    """A figure of any plot of ``engine.evaluation.results``. Raises TypeError for anything else."""
    if _fill.dispatch(type(plot)) is _fill.dispatch(object):
        raise TypeError(f"no figure for {type(plot).__name__}")
    sheet = Sheet(plot, models, style, width or layout.natural_width(plot))
    _fill(plot, sheet)
    return Drawing(sheet.figure, tuple(sheet.marks), tuple(sheet.panels))


# Kinds of plots


@singledispatch
def _fill(plot: object, sheet: Sheet) -> None:
    """Everything below title and legend."""


@_fill.register
def _(plot: Bars, sheet: Sheet) -> None:
    style, (frame,) = sheet.style, sheet.frames
    parts = [[style.name(part) for part in group.split(SEPARATOR)] for group in plot.groups]
    num_lines = max(map(len, parts), default=1)
    right = style.chance_width(plot)
    below = num_lines * style.row
    axes = sheet.axes(frame.inside(layout.AXIS_WIDTH, layout.AXIS_TOP, right, below))
    num_groups, slot = len(plot.groups), sheet.panels[-1].width / max(1, len(plot.groups))
    known = [e for estimates in plot.series.values() for e in estimates if e is not None]
    top = layout.axis_top([v for e in known for v in (e.value, e.high)] + [plot.chance or 0.0])
    axes.set(xlim=(-0.5, num_groups - 0.5), ylim=(0, top))
    names = ["\n".join(style.fitted(part, slot - 4) for part in group) for group in parts]
    sheet.name_ticks(axes.xaxis, range(num_groups), names, color=style.text)
    _percent_axis(axes, sheet, top, plot.value_label, plot.chance)
    step = min(0.8 / max(1, len(plot.series)), MAX_BAR / slot)
    for series, (name, estimates) in enumerate(plot.series.items()):
        left = (series - len(plot.series) / 2) * step
        for number, estimate in enumerate(estimates):
            if estimate is not None and math.isfinite(estimate.value):
                at = number + left + 0.44 * step
                text = f"{name}{SEPARATOR}{SEPARATOR.join(parts[number])}"
                _bar(axes, sheet, at, 0.88 * step, estimate, series, text)


def _bar(
    axes: Any, sheet: Sheet, at: float, width: float, estimate: Estimate, series: int, text: str
) -> None:
    """One bar with its interval, and its figure at the foot where there is room beside that."""
    style, ground = sheet.style, sheet.colour(series)
    axes.bar(at, estimate.value, width, color=ground, linewidth=0, zorder=DATA_Z)
    lowest = estimate.value
    if math.isfinite(estimate.low):
        lowest = estimate.low
        axes.errorbar(at, estimate.value, yerr=_whiskers([estimate]), ecolor=style.text, capsize=4,
                      elinewidth=1.4, capthick=1.4, zorder=DATA_Z + 1)  # fmt: skip
    box = sheet.box(axes, at - width / 2, 0, at + width / 2, estimate.value)
    sheet.marks.append(Mark(*box, f"{text}\n{percent_text(estimate)}", series))
    figure = f"{100 * estimate.value:.0f}"
    free = sheet.box(axes, 0, 0, 0, lowest).height
    if style.width(figure) + 2 <= box.width and free > style.row + 4:
        x, y = box.left + box.width / 2, box.top + box.height - 5
        sheet.write(x, y, figure, text_on(ground), ha="center", zorder=TEXT_Z)


@_fill.register
def _(plot: Curves, sheet: Sheet) -> None:
    estimates = [e for s in plot.panels.values() for es in s.values() for e in es]
    top = layout.axis_top([v for e in estimates for v in (e.value, e.high)] + [plot.chance or 0.0])
    style = sheet.style
    for frame, (name, series) in zip(sheet.frames, plot.panels.items(), strict=True):
        title = style.fitted(style.name(name), frame.width)
        sheet.write(frame.left, frame.top + style.row, title)
        above, below = layout.AXIS_TOP + 1.6 * style.row, 2.6 * style.row
        right = max(8.0, style.chance_width(plot))
        inner = frame.inside(layout.AXIS_WIDTH, above, right, below)
        axes = sheet.axes(inner)
        axes.set(xscale="log", ylim=(0, top), xlim=_log_limits(plot.x, inner.width))
        axes.xaxis.set_ticks([], minor=True)
        axes.set_xlabel(plot.x_label, color=style.muted, fontproperties=sheet.font)
        places, texts = _free_ticks(axes, sheet, plot.x)
        sheet.name_ticks(axes.xaxis, places, texts, color=style.muted)
        _percent_axis(axes, sheet, top, plot.value_label, plot.chance)
        for curve, values in series.items():
            _curve(axes, sheet, plot, curve, values)


def _curve(axes: Any, sheet: Sheet, plot: Curves, name: str, estimates: Sequence[Estimate]) -> None:
    series = sheet.names.index(name)
    tone, number = sheet.colour(series), sheet.numbers[series]
    known = [(x, e) for x, e in zip(plot.x, estimates, strict=True) if math.isfinite(e.value)]
    sure = [(x, e.low, e.high) for x, e in known if math.isfinite(e.low)]
    if sure:
        axes.fill_between(*zip(*sure, strict=True), color=tone, alpha=BAND_ALPHA, linewidth=0)
    places = np.array([(x, e.value) for x, e in known]).reshape(-1, 2)
    dash = DASHES[number // NUM_COLOURS % len(DASHES)]
    axes.plot(*places.T, color=tone, linestyle=dash, linewidth=2, marker="o", markersize=6.4,
              markeredgewidth=0, zorder=DATA_Z)  # fmt: skip
    unit = plot.x_label.rpartition(", ")[2]
    texts = [f"{name}{SEPARATOR}{x:g} {unit}\n{percent_text(e)}" for x, e in known]
    sheet.mark_dots(axes, places, 5, texts, [series] * len(known))


def _log_limits(x: Sequence[float], width: float) -> tuple[float, float]:
    """With 14 points free at both ends."""
    span = max(math.log(x[-1] / x[0]), 1e-9)
    spare = span * 14 / max(1.0, width - 28)
    return x[0] * math.exp(-spare), x[-1] * math.exp(spare)


def _free_ticks(axes: Any, sheet: Sheet, x: Sequence[float]) -> tuple[list[float], list[str]]:
    """Those of the values whose texts do not run into the one before."""
    places, texts, free_from = [], [], -math.inf
    for value in x:
        text = f"{value:g}"
        middle, half = sheet.box(axes, value, 0, value, 0).left, sheet.style.width(text) / 2
        if middle - half >= free_from:
            places.append(value)
            texts.append(text)
            free_from = middle + half + 6
    return places, texts


@_fill.register
def _(plot: HeatMaps, sheet: Sheet) -> None:
    style, num = sheet.style, len(plot.labels)
    for frame, (name, rows) in zip(sheet.frames, plot.panels.items(), strict=True):
        names_width = layout.row_names_width(plot, frame.width, style)
        cell = min(layout.MAX_CELL, (frame.width - names_width) / max(1, num))
        sheet.write(frame.left, frame.top + style.row, style.fitted(style.name(name), frame.width))
        top = frame.top + 2 * style.row + 8
        inner = Frame(frame.left + names_width, top, cell * num, layout.CELL_HEIGHT * num)
        axes = sheet.axes(inner)
        values = np.array(rows, dtype=float).reshape(num, num)
        tones = [[heat_colour(style, value, plot.chance) for value in row] for row in values]
        axes.imshow([[mpl.colors.to_rgb(tone) for tone in row] for row in tones], aspect="auto",
                    interpolation="nearest")  # fmt: skip
        for line in np.arange(num + 1) - 0.5:
            axes.axhline(line, color=style.ground, linewidth=2)
            axes.axvline(line, color=style.ground, linewidth=2)
        above = [style.fitted(label, cell - 6) for label in plot.labels]
        row_names = plot.row_notes.get(name) or plot.labels
        beside = [style.fitted(text, names_width - 10) for text in row_names]
        axes.xaxis.tick_top()
        sheet.name_ticks(axes.xaxis, range(num), above, color=style.muted)
        sheet.name_ticks(axes.yaxis, range(num), beside, color=style.muted)
        for i, j in np.argwhere(np.isfinite(values)):
            axes.text(j, i, f"{100 * values[i, j]:.0f}", color=text_on(tones[i][j]), ha="center",
                      va="center_baseline", fontproperties=sheet.font)  # fmt: skip
            text = f"{plot.labels[i]}{SEPARATOR}{plot.labels[j]}"
            text += f"\n{style.name(name)}: {100 * values[i, j]:.1f} %"
            box = sheet.box(axes, j - 0.5, i - 0.5, j + 0.5, i + 0.5)
            sheet.marks.append(Mark(*box.inside(1, 1, 1, 1), text))


def heat_colour(style: Style, value: float, chance: float | None = None) -> str:
    """From the ground (0) to the accent (1).

    With a ``chance`` the ground is there, and what is worse goes to the accent's counterpart.
    """
    if not math.isfinite(value):
        return style.empty
    middle = chance or 0.0
    is_above = value >= middle
    reach = 1 - middle if is_above else middle
    share = abs(value - middle) / max(reach, 1e-9)
    return mixed(style.raised, style.accent if is_above else style.against, share)


@_fill.register
def _(plot: Points, sheet: Sheet) -> None:
    style = sheet.style
    place = {name: number for number, name in enumerate(sheet.names)}
    for frame, (name, (points, labels)) in zip(sheet.frames, plot.panels.items(), strict=True):
        texts = (style.name(name), plot.captions.get(name, ""))
        for line, (text, tone) in enumerate(zip(texts, (style.text, style.muted), strict=True)):
            shown = style.fitted(text, frame.width)
            sheet.write(frame.left + 2, frame.top + (line + 0.9) * style.row, shown, tone)
        axes = sheet.axes(frame.inside(0, 2 * style.row + 6, 0, 0))
        axes.spines[:].set(visible=True, color=style.line)
        if len(points):
            series = [place[label] for label in labels]
            said = [_said(*pair) for pair in zip(plot.names.get(name, labels), labels, strict=True)]
            _scatter(axes, sheet, np.asarray(points, float), series, said)


def _scatter(
    axes: Any, sheet: Sheet, points: np.ndarray, series: list[int], texts: list[str]
) -> None:
    """Both axes at one scale, the points in the middle."""
    radius = RADIUS if len(points) <= MANY else SMALL_RADIUS
    middle = (points.min(0) + points.max(0)) / 2
    half = max(float(np.ptp(points, axis=0).max()) / 2, 1e-9) * 1.07
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    numbers = np.array(series)
    for place, shape in enumerate(sheet.shapes):
        own = numbers % len(sheet.shapes) == place
        tones = [sheet.colour(number) for number in numbers[own]]
        axes.scatter(*points[own].T, s=(2 * radius) ** 2, c=tones, marker=shape,
                     linewidths=0, zorder=DATA_Z)  # fmt: skip
    sheet.mark_dots(axes, points, radius, texts, series)


def _said(name: str, label: str) -> str:
    """What a point is; its label too, where the name does not tell."""
    return name if label in name else f"{name}\n{label}"


def _percent_axis(axes: Any, sheet: Sheet, top: float, label: str, chance: float | None) -> None:
    """Lines with their numbers, what they count, and a dashed one at ``chance``."""
    style, frame = sheet.style, sheet.panels[-1]
    step = layout.axis_step(top)
    places = [step * number for number in range(math.floor(top / step + 1e-9) + 1)]
    sheet.name_ticks(axes.yaxis, places, [f"{100 * y:.0f}" for y in places], color=style.muted)
    axes.yaxis.grid(color=style.line, linewidth=1, zorder=GRID_Z)
    axes.set_axisbelow(True)
    shown = style.fitted(f"{label}, %", frame.width + 30)
    sheet.write(frame.left - 30, frame.top - 12, shown, style.muted)
    if chance is not None:
        axes.axhline(chance, color=style.muted, linestyle=(0, (4, 3)), linewidth=1.2, zorder=TEXT_Z)
        left = axes.get_xlim()[0]
        at = sheet.box(axes, left, chance, left, chance).top
        beside = frame.left + frame.width + 4
        sheet.write(beside, at, style.chance, style.muted, va="center_baseline")


def _whiskers(estimates: list[Estimate]) -> list[list[float]]:
    """Lengths below and above."""
    return [[max(0.0, e.value - e.low) for e in estimates],
            [max(0.0, e.high - e.value) for e in estimates]]  # fmt: skip
