"""Which catalogue to open: a folder of this computer, or an address."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.dialogs import Dialog
from app.ui.file_dialogs import Mode, open_file_dialog
from app.ui.theme import Theme
from app.ui.widgets import label


class CatalogueDialog(Dialog):
    chosen = Signal(str)  # a folder or an address

    def __init__(self, parent: QWidget, theme: Theme, place: str) -> None:
        super().__init__(parent, theme, self.tr("Open a catalogue"), QSize(560, 200))
        text = self.tr(
            "An archive that singalike-catalogue has listened to. Its songs are shown in the place "
            "of your library’s, and nothing in it is changed."
        )
        self.place = QLineEdit(place)
        self.place.setPlaceholderText(self.tr("A folder, or an address as s3://bucket/catalogue"))
        self.place.setAccessibleName(self.tr("Folder or address of the catalogue"))
        self.body.addWidget(label(text, role="muted", wrap=True))
        self.body.addWidget(self.place)
        self.body.addStretch()
        self.add_button(self.tr("Choose a folder…"), self._choose)
        self.buttons.addStretch()
        self.add_button(self.tr("Cancel"), self.close)
        self._open = self.add_button(self.tr("Open"), self._done, "primary")
        self.place.textChanged.connect(self._text_changed)
        self.place.returnPressed.connect(self._done)
        self._text_changed(place)

    def _text_changed(self, text: str) -> None:
        self._open.setEnabled(bool(text.strip()))

    def _choose(self) -> None:
        dialog = open_file_dialog(self, self.tr("Choose a catalogue"), Mode.Directory)
        dialog.fileSelected.connect(self.place.setText)

    def _done(self) -> None:
        if place := self.place.text().strip():
            self.chosen.emit(place)
            self.close()
