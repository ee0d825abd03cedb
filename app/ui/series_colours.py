"""Colours of groups and series: points of the map, bars and curves of a report.

Hues are those of Okabe and Ito's set; lightness follows the theme. It was searched for so that
every tone stands out from the ground (3 : 1, WCAG 2) and any two differ for any kind of colour
vision: the tests compute both.
"""

from __future__ import annotations

import colorsys

from PySide6.QtGui import QColor

from app.ui.palette import DARK, Palette

# (hue in degrees, saturation, lightness on a light ground, lightness on a dark one)
_TONES = (
    (262, 0.55, 0.53, 0.66),  # the accent's
    (36, 0.95, 0.40, 0.57),
    (166, 0.85, 0.26, 0.51),
    (327, 0.55, 0.58, 0.72),
    (202, 0.75, 0.47, 0.66),
    (10, 0.80, 0.31, 0.57),
    (54, 0.85, 0.25, 0.69),
    (220, 0.25, 0.31, 0.84),
)
NUM_TONES = len(_TONES)
TURN = 19  # degrees round the colour wheel, each time that all tones have been used


def tone(palette: Palette, number: int) -> QColor:
    """The colour of a group or series, from 0 on. After ``NUM_TONES``, they come back turned."""
    hue, saturation, on_light, on_dark = _TONES[number % NUM_TONES]
    turned = (hue + TURN * (number // NUM_TONES)) % 360 / 360
    lightness = on_dark if palette is DARK else on_light
    return QColor.fromRgbF(*colorsys.hls_to_rgb(turned, lightness, saturation))
