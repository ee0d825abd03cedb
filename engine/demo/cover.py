"""Cover art from code: a sky, a sun, hills of waves."""

from __future__ import annotations

import colorsys
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = 320


def cover_png(seed: int) -> bytes:
    """A square RGB picture; the same seed gives the same bytes."""
    rng = np.random.default_rng([seed, 77])
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    hue = float(rng.random())
    top, bottom = _colour(hue, 0.55, 0.30), _colour(hue + 0.12, 0.60, 0.95)
    picture = top + (bottom - top) * y[..., None]
    centre_x, centre_y = rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.45)
    shapes = [(_colour(hue + 0.5, 0.25, 1.0), 0.16 - np.hypot(x - centre_x, y - centre_y))]
    for layer in range(4):
        waves = sum(rng.uniform(0.01, 0.035) * np.sin(2 * np.pi * (k * x + rng.random()))
                    for k in (1, 2, 3, 5))  # fmt: skip
        shade = _colour(hue + 0.05 * layer, 0.65, 0.62 - 0.13 * layer)
        shapes.append((shade, y - (0.55 + 0.11 * layer + waves)))
    for colour, inside in shapes:  # above 0; smooth over about a pixel
        picture += (colour - picture) * np.clip(0.5 + inside * SIZE, 0.0, 1.0)[..., None]
    png = io.BytesIO()
    Image.fromarray((255 * np.clip(picture, 0.0, 1.0)).astype(np.uint8)).save(png, "PNG")
    return png.getvalue()


def _colour(hue: float, saturation: float, value: float) -> NDArray[np.float64]:
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value))
