"""The page of the map."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.parts import Parts
from app.widgets import HEADING, IconLabel, label


class MapPage(QWidget):
    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.setObjectName("page")
        icon = IconLabel(parts.theme, "map", "wave", 64)
        heading = label(
            self.tr("No map yet"), font=parts.theme.font(HEADING * 1.1, QFont.Weight.DemiBold)
        )
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addStretch(2)
        for widget in (icon, heading):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget)
        layout.addStretch(3)
