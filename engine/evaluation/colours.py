"""Colours of series and groups, in light and in dark: those of figures, and of the window's map.

Hues are those of Okabe and Ito's set; lightness follows the ground. It was searched for so that
every colour stands out from the ground (3 : 1, WCAG 2) and any two differ for any kind of colour
vision: the tests compute both.
"""

from __future__ import annotations

import colorsys

# (hue in degrees, saturation, lightness on a light ground, lightness on a dark one)
_TONES = (
    (262, 0.55, 0.53, 0.66),  # the program's accent
    (36, 0.95, 0.40, 0.57),
    (166, 0.85, 0.26, 0.51),
    (327, 0.55, 0.58, 0.72),
    (202, 0.75, 0.47, 0.66),
    (10, 0.80, 0.31, 0.57),
    (54, 0.85, 0.25, 0.69),
    (220, 0.25, 0.31, 0.84),
)
NUM_COLOURS = len(_TONES)
TURN = 19  # degrees round the colour wheel, each time that all colours have been used
READABLE_LUMINANCE = 0.179  # where black and white are equally far away


def colour(number: int, *, is_dark: bool = False) -> str:
    """``#rrggbb`` of a series or group, from 0 on. After ``NUM_COLOURS`` they come back turned."""
    hue, saturation, on_light, on_dark = _TONES[number % NUM_COLOURS]
    turned = (hue + TURN * (number // NUM_COLOURS)) % 360 / 360
    rgb = colorsys.hls_to_rgb(turned, on_dark if is_dark else on_light, saturation)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)


def text_on(ground: str) -> str:
    """Black or white, whichever reads better: one of them has a contrast of 4.5 on anything."""
    red, green, blue = ((int(ground[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if luminance > READABLE_LUMINANCE else "#ffffff"
