"""Plots of results as matplotlib figures: the report's files, and what the window shows.

With a figure come marks: where each thing is and what it says, for those who point at it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import singledispatchmethod
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import Bbox

from engine.evaluation import figure_layout as layout
from engine.evaluation.bootstrap import Estimate
from engine.evaluation.colours import NUM_COLOURS, colour, text_on
from engine.evaluation.figure_layout import SEPARATOR, Style, shortened
from engine.evaluation.results import Bars, Column, Curves, HeatMaps, Points
from engine.evaluation.tables import cell_text

REPORT_STYLE, REPORT_WIDTH = Style(), 960.0
REPORT_DPI = 150
POINTS_PER_INCH = 72
PERCENT = Column("", "", "%")
# Beyond the number of colours, curves are told apart by dashes, points by their shape.
DASHES, SHAPES = ("-", "--", ":"), "os^Dv"
RADIUS, SMALL_RADIUS, MANY = 4.5, 2.6, 300  # of points; small where a panel has many
# For letters that the program's own font lacks; those that are installed are asked in turn.
FALLBACKS = (
    "DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "Yu Gothic", "Meiryo",
    "Microsoft YaHei", "Malgun Gothic", "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo",
    "Arial Unicode MS", "Segoe UI",
)  # fmt: skip

_drawing = Lock()  # matplotlib's settings, fonts and caches serve one thread at a time


class Mark(NamedTuple):
    """Something that can be pointed at, in points. ``series``: its place in the legend, or -1."""

    left: float
    top: float
    width: float
    height: float
    text: str
    series: int = -1


class Picture(NamedTuple):
    """A figure as pixels: RGBA, (height, width, 4) uint8."""

    pixels: np.ndarray
    marks: tuple[Mark, ...]


def save(plot: object, stem: Path, models: Sequence[str] = ()) -> None:
    """Write ``stem`` with .png and .svg added. Raises OSError.

    ``models``: all models of the report; each keeps its colour in every figure.
    """
    with _styled(REPORT_STYLE):
        figure = Drawing(plot, models).figure
        figure.savefig(stem.with_name(f"{stem.name}.png"), dpi=REPORT_DPI)
        figure.savefig(stem.with_name(f"{stem.name}.svg"), metadata={"Date": None})


def picture(
    plot: object, models: Sequence[str], style: Style, width: float, ratio: float
) -> Picture:
    """``ratio``: pixels for each point."""
    with _styled(style):
        drawing = Drawing(plot, models, style, width)
        marks = drawing.marks()
        drawing.figure.set_layout_engine("none")  # everything has its place by now
        drawing.figure.set_dpi(POINTS_PER_INCH * ratio)
        canvas = FigureCanvasAgg(drawing.figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        return Picture(np.array(canvas.buffer_rgba()), marks)  # type: ignore[no-untyped-call]


@contextmanager
def _styled(style: Style) -> Iterator[None]:
    installed = set(fontManager.get_font_names())
    settings: dict[Any, Any] = {
        "font.family": [f for f in (style.font_family, *FALLBACKS) if f in installed],
        "font.size": style.font_pt, "axes.titlesize": style.font_pt, "axes.titlelocation": "left",
        "axes.labelsize": style.font_pt, "legend.fontsize": style.font_pt,
        "text.color": style.text, "axes.titlecolor": style.text, "axes.labelcolor": style.muted,
        "xtick.labelcolor": style.muted, "ytick.labelcolor": style.muted,
        "xtick.labelsize": 0.9 * style.font_pt, "ytick.labelsize": 0.9 * style.font_pt,
        "xtick.major.size": 0, "ytick.major.size": 0, "axes.edgecolor": style.line,
        "axes.spines.left": False, "axes.spines.right": False, "axes.spines.top": False,
        "grid.color": style.line, "axes.axisbelow": True,
        "axes.facecolor": "none", "figure.facecolor": style.ground, "legend.frameon": False,
        "text.parse_math": False,  # names are no formulas
        "svg.hashsalt": "singalike",  # the same figure gives the same file
    }  # fmt: skip
    with _drawing, mpl.rc_context(settings):
        yield


class Drawing:
    """A figure of any plot of ``engine.evaluation.results``, ``width`` points wide.

    Raises TypeError for anything else.
    """

    def __init__(
        self,
        plot: Any,
        models: Sequence[str] = (),
        style: Style = REPORT_STYLE,
        width: float = REPORT_WIDTH,
    ) -> None:
        if not isinstance(plot, (Bars, Curves, HeatMaps, Points)):
            raise TypeError(f"no figure for {type(plot).__name__}")
        self.style = style
        self.height = layout.height(plot, width, style)
        size = (width / POINTS_PER_INCH, self.height / POINTS_PER_INCH)
        self.figure = Figure(size, dpi=POINTS_PER_INCH, layout="constrained")
        self.names = layout.series_names(plot)
        known = all(name in models for name in self.names)
        self.numbers = [models.index(n) if known else i for i, n in enumerate(self.names)]
        self.shapes = SHAPES if len(self.names) > NUM_COLOURS else SHAPES[:1]
        # (axes, box in their own coordinates, points around it, text, series)
        self._targets: list[tuple[Any, tuple[float, float, float, float], float, str, int]] = []
        rows, columns = layout.grid(plot, width)
        self._max_title = max(8, int(width / columns / style.width("n")) - 4)  # letters
        axes = self.figure.subplots(rows, columns, squeeze=False).ravel()
        for unused in axes[1 if isinstance(plot, Bars) else len(plot.panels) :]:
            unused.set_axis_off()
        self._has_points = isinstance(plot, Points)
        self._legend = self._add_legend(plot, width)
        self._fill(plot, axes)

    def marks(self) -> tuple[Mark, ...]:
        """Where things are, once everything has found its place; of points also the legend's."""
        self.figure.draw_without_rendering()
        found = []
        for series, text in enumerate(self._legend.texts if self._has_points else ()):
            box = text.get_window_extent().padded(4)
            found.append(self._mark(box, self.names[series], series))
        for axes, (x0, y0, x1, y1), around, text, series in self._targets:
            box = Bbox(axes.transData.transform([(x0, y0), (x1, y1)])).padded(around)
            found.append(self._mark(box, text, series))
        return tuple(found)

    def _mark(self, box: Bbox, text: str, series: int) -> Mark:
        left, right = sorted(box.intervalx)
        bottom, top = sorted(box.intervaly)
        return Mark(left, self.height - top, right - left, top - bottom, text, series)

    def _colour(self, series: int) -> str:
        return colour(self.numbers[series], is_dark=self.style.is_dark)

    def _add_legend(self, plot: Any, width: float) -> Any:
        """The title, and below it the names where there are several."""
        names = layout.legend_names(self.names, width, self.style)
        shapes = self.shapes if self._has_points else "s"
        handles = [
            Line2D([], [], marker=shapes[i % len(shapes)], markersize=9, linewidth=0,
                   color=self._colour(i), label=name)
            for i, name in enumerate(names)
        ]  # fmt: skip
        columns = layout.legend_columns(names, width, self.style)
        most = int(width / self.style.width("n") / 1.1)
        return self.figure.legend(
            handles=handles, loc="outside upper left", ncols=columns, alignment="left",
            title=shortened(plot.title, most), borderpad=0.2, handletextpad=0.2,
            title_fontproperties={"weight": "bold", "size": 1.1 * self.style.font_pt},
        )  # fmt: skip

    @singledispatchmethod
    def _fill(self, plot: Any, all_axes: Sequence[Any]) -> None:
        """Everything below title and legend."""

    @_fill.register
    def _(self, plot: Bars, all_axes: Sequence[Any]) -> None:
        axes = all_axes[0]
        parts = [[self.style.name(p) for p in group.split(SEPARATOR)] for group in plot.groups]
        names = ["\n".join(map(shortened, group)) for group in parts]
        axes.set_xticks(range(len(names)), names, color=self.style.text)
        axes.set_xlim(-0.5, max(len(names), 1) - 0.5)
        width = min(0.8 / max(1, len(plot.series)), 0.1 * len(names))
        for series, (name, estimates) in enumerate(plot.series.items()):
            left = (series - len(plot.series) / 2) * width
            for number, estimate in enumerate(estimates):
                if estimate is not None and math.isfinite(estimate.value):
                    said = SEPARATOR.join((name, *parts[number]))
                    box = (number + left, number + left + 0.88 * width)
                    self._bar(axes, box, estimate, series, said)
        self._scale(axes, plot)

    def _bar(
        self, axes: Any, box: tuple[float, float], estimate: Estimate, series: int, text: str
    ) -> None:
        left, right = box
        value = estimate.value
        whiskers = None
        if math.isfinite(estimate.low):
            whiskers = [[max(0.0, value - estimate.low)], [max(0.0, estimate.high - value)]]
        ground = self._colour(series)
        axes.bar(left, value, right - left, align="edge", color=ground, yerr=whiskers, capsize=3,
                 ecolor=self.style.text, error_kw={"elinewidth": 1.2})  # fmt: skip
        self._targets.append((axes, (left, 0, right, value), 0, _said(text, estimate), series))

    @_fill.register
    def _(self, plot: Curves, all_axes: Sequence[Any]) -> None:
        unit = plot.x_label.rpartition(", ")[2]
        for axes, (panel, curves) in zip(all_axes, plot.panels.items(), strict=False):
            axes.set_title(shortened(self.style.name(panel), self._max_title))
            axes.set_xscale("log")
            axes.set_xticks(plot.x, [f"{x:g}" for x in plot.x])
            axes.minorticks_off()
            axes.set_xlabel(plot.x_label)
            for name, estimates in curves.items():
                series = self.names.index(name)
                tone, number = self._colour(series), self.numbers[series]
                value, low, high = np.array([(e.value, e.low, e.high) for e in estimates]).T
                dash = DASHES[number // NUM_COLOURS % len(DASHES)]
                axes.fill_between(plot.x, low, high, color=tone, alpha=0.14, linewidth=0)
                axes.plot(plot.x, value, dash, color=tone, linewidth=2, marker="o", markersize=6)
                self._targets += [
                    (axes, (x, e.value, x, e.value), 5, _said(f"{name}{SEPARATOR}{x:g} {unit}", e),
                     series)
                    for x, e in zip(plot.x, estimates, strict=True) if math.isfinite(e.value)
                ]  # fmt: skip
            self._scale(axes, plot)

    def _scale(self, axes: Any, plot: Bars | Curves) -> None:
        """Lines with their numbers, what they count, and a dashed one at the chance."""
        if plot.chance is not None:
            axes.axhline(plot.chance, color=self.style.muted, dashes=(4, 3), linewidth=1.2)
            axes.annotate(self.style.chance, (1, plot.chance), (4, 0), ("axes fraction", "data"),
                          "offset points", color=self.style.muted, va="center")  # fmt: skip
        axes.set_ylim(0, min(axes.get_ylim()[1], 1.0))
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
        axes.set_ylabel(f"{plot.value_label}, %")
        axes.grid(axis="y")

    @_fill.register
    def _(self, plot: HeatMaps, all_axes: Sequence[Any]) -> None:
        for axes, (panel, rows) in zip(all_axes, plot.panels.items(), strict=False):
            num = len(plot.labels)
            values = np.array(rows, float).reshape(num, num)
            tones = heat_colours(self.style, values, plot.chance)
            axes.imshow([[mpl.colors.to_rgb(tone) for tone in row] for row in tones], aspect="auto")
            axes.set_xticks(range(num), map(shortened, plot.labels))
            axes.set_yticks(range(num), map(shortened, plot.row_notes.get(panel) or plot.labels))
            axes.xaxis.tick_top()
            axes.spines[:].set_visible(False)
            name = self.style.name(panel)
            axes.set_title(shortened(name, self._max_title))
            for line in np.arange(num + 1) - 0.5:
                axes.axhline(line, color=self.style.ground, linewidth=2)
                axes.axvline(line, color=self.style.ground, linewidth=2)
            for i, j in np.argwhere(np.isfinite(values)):
                shown = f"{100 * values[i, j]:.0f}"
                axes.text(j, i, shown, color=text_on(tones[i][j]), ha="center", va="center")
                said = f"{plot.labels[i]}{SEPARATOR}{plot.labels[j]}\n{name}: "
                said += f"{cell_text(float(values[i, j]), PERCENT)} %"
                self._targets.append((axes, (j - 0.5, i - 0.5, j + 0.5, i + 0.5), -1, said, -1))

    @_fill.register
    def _(self, plot: Points, all_axes: Sequence[Any]) -> None:
        for axes, (panel, (points, labels)) in zip(all_axes, plot.panels.items(), strict=False):
            title = shortened(self.style.name(panel), self._max_title)
            axes.set_title("\n".join(filter(None, (title, plot.captions.get(panel, "")))))
            axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
            axes.spines[:].set_visible(True)
            radius = RADIUS if len(points) <= MANY else SMALL_RADIUS
            series = np.array([self.names.index(label) for label in labels], int)
            for place, shape in enumerate(self.shapes):
                own = series % len(self.shapes) == place
                tones = [self._colour(number) for number in series[own]]
                axes.scatter(*np.asarray(points, float).reshape(-1, 2)[own].T, marker=shape,
                             s=(2 * radius) ** 2, c=tones, linewidths=0)  # fmt: skip
            for (x, y), name, number in zip(
                points, plot.names.get(panel, labels), series, strict=True
            ):
                label = self.names[number]
                said = name if label in name else f"{name}\n{label}"
                self._targets.append((axes, (x, y, x, y), radius, said, int(number)))


def heat_colours(style: Style, values: np.ndarray, chance: float | None = None) -> list[list[str]]:
    """``#rrggbb`` of each of (n, m) values: from the ground (0) to the accent (1).

    With a ``chance`` the ground is there, and what is worse goes to the accent's counterpart.
    """
    middle = chance or 0.0
    reach = np.where(values >= middle, 1 - middle, max(middle, 1e-9))
    ends = (style.against, style.raised, style.accent)
    tones = LinearSegmentedColormap.from_list("", ends).with_extremes(bad=style.empty)
    shares = np.ma.masked_invalid(0.5 + (values - middle) / reach / 2)
    return [[to_hex(tone) for tone in row] for row in tones(shares)]


def _said(text: str, estimate: Estimate) -> str:
    return f"{text}\n{cell_text(estimate, PERCENT)} %"
