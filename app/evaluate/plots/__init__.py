"""Plots of results, drawn by the window itself: crisp at any scale, in both themes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.evaluate.plots.bars import SEPARATOR, BarsWidget
from app.evaluate.plots.base import PlotWidget
from app.ui.theme import Theme

if TYPE_CHECKING:
    from engine.evaluation.results import Plot

__all__ = ["SEPARATOR", "PlotWidget", "plot_widget"]


def plot_widget(plot: Plot, theme: Theme, models: Sequence[str] = ()) -> PlotWidget:
    """The widget for any plot of ``engine.evaluation.results``.

    ``models``: of the whole report, so that each has one colour in all of its plots.
    """
    from app.evaluate.plots.curves import CurvesWidget
    from app.evaluate.plots.heat_maps import HeatMapsWidget
    from app.evaluate.plots.points import PointsWidget
    from engine.evaluation.results import Bars, Curves, HeatMaps

    if isinstance(plot, Bars):
        return BarsWidget(plot, theme, models)
    if isinstance(plot, Curves):
        return CurvesWidget(plot, theme, models)
    if isinstance(plot, HeatMaps):
        return HeatMapsWidget(plot, theme)
    return PointsWidget(plot, theme)
