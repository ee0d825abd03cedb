"""How songs are played: where, how loud, and the separated vocals that are kept for it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox

from app.player.output import device_choices
from app.preferences.section import Card, Section
from app.services.services import Services
from app.settings import EQUALLY_LOUD, OUTPUT_DEVICE
from app.ui.dialogs import confirm
from app.ui.text_format import file_size
from app.ui.widgets import button, label


class PlaybackSection(Section):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.add_heading(self.tr("Playing songs"))
        self.devices = self._build_devices()
        self.add_row(label(self.tr("Play on")), self.devices)
        text, is_on = self.tr("Play all songs equally loud"), services.player.levels.is_on
        self.equally_loud = self.add_check(text, is_on, self._loudness_chosen)
        self.add_note(
            self.tr(
                "Then no voice seems better only because its song is louder. The files stay as "
                "they are."
            )
        )
        self.add_heading(self.tr("Vocals alone"))
        self.add_note(
            self.tr(
                "When you play the vocals of a song, they are kept, so that they need not be "
                "separated again the next time. What was used longest ago goes first."
            )
        )
        self.kept = self._build_kept()
        self.column.addStretch()
        self._read_size()

    # Where and how loud

    def _build_devices(self) -> QComboBox:
        picker = self.picker(self.tr("Sound device"), {}, None, self._device_chosen)
        picker.setMinimumWidth(280)
        picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        listed = self.services.player.device.listed
        listed.connect(self._show_devices, Qt.ConnectionType.QueuedConnection)
        return picker

    def showEvent(self, event: QShowEvent) -> None:
        """Devices come and go: which there are is asked when somebody looks."""
        super().showEvent(event)
        self._show_devices([])
        self.services.player.device.look()

    def _show_devices(self, names: list[str]) -> None:
        self.devices.clear()
        for name, text in device_choices(names, self.services.player.device.name):
            self.devices.addItem(text, name)
        self.devices.setCurrentIndex(self.devices.findData(self.services.player.device.name))

    def _device_chosen(self, name: str) -> None:
        self.services.player.device.choose(name)
        self.services.settings.set(OUTPUT_DEVICE, name)

    def _loudness_chosen(self, is_on: bool) -> None:
        self.services.player.set_levelled(is_on)
        self.services.settings.set(EQUALLY_LOUD, is_on)

    # The vocals that are kept

    def _build_kept(self) -> Card:
        card = Card(self.theme, self.tr("Kept vocals"), [])
        self._size = label("", "muted")
        self._clear = button(self.tr("Delete…"))
        self._clear.setEnabled(False)
        self._clear.clicked.connect(self._ask_clear)
        card.add(self._size)
        card.row.addWidget(self._clear)  # at the right
        self.column.addWidget(card)
        return card

    def _read_size(self) -> None:
        self.run(self.services.vocals.used_bytes, self._show_size)

    def _show_size(self, num_bytes: int) -> None:
        most = file_size(self.services.vocals.max_bytes)
        text = self.tr("{size} of at most {most}").format(size=file_size(num_bytes), most=most)
        self._size.setText(text if num_bytes else self.tr("None yet"))
        self._clear.setEnabled(num_bytes > 0)

    def _ask_clear(self) -> None:
        confirm(
            self,
            self.tr("Delete the vocals that are kept?"),
            self.tr("They are separated again when you next play them: some seconds a song."),
            self.tr("Delete"),
            lambda: self.run(self.services.vocals.clear, then=self._read_size),
        )
