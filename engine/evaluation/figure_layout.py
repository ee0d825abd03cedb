"""How figures look and where their parts lie. Loads no matplotlib: the window asks it for heights.

Everything is measured in points from the upper left corner; in the window a point is a pixel.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.evaluation.bootstrap import Estimate
from engine.evaluation.results import Bars, Curves, HeatMaps, Plot, Points

SEPARATOR = " · "  # between the things that tell a group of bars
PAD, GAP = 8.0, 16.0
SWATCH = 10.0
MAX_LEGEND = 30
LETTER = 0.58  # mean width of a letter, in sizes of the font
BARS_HEIGHT, AXIS_WIDTH, AXIS_TOP = 236.0, 44.0, 30.0
CURVES_WIDTH, CURVES_HEIGHT = 300.0, 276.0
MIN_POINTS_WIDTH, MAX_POINTS_WIDTH = 220.0, 420.0
CELL_HEIGHT, MIN_CELL, MAX_CELL = 38.0, 46.0, 120.0
MAX_NAME_SHARE = 0.4  # of a heat map's width


@dataclass(frozen=True)
class Style:
    """Colours are ``#rrggbb``; ``font_pt`` is the size of all letters but the title's.

    ``names`` are words for inputs and panels, ``chance`` is what its line is called.
    """

    text: str = "#1c1a22"
    muted: str = "#625e6d"
    line: str = "#dedbe4"
    ground: str = "#ffffff"
    raised: str = "#eeecf2"
    empty: str = "#faf9fb"
    accent: str = "#6440c4"
    against: str = "#0a6b68"
    is_dark: bool = False
    font_family: str = "DejaVu Sans"
    font_pt: float = 11.0
    names: Mapping[str, str] = field(default_factory=dict)
    chance: str = "chance"

    @property
    def row(self) -> float:
        """From one line of text to the next."""
        return 1.4 * self.font_pt

    def name(self, text: str) -> str:
        """``mixture: overall`` in words."""
        source, _, rest = text.partition(": ")
        word = self.names.get(source, source)
        return f"{word}: {rest}" if rest else word

    def chance_width(self, plot: Bars | Curves) -> float:
        """Beside the box, for what the dashed line is called."""
        return 0.0 if plot.chance is None else self.width(self.chance)

    def width(self, text: str) -> float:
        """About as wide as the text will be."""
        wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
        return self.font_pt * (LETTER * (len(text) - wide) + wide)

    def fitted(self, text: str, width: float) -> str:
        """With dots at the end where it would be too wide."""
        if self.width(text) <= width + 1:
            return text
        num = max(1, int(len(text) * width / self.width(text)) - 1)
        return text[:num].rstrip() + "…"


class Frame(NamedTuple):
    left: float
    top: float
    width: float
    height: float

    def inside(self, left: float, top: float, right: float, bottom: float) -> Frame:
        return Frame(
            self.left + left, self.top + top, self.width - left - right, self.height - top - bottom
        )


def series_names(plot: Plot) -> list[str]:
    """What the legend names, in the order of its colours."""
    if isinstance(plot, Bars):
        return list(plot.series)
    if isinstance(plot, Curves):
        return list(dict.fromkeys(name for series in plot.panels.values() for name in series))
    if isinstance(plot, Points):
        return sorted({label for _, labels in plot.panels.values() for label in labels})
    return []


def legend_frames(names: Sequence[str], width: float, style: Style) -> list[Frame]:
    """A place for each name below the title; [] where there is no need, or no end of them."""
    if not 1 < len(names) <= MAX_LEGEND:
        return []
    frames, x, y = [], PAD, PAD + title_height(style)
    for name in names:
        needed = SWATCH + 6 + min(style.width(name), (width - 2 * PAD) / 2)
        if x > PAD and x + needed > width - PAD:
            x, y = PAD, y + style.row + 2
        frames.append(Frame(x, y, needed, style.row))
        x += needed + 16
    return frames


def title_height(style: Style) -> float:
    return 1.5 * style.row


def panel_frames(plot: Plot, width: float, style: Style) -> list[Frame]:
    """A place for each panel with its title and names, by rows."""
    legend = legend_frames(series_names(plot), width, style)
    top = legend[-1].top + style.row + 8 if legend else PAD + title_height(style)
    num_panels = 1 if isinstance(plot, Bars) else len(plot.panels)
    room = width - 2 * PAD
    columns, panel_width, panel_height = _panel_size(plot, num_panels, room, style)
    return [
        Frame(
            PAD + number % columns * (panel_width + GAP),
            top + number // columns * (panel_height + GAP),
            panel_width,
            panel_height,
        )
        for number in range(num_panels)
    ]


def _panel_size(plot: Plot, num_panels: int, room: float, style: Style) -> tuple[int, float, float]:
    """(columns, width, height) of panels in a width of ``room``."""
    if isinstance(plot, Bars):
        lines = max((group.count(SEPARATOR) + 1 for group in plot.groups), default=1)
        return 1, room, BARS_HEIGHT + lines * style.row
    if isinstance(plot, Curves):
        columns = _columns(num_panels, room, CURVES_WIDTH)
        return columns, (room - GAP * (columns - 1)) / columns, CURVES_HEIGHT + style.row
    if isinstance(plot, Points):
        columns = min(_columns(num_panels, room, MIN_POINTS_WIDTH), max(1, plot.num_columns))
        side = min(MAX_POINTS_WIDTH, (room - GAP * (columns - 1)) / columns)
        return columns, side, side + 2 * style.row + 6
    least = row_names_width(plot, room, style) + MIN_CELL * len(plot.labels)
    columns = _columns(num_panels, room, least)
    height = 2 * style.row + 8 + CELL_HEIGHT * len(plot.labels)
    return columns, (room - GAP * (columns - 1)) / columns, height


def _columns(num_panels: int, room: float, least: float) -> int:
    return max(1, min(num_panels, int((room + GAP) // (least + GAP))))


def row_names_width(plot: HeatMaps, width: float, style: Style) -> float:
    """Of the names at the left of a heat map that has ``width`` in all."""
    texts = [*plot.labels, *(text for rows in plot.row_notes.values() for text in rows)]
    widest = max((style.width(text) for text in texts), default=0.0) + 12
    return min(widest, width * MAX_NAME_SHARE)


def height(plot: Plot, width: float, style: Style) -> float:
    """Of the whole figure."""
    frames = panel_frames(plot, width, style)
    return max((f.top + f.height for f in frames), default=0.0) + PAD


def natural_width(plot: Plot) -> float:
    """For a report, where nobody says how wide: everything has room."""
    if isinstance(plot, Bars):
        return max(520.0, 46.0 * len(plot.series) * len(plot.groups) + 110)
    if isinstance(plot, Curves):
        return CURVES_WIDTH * max(1, len(plot.panels)) + 60
    if isinstance(plot, Points):
        return 260.0 * max(2, plot.num_columns)
    return (110.0 + 60 * len(plot.labels)) * max(1, min(3, len(plot.panels))) + 60


def axis_top(values: Sequence[float]) -> float:
    """A round number above all values: 10 % to 100 %."""
    largest = max((value for value in values if math.isfinite(value)), default=1.0)
    return next((t for t in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if largest <= t), 1.0)


def axis_step(top: float) -> float:
    """Between two lines of an axis that ends at ``top``: at most six of them."""
    return next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if top / step <= 6), 0.5)


def percent_text(estimate: Estimate) -> str:
    """``12.5 % (10.0 to 20.0)``."""
    if not math.isfinite(estimate.value):
        return "–"
    text = f"{100 * estimate.value:.1f} %"
    if not math.isfinite(estimate.low):
        return text
    return f"{text} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"
