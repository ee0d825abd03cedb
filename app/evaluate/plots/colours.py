"""Colours of values: the cells of tables, and what is written on them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from app.ui.palette import Palette, contrast


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
