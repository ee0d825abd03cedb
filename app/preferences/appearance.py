"""Light or dark."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QRadioButton, QVBoxLayout, QWidget

from app.parts import Parts
from app.theme import CHOICES
from app.widgets import label


class AppearanceSection(QWidget):
    def __init__(self, parts: Parts) -> None:
        super().__init__()
        texts = {
            "system": self.tr("As the system"),
            "light": self.tr("Light"),
            "dark": self.tr("Dark"),
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label(self.tr("Colours")))
        group = QButtonGroup(self)
        for choice in CHOICES:
            radio = QRadioButton(texts[choice])
            radio.setChecked(parts.theme.choice == choice)
            radio.clicked.connect(lambda _=False, choice=choice: parts.theme.choose(choice))
            group.addButton(radio)
            layout.addWidget(radio)
        layout.addStretch()
