"""Which model listens to which view, and which there are."""

from __future__ import annotations

import shutil

from PySide6.QtWidgets import QComboBox

from app.preferences.section import Card, Section
from app.services.services import Services
from app.ui.dialogs import confirm
from app.ui.layouts import clear_layout
from app.ui.text_format import file_size
from app.ui.widgets import button, label
from engine import models
from engine.models import ModelInfo
from engine.paths import resources_path
from engine.preferences import read_choices
from engine.records import View


class ModelsSection(Section):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._infos: list[ModelInfo] = []
        self._pickers: dict[View, QComboBox] = {}
        self.add_heading(self.tr("Which model listens"))
        self.add_note(
            self.tr(
                "A model turns what it hears into numbers that are near for songs that are alike. "
                "Two views of each song are kept: its voice alone, and its whole sound."
            )
        )
        self._add_picker("vocals", self.tr("Voice"))
        self._add_picker("overall", self.tr("Overall"))
        self.add_heading(self.tr("Models on this computer"))
        self._cards = self.add_cards()
        self.column.addStretch()
        self._read()

    def _add_picker(self, view: View, text: str) -> None:
        told = self.tr("Model for the view {view}").format(view=text)
        self._pickers[view] = picker = self.picker(told, {}, None, lambda _: self._picked(view))
        picker.setMinimumWidth(260)
        name = label(text)
        name.setMinimumWidth(80)
        self.add_row(name, picker)

    def _read(self) -> None:
        self.run(models.available, self._show)

    def _show(self, infos: list[ModelInfo]) -> None:
        self._infos = sorted(infos, key=lambda info: not info.views)  # those in use first
        for view, picker in self._pickers.items():
            picker.clear()
            for info in [info for info in self._infos if view in info.can_serve]:
                picker.addItem(info.title, info.name)
                if view in info.views:
                    picker.setCurrentIndex(picker.count() - 1)
        clear_layout(self._cards)
        for info in self._infos:
            self._cards.addWidget(self._card(info))

    def _card(self, info: ModelInfo) -> Card:
        facts = f"{file_size(info.size_bytes)} · {info.licence}"
        card = Card(self.theme, info.title, [info.description, facts])
        names = {"vocals": self.tr("voice"), "overall": self.tr("overall")}
        card.mark.setText(" · ".join(names[view] for view in info.views))
        if not info.folder.is_relative_to(resources_path()):
            delete = button(self.tr("Delete…"))
            delete.setEnabled(not info.views)
            if info.views:
                delete.setToolTip(self.tr("It is in use. Choose another model first."))
            delete.clicked.connect(lambda: self._ask_delete(info))
            card.add(delete)
        return card

    # Choosing

    def _picked(self, view: View) -> None:
        picker = self._pickers[view]
        chosen = next(info for info in self._infos if info.name == picker.currentData())
        if view in chosen.views:
            return
        before = next((info.name for info in self._infos if view in info.views), "")
        picker.setCurrentIndex(picker.findData(before))  # until it is confirmed
        self.ask_to_listen_again(
            self.tr("Listen with “{model}” from now on?").format(model=chosen.title),
            lambda: self._choose(view, chosen.name),
            is_vocals=view == "vocals",
        )

    def _choose(self, view: View, name: str) -> None:
        self.listen_otherwise(models={**read_choices().models, view: name})
        self._read()

    # Deleting

    def _ask_delete(self, info: ModelInfo) -> None:
        confirm(
            self,
            self.tr("Delete “{model}” from this computer?").format(model=info.title),
            self.tr("What it heard stays in the library. To use it again, it has to be put back."),
            self.tr("Delete"),
            lambda: self.run(lambda: shutil.rmtree(info.folder), then=self._read),
        )
