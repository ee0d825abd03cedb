"""Dialogs of folders, of files that could not be read, and of catalogues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from app.services.open_library import Overview
from app.services.services import Services
from app.ui.dialogs import Dialog, Mode, confirm, open_file_dialog
from app.ui.language import spoken
from app.ui.text_format import num_songs, one_line
from app.ui.theme import Theme
from app.ui.two_line_delegate import DataRole, DetailRole, TwoLineDelegate
from app.ui.widgets import label, plain_tool_tip
from engine.library import Folder, Track


class ListDialog(Dialog):
    def __init__(self, parent: QWidget, theme: Theme, title: str, explanation: str) -> None:
        super().__init__(parent, theme, title, QSize(640, 460))
        self.body.addWidget(label(explanation, role="muted", wrap=True))
        self.list = QListWidget()
        self.list.setObjectName("framed")
        self.list.setAccessibleName(title)
        self.list.setItemDelegate(TwoLineDelegate(theme, self.list))
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body.addWidget(self.list, 1)

    def add_row(self, name: str, detail: str, tip: str, data: object) -> None:
        item = QListWidgetItem(name)
        item.setToolTip(plain_tool_tip(tip))
        item.setData(DetailRole, detail)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}. {detail}")
        item.setData(DataRole, data)
        self.list.addItem(item)

    def selected(self) -> list[Any]:
        return [item.data(DataRole) for item in self.list.selectedItems()]


class FailedDialog(ListDialog):
    """Files that could not be read, each with its reason."""

    def __init__(
        self,
        parent: QWidget,
        services: Services,
        tracks: Sequence[Track],
        reveal: Callable[[Path], object],
    ) -> None:
        super().__init__(
            parent,
            services.theme,
            self.tr("Songs that could not be read"),
            self.tr("All others are not affected. Repair or replace a file, then try it again."),
        )
        self._services = services
        for track in tracks:
            name, reason = (
                one_line(track.path.name)[:200],
                one_line(spoken(track.error or ""))[:400],
            )
            self.add_row(name, reason, one_line(str(track.path)), track)
        show = self.tr("Show in folder")
        self._reveal = self.add_button(show, lambda: reveal(self.selected()[0].path))
        self.buttons.addStretch()
        again = self.tr("Try again")
        self._retry = self.add_button(again, lambda: self._try_again(self.selected()))
        self.add_button(self.tr("Try all again"), partial(self._try_again, tracks))
        self.add_button(self.tr("Close"), self.close)
        self.list.itemSelectionChanged.connect(self._selection_changed)
        self._selection_changed()

    def _selection_changed(self) -> None:
        num = len(self.selected())
        self._reveal.setEnabled(num == 1)
        self._retry.setEnabled(num > 0)

    def _try_again(self, tracks: Sequence[Track]) -> None:
        self._services.open_library.retry([track.id for track in tracks])
        self.close()


class FoldersDialog(ListDialog):
    """The folders of the library."""

    def __init__(
        self,
        parent: QWidget,
        services: Services,
        add: Callable[[], object],
        open_catalogue: Callable[[], object],
    ) -> None:
        super().__init__(
            parent,
            services.theme,
            self.tr("Folders"),
            self.tr("Singalike looks for songs in these folders and all folders inside them."),
        )
        self._open_library = services.open_library
        self._folders: tuple[Folder, ...] = ()
        self._remove = self.add_button(self.tr("Remove…"), self._ask_to_forget)
        self.buttons.addStretch()
        catalogue = self.add_button(self.tr("Open a catalogue…"), self.close)
        catalogue.clicked.connect(open_catalogue)
        self.add_button(self.tr("Add a folder…"), add)
        self.add_button(self.tr("Close"), self.close)
        self.list.itemSelectionChanged.connect(self._selection_changed)
        self._selection_changed()
        self._open_library.overview_changed.connect(self.show_overview)
        if (overview := self._open_library.overview) is not None:
            self.show_overview(overview)

    def show_overview(self, overview: Overview) -> None:
        if overview.folders == self._folders:
            return
        self._folders = overview.folders
        self.list.clear()
        for folder in self._folders:
            songs = num_songs(folder.num_tracks)
            away = self.tr("{songs} · not available now").format(songs=songs)
            path = one_line(str(folder.path))
            self.add_row(path, songs if folder.is_available else away, path, folder)
        self._selection_changed()

    def _selection_changed(self) -> None:
        self._remove.setEnabled(bool(self.selected()))

    def _ask_to_forget(self) -> None:
        """It may have taken days to hear them."""
        folders: list[Folder] = self.selected()
        paths = ", ".join(one_line(str(folder.path))[-60:] for folder in folders)
        num = sum(folder.num_tracks for folder in folders)

        def forget() -> None:
            for folder in folders:
                self._open_library.forget_folder(folder.path)

        confirm(
            self,
            self.tr("Remove {paths} from the library?").format(paths=paths[:300]),
            self.tr(
                "{songs} and all that was heard of them are forgotten: to have them back, they "
                "must be listened to again. The files stay where they are."
            ).format(songs=num_songs(num)),
            self.tr("Remove"),
            forget,
        )


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
