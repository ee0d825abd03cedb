"""Where one looks at the map: which of its points falls on which pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MARGIN = 0.92  # of the widget's smaller side, when all of the map is shown
MAX_ZOOM = 400.0  # times the scale at which all of it is shown


@dataclass(frozen=True)
class Camera:
    """Pixels here are device-independent.

    Attributes:
        x, y: the place on the map that is in the middle of the widget.
        scale: pixels for one unit of the map, whose points lie between -1 and 1.
        width, height: of the widget.
        tall: the map's height over its width; what lies between -1 and 1 is the width.
    """

    x: float
    y: float
    scale: float
    width: int
    height: int
    tall: float = 1.0

    @classmethod
    def fit(cls, width: int, height: int, tall: float = 1.0) -> Camera:
        """All of the map in sight."""
        return cls(0.0, 0.0, whole_scale(width, height, tall), width, height, tall)

    def pixels(self, positions: np.ndarray) -> np.ndarray:
        """(n, 2) places on the map -> (n, 2) float32 pixels."""
        left = self.width / 2 - self.x * self.scale
        top = self.height / 2 - self.y * self.scale
        return positions * np.float32(self.scale) + np.array([left, top], np.float32)

    def place(self, x_px: float, y_px: float) -> tuple[float, float]:
        """The place on the map below a pixel."""
        return (
            self.x + (x_px - self.width / 2) / self.scale,
            self.y + (y_px - self.height / 2) / self.scale,
        )

    def zoomed(self, factor: float, x_px: float, y_px: float) -> Camera:
        """Nearer by ``factor``, with the place below a pixel staying there."""
        least = whole_scale(self.width, self.height, self.tall)
        scale = min(max(self.scale * factor, 0.5 * least), MAX_ZOOM * least)
        x, y = self.place(x_px, y_px)
        return replace(
            self,
            x=x - (x_px - self.width / 2) / scale,
            y=y - (y_px - self.height / 2) / scale,
            scale=scale,
        )

    def moved(self, right_px: float, down_px: float) -> Camera:
        """The map drawn along by so many pixels; some of it always stays in sight."""
        x, y = self.x - right_px / self.scale, self.y - down_px / self.scale
        return replace(self, x=min(max(x, -1.1), 1.1), y=min(max(y, -1.1), 1.1))

    def resized(self, width: int, height: int) -> Camera:
        """The same part of the map in a widget of another size."""
        scale = self.nearness * whole_scale(width, height, self.tall)
        return replace(self, scale=scale, width=width, height=height)

    @property
    def nearness(self) -> float:
        """How much larger things are than where all of it is shown."""
        return self.scale / whole_scale(self.width, self.height, self.tall)

    def centred_on(self, x: float, y: float) -> Camera:
        return replace(self, x=x, y=y)


def whole_scale(width: int, height: int, tall: float) -> float:
    return MARGIN * max(1.0, min(width, height / max(tall, 0.1))) / 2
