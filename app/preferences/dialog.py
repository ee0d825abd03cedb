"""The dialog of the preferences: sections on the left, the chosen one on the right."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QStackedWidget, QWidget

from app.dialogs import Dialog
from app.parts import Parts
from app.preferences.appearance import AppearanceSection


class PreferencesDialog(Dialog):
    """What is changed here counts at once; there is nothing to confirm."""

    def __init__(self, parent: QWidget, parts: Parts) -> None:
        super().__init__(parent, parts.theme, self.tr("Preferences"), QSize(760, 560))
        self.sections = QListWidget()
        self.sections.setAccessibleName(self.tr("Sections"))
        self.sections.setFixedWidth(170)
        self._stack = QStackedWidget()
        for name, section in ((self.tr("Appearance"), AppearanceSection(parts)),):
            self.sections.addItem(name)
            self._stack.addWidget(section)
        self.sections.currentRowChanged.connect(self._stack.setCurrentIndex)
        self.sections.setCurrentRow(0)
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addWidget(self.sections)
        row.addWidget(self._stack, 1)
        self.body.addLayout(row)
        self.buttons.addStretch()
        self.add_button(self.tr("Close"), self.close)

    def choose(self, name: str) -> None:
        """Shows the section of that name."""
        (row,) = self.sections.findItems(name, Qt.MatchFlag.MatchExactly)
        self.sections.setCurrentItem(row)
