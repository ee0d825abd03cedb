"""Where songs are looked for, and whether what is new there is noticed."""

from __future__ import annotations

from PySide6.QtCore import Signal

from app.preferences.section import Section
from app.services.services import Services
from app.settings import WATCH_FOLDERS
from app.ui.widgets import button


class FoldersSection(Section):
    folders_requested = Signal()
    watch_changed = Signal(bool)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.add_heading(self.tr("Folders"))
        self.add_note(
            self.tr("Singalike looks for songs in these folders and all folders inside them.")
        )
        folders = button(self.tr("See, add or remove folders…"))
        folders.clicked.connect(self.folders_requested)
        self.add_row(folders)
        text = self.tr("Notice new and changed songs by itself")
        self.watch = self.add_check(text, services.settings.get(WATCH_FOLDERS), self._watch_toggled)
        self.column.addStretch()

    def _watch_toggled(self, is_on: bool) -> None:
        self.services.settings.set(WATCH_FOLDERS, is_on)
        self.watch_changed.emit(is_on)
