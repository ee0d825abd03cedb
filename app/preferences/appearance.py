"""Light or dark, and how large."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QRadioButton

from app.preferences.section import Section
from app.services.services import Services
from app.settings import THEME
from app.ui.theme import CHOICES


class AppearanceSection(Section):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        texts = {
            "system": self.tr("As the system"),
            "light": self.tr("Light"),
            "dark": self.tr("Dark"),
        }
        self.add_heading(self.tr("Colours"))
        group = QButtonGroup(self)
        for choice in CHOICES:
            radio = QRadioButton(texts[choice])
            radio.setChecked(services.theme.choice == choice)
            radio.clicked.connect(lambda _=False, choice=choice: self._choose(choice))
            group.addButton(radio)
            self.column.addWidget(radio)
        self.add_note(
            self.tr("Sizes follow the display settings of the system; fonts are those it names.")
        )
        self.column.addStretch()

    def _choose(self, choice: str) -> None:
        self.theme.choose(choice)
        self.services.settings.set(THEME, choice)
