"""Cover art from code: a sky, a sun, hills of waves."""

from __future__ import annotations

import colorsys
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

SIZE = 320


def cover_png(seed: int) -> bytes:
    """A square RGB picture; the same seed gives the same bytes."""
    rng = np.random.default_rng([seed, 77])
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    hue = float(rng.random())
    sky = _mixed(_colour(hue, 0.55, 0.30), _colour(hue + 0.12, 0.60, 0.95), y**0.9)
    picture = sky
    centre_x, centre_y, radius = rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.45), 0.16
    distance = np.hypot(x - centre_x, y - centre_y)
    picture = _painted(picture, _colour(hue + 0.5, 0.25, 1.0), _edge(radius - distance))
    for ring in (0.22, 0.28, 0.34):
        band = _edge(0.004 - np.abs(distance - ring)) * 0.5
        picture = _painted(picture, _colour(hue + 0.5, 0.15, 1.0), band)
    for layer in range(4):
        waves = sum(
            rng.uniform(0.01, 0.035) * np.sin(2 * np.pi * (k * x + rng.random()))
            for k in (1, 2, 3, 5)
        )
        ground = y - (0.55 + 0.11 * layer + waves)
        shade = _colour(hue + 0.05 * layer, 0.65, 0.62 - 0.13 * layer)
        picture = _painted(picture, shade, _edge(ground))
    return _png(np.clip(255 * picture + rng.uniform(0, 1, (SIZE, SIZE, 1)), 0, 255))


def _colour(hue: float, saturation: float, value: float) -> NDArray[np.float64]:
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value))


def _edge(signed_distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 inside, 0 outside, smooth over about a pixel."""
    return np.clip(0.5 + signed_distance * SIZE, 0.0, 1.0)


def _mixed(
    top: NDArray[np.float64], bottom: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    return top + (bottom - top) * weight[..., None]


def _painted(
    picture: NDArray[np.float64], colour: NDArray[np.float64], cover: NDArray[np.float64]
) -> NDArray[np.float64]:
    return picture + (colour - picture) * cover[..., None]


def _png(pixels: NDArray[np.float64]) -> bytes:
    codec: Any = av.CodecContext.create("png", "w")
    codec.width = codec.height = SIZE
    codec.pix_fmt, codec.time_base = "rgb24", Fraction(1)
    frame = av.VideoFrame.from_ndarray(pixels.astype(np.uint8), format="rgb24")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])
