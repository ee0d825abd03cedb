"""Colours of series: apart from each other for any kind of colour vision, legible in both themes.

Hues are those of Okabe and Ito's set; lightness follows the theme, so that all of them stand out
from the ground.
"""

from __future__ import annotations

import colorsys

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from app.palette import Palette, contrast, luminance

# (hue in degrees, saturation, lightness on a light ground, lightness on a dark one)
_SERIES = (
    (262, 0.55, 0.50, 0.76),  # the accent's
    (36, 0.95, 0.44, 0.58),
    (166, 0.85, 0.31, 0.52),
    (327, 0.50, 0.55, 0.72),
    (202, 0.75, 0.46, 0.64),
    (14, 0.80, 0.42, 0.62),
    (58, 0.80, 0.36, 0.68),
    (230, 0.15, 0.35, 0.80),
)
NUM_SERIES = len(_SERIES)
DARK_GROUND = 0.2  # of relative luminance


def series_colour(palette: Palette, number: int) -> QColor:
    """They repeat after eight, each time a little further round the colour wheel."""
    hue, saturation, on_light, on_dark = _SERIES[number % NUM_SERIES]
    lightness = on_dark if luminance(palette.surface) < DARK_GROUND else on_light
    turned = (hue + 19 * (number // NUM_SERIES)) % 360 / 360
    red, green, blue = colorsys.hls_to_rgb(turned, lightness, saturation)
    return QColor.fromRgbF(red, green, blue)


def heat_colour(palette: Palette, value: float, chance: float | None = None) -> QColor:
    """From the ground (0) to the accent (1).

    With a ``chance`` the ground is there, and what is worse goes to the accent's counterpart.
    """
    middle = chance or 0.0
    end = QColor(palette.accent if value >= middle else palette.overall)
    reach = 1 - middle if value >= middle else middle
    share = min(1.0, abs(value - middle) / reach)
    ground = QColor(palette.raised)
    parts = (
        ground.redF() + share * (end.redF() - ground.redF()),
        ground.greenF() + share * (end.greenF() - ground.greenF()),
        ground.blueF() + share * (end.blueF() - ground.blueF()),
    )
    return QColor.fromRgbF(*(min(1.0, max(0.0, part)) for part in parts))


def text_on(ground: QColor) -> QColor:
    """Black or white, whichever reads better: one of them has a contrast of 4.5 on anything."""
    options = (QColor(Qt.GlobalColor.black), QColor(Qt.GlobalColor.white))
    return max(options, key=lambda colour: contrast(colour.name(), ground.name()))
