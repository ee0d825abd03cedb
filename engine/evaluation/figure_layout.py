"""How figures look and how large they are. Loads no matplotlib: the window asks it for heights.

Everything is measured in points; in the window a point is a pixel.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.evaluation.results import Bars, Curves, Plot, Points

SEPARATOR = " · "  # between the things that tell a group of bars
LETTER = 0.62  # mean width of a letter, in sizes of the font
MAX_LETTERS = 28  # of a name; longer ones end in dots
MAX_LEGEND = 30
BARS_HEIGHT, CURVES_WIDTH, CURVES_HEIGHT = 250.0, 300.0, 280.0
POINTS_WIDTH, MAX_POINTS_WIDTH, CELL_WIDTH, CELL_HEIGHT = 220.0, 420.0, 60.0, 40.0


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

    def name(self, text: str) -> str:
        """``mixture: overall`` in words."""
        source, _, rest = text.partition(": ")
        word = self.names.get(source, source)
        return f"{word}: {rest}" if rest else word

    def width(self, text: str) -> float:
        """About as wide as the text will be."""
        wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
        return self.font_pt * (LETTER * (len(text) - wide) + wide)


def shortened(text: str, max_letters: int = MAX_LETTERS) -> str:
    """With dots at the end where it would be too long."""
    return text if len(text) <= max_letters else text[: max_letters - 1].rstrip() + "…"


def series_names(plot: Plot) -> list[str]:
    """What the legend names, in the order of its colours."""
    if isinstance(plot, Bars):
        return list(plot.series)
    if isinstance(plot, Curves):
        return list(dict.fromkeys(name for series in plot.panels.values() for name in series))
    if isinstance(plot, Points):
        return sorted({label for _, labels in plot.panels.values() for label in labels})
    return []


def legend_names(names: Sequence[str], width: float, style: Style) -> list[str]:
    """As they fit into the width; [] where there is no need of a legend, or no end of it."""
    most = max(8, int(width / style.width("n")) - 6)
    return [shortened(name, most) for name in names] if 1 < len(names) <= MAX_LEGEND else []


def legend_columns(names: Sequence[str], width: float, style: Style) -> int:
    """So many of ``legend_names`` side by side."""
    longest = max(map(style.width, names), default=0.0) + 3 * style.font_pt
    return max(1, min(len(names), int(width // longest)))


def grid(plot: Plot, width: float) -> tuple[int, int]:
    """(rows, columns) of panels."""
    if isinstance(plot, Bars):
        return 1, 1
    if isinstance(plot, Points):
        most, least = plot.num_columns, POINTS_WIDTH
    elif isinstance(plot, Curves):
        most, least = len(plot.panels), CURVES_WIDTH
    else:
        most, least = len(plot.panels), CELL_WIDTH * (len(plot.labels) + 2)
    columns = max(1, min(most, int(width // least)))
    return math.ceil(len(plot.panels) / columns), columns


def height(plot: Plot, width: float, style: Style) -> float:
    """Of the whole figure: title, legend, and rows of panels with what names them."""
    names, line = legend_names(series_names(plot), width, style), 1.6 * style.font_pt
    head = (2.5 + math.ceil(len(names) / legend_columns(names, width, style))) * line
    rows, columns = grid(plot, width)
    if isinstance(plot, Bars):
        lines = max((group.count(SEPARATOR) + 1 for group in plot.groups), default=1)
        return head + BARS_HEIGHT + lines * line
    if isinstance(plot, Curves):
        return head + rows * CURVES_HEIGHT
    if isinstance(plot, Points):
        return head + rows * (min(width / columns, MAX_POINTS_WIDTH) + 2 * line)
    return head + rows * (CELL_HEIGHT * len(plot.labels) + 3 * line)
