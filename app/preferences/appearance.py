"""Light or dark, in which language, and how large."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from PySide6.QtWidgets import QButtonGroup, QComboBox, QRadioButton

from app.preferences.section import Section
from app.services.services import Services
from app.settings import LANGUAGE, TEXT_SIZE, THEME, Option
from app.ui.language import LANGUAGES
from app.ui.theme import CHOICES

T = TypeVar("T", float, str)
TEXT_SIZES = (0.9, 1.0, 1.15, 1.3, 1.5)


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
        languages = {"system": texts["system"], **LANGUAGES}
        sizes = {size: f"{100 * size:.0f} %" for size in TEXT_SIZES}
        self.language = self._add_choice(self.tr("Language"), languages, LANGUAGE)
        self.text_size = self._add_choice(self.tr("Text size"), sizes, TEXT_SIZE)
        self.add_note(self.tr("Language and text size change when Singalike starts the next time."))
        self.column.addStretch()

    def _add_choice(self, name: str, choices: dict[T, str], option: Option[T]) -> QComboBox:
        settings = self.services.settings
        self.add_heading(name)
        use = partial(settings.set, option)
        picker = self.picker(name, choices, settings.get(option), use)
        self.add_row(picker)
        return picker

    def _choose(self, choice: str) -> None:
        self.theme.choose(choice)
        self.services.settings.set(THEME, choice)
