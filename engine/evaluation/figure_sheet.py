"""A matplotlib figure to draw on, measured in points from its upper left corner.

With it come marks: where each thing is and what it says, for those who point at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.lines import Line2D

from engine.evaluation import figure_layout as layout
from engine.evaluation.colours import NUM_COLOURS, colour
from engine.evaluation.figure_layout import PAD, SWATCH, Frame, Style
from engine.evaluation.results import Points

POINTS_PER_INCH = 72
MARKERS = "os^Dv"  # beyond the number of colours, points are told apart by their shape
# For letters that the program's own font lacks; those that are installed are asked in turn.
FALLBACKS = (
    "DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "Yu Gothic", "Meiryo",
    "Microsoft YaHei", "Malgun Gothic", "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo",
    "Arial Unicode MS", "Segoe UI",
)  # fmt: skip


class Mark(NamedTuple):
    """Something that can be pointed at, in points. ``series``: its place in the legend, or -1."""

    left: float
    top: float
    width: float
    height: float
    text: str
    series: int = -1


class Sheet:
    """A figure to draw on, measured in points from its upper left corner."""

    def __init__(self, plot: Any, models: Sequence[str], style: Style, width: float) -> None:
        self.style = style
        self.width, self.height = width, layout.height(plot, width, style)
        size = (width / POINTS_PER_INCH, self.height / POINTS_PER_INCH)
        self.figure = Figure(figsize=size, dpi=POINTS_PER_INCH, facecolor=style.ground)
        self.marks: list[Mark] = []
        self.panels: list[Frame] = []
        self.names = layout.series_names(plot)
        known = all(name in models for name in self.names)
        self.numbers = [models.index(n) if known else i for i, n in enumerate(self.names)]
        self.frames = layout.panel_frames(plot, width, style)
        installed = set(fontManager.get_font_names())
        families = dict.fromkeys((style.font_family, *FALLBACKS))
        self.families = [family for family in families if family in installed]
        title_style = FontProperties(family=self.families, size=1.1 * style.font_pt, weight="bold")
        title = style.fitted(plot.title, (width - 2 * PAD) / 1.2)
        self.write(PAD, PAD + 1.1 * style.font_pt, title, font=title_style)
        self.shapes = MARKERS if len(self.names) > NUM_COLOURS else MARKERS[:1]
        is_of_points = isinstance(plot, Points)
        self._draw_legend(self.shapes if is_of_points else "s", has_all_marks=is_of_points)

    def colour(self, series: int) -> str:
        return colour(self.numbers[series], is_dark=self.style.is_dark)

    def write(
        self, x: float, y: float, text: str, tone: str = "", *, font: Any = None, **where: Any
    ) -> None:
        """``y`` is that of the base line, unless ``where`` says otherwise."""
        self.figure.text(
            x / self.width, 1 - y / self.height, text, color=tone or self.style.text,
            fontproperties=font or self.font, parse_math=False, **where,
        )  # fmt: skip

    @property
    def font(self) -> FontProperties:
        return FontProperties(family=self.families, size=self.style.font_pt)

    def axes(self, frame: Frame) -> Any:
        """Without ticks and lines of its own."""
        axes = self.figure.add_axes(
            (
                frame.left / self.width,
                1 - (frame.top + frame.height) / self.height,
                frame.width / self.width,
                frame.height / self.height,
            ),
            facecolor="none",
        )
        axes.spines[:].set_visible(False)
        axes.set(xticks=[], yticks=[])
        self.panels.append(frame)
        return axes

    def name_ticks(
        self, axis: Any, places: Sequence[float], texts: Sequence[str], **how: Any
    ) -> None:
        axis.set_ticks(places, texts, fontproperties=self.font, parse_math=False, **how)
        axis.set_tick_params(length=0)

    def box(self, axes: Any, x0: float, y0: float, x1: float, y1: float) -> Frame:
        """Where a box in the axes' own coordinates lies."""
        (left, bottom), (right, top) = axes.transData.transform([(x0, y0), (x1, y1)])
        left, right = min(left, right), max(left, right)
        bottom, top = min(bottom, top), max(bottom, top)
        return Frame(left, self.height - top, right - left, top - bottom)

    def mark_dots(
        self, axes: Any, places: np.ndarray, radius: float, texts: Sequence[str], series: Any
    ) -> None:
        """``places`` (n, 2) in the axes' own coordinates."""
        for (x, y), text, own in zip(axes.transData.transform(places), texts, series, strict=True):
            at = (float(x) - radius, self.height - float(y) - radius, 2 * radius, 2 * radius)
            self.marks.append(Mark(*at, text, own))

    def _draw_legend(self, shapes: str, *, has_all_marks: bool) -> None:
        style = self.style
        frames = layout.legend_frames(self.names, self.width, style)
        for series, frame in enumerate(frames):
            middle = frame.top + frame.height / 2
            at = ((frame.left + SWATCH / 2) / self.width, 1 - middle / self.height)
            self.figure.add_artist(
                Line2D(
                    [at[0]], [at[1]], marker=shapes[series % len(shapes)], markersize=SWATCH,
                    color=self.colour(series), markeredgewidth=0, transform=self.figure.transFigure,
                )
            )  # fmt: skip
            name = self.names[series]
            shown = style.fitted(name, frame.width - SWATCH - 6)
            self.write(frame.left + SWATCH + 6, middle, shown, va="center_baseline")
            if has_all_marks or shown != name:
                self.marks.append(Mark(*frame, name, series))
