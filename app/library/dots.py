"""What the dots beside songs mean, for those who see them for the first time."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from app.library.table_model import DOTS, TrackState
from app.ui.theme import Theme
from app.ui.widgets import SMALL, ElidedLabel, IconLabel

DOT_PX = 14
MET_FIRST = (TrackState.WAITING, TrackState.WHOLE_SONG, TrackState.READY, TrackState.NO_VOICE)


def dot_legend(theme: Theme, texts: Mapping[TrackState, str]) -> QWidget:
    """Of those that one meets first; the table's header has all of them."""
    legend = QWidget()
    grid = QGridLayout(legend)
    for row, state in enumerate(MET_FIRST):
        text = ElidedLabel("muted", theme.font(SMALL))
        text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        text.setText(texts[state])
        grid.addWidget(IconLabel(theme, *DOTS[state], DOT_PX), row, 0)
        grid.addWidget(text, row, 1)
    return legend
