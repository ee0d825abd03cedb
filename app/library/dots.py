"""What the dots beside songs mean, for those who see them for the first time."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from app.library.table_model import DOTS, TrackState
from app.ui.theme import Theme
from app.ui.widgets import SMALL, ElidedLabel, IconLabel

DOT_PX = 14
MET_FIRST = (TrackState.WAITING, TrackState.WHOLE_SONG, TrackState.READY, TrackState.NO_VOICE)


class DotLegend(QWidget):
    """Of those that one meets first; the table's header has all of them."""

    def __init__(self, theme: Theme, texts: Mapping[TrackState, str]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        for row, state in enumerate(MET_FIRST):
            text = ElidedLabel("muted", theme.font(SMALL))
            text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            text.setText(texts[state])
            grid.addWidget(IconLabel(theme, *DOTS[state], DOT_PX), row, 0)
            grid.addWidget(text, row, 1)
