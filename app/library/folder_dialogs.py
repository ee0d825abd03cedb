"""Dialogs around a list: files that could not be read, and the folders of the library."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from app.services.open_library import Overview
from app.ui.confirm import confirm
from app.ui.dialogs import Dialog
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

    def selected(self) -> list[object]:
        return [item.data(DataRole) for item in self.list.selectedItems()]


class FailedDialog(ListDialog):
    """Files that could not be read, each with its reason."""

    retry_requested = Signal(object)  # list[int], track ids
    reveal_requested = Signal(object)  # Path

    def __init__(self, parent: QWidget, theme: Theme, tracks: Sequence[Track]) -> None:
        super().__init__(
            parent,
            theme,
            self.tr("Songs that could not be read"),
            self.tr("All others are not affected. Repair or replace a file, then try it again."),
        )
        self._tracks = list(tracks)
        for track in tracks:
            name, reason = one_line(track.path.name)[:200], one_line(track.error or "")[:400]
            self.add_row(name, reason, one_line(str(track.path)), track)
        self._reveal = self.add_button(self.tr("Show in folder"), self._reveal_selected)
        self.buttons.addStretch()
        self._retry = self.add_button(self.tr("Try again"), self._retry_selected)
        self.add_button(self.tr("Try all again"), self._retry_all)
        self.add_button(self.tr("Close"), self.close)
        self.list.itemSelectionChanged.connect(self._selection_changed)
        self._selection_changed()

    def _selection_changed(self) -> None:
        num = len(self.selected())
        self._reveal.setEnabled(num == 1)
        self._retry.setEnabled(num > 0)

    def _reveal_selected(self) -> None:
        for track in self.selected():
            assert isinstance(track, Track)
            self.reveal_requested.emit(track.path)

    def _retry_selected(self) -> None:
        ids = [track.id for track in self.selected() if isinstance(track, Track)]
        self.retry_requested.emit(ids)
        self.close()

    def _retry_all(self) -> None:
        self.retry_requested.emit([track.id for track in self._tracks])
        self.close()


class FoldersDialog(ListDialog):
    """The folders of the library."""

    add_requested = Signal()
    catalogue_requested = Signal()
    forget_requested = Signal(object)  # Path

    def __init__(self, parent: QWidget, theme: Theme, folders: Sequence[Folder]) -> None:
        super().__init__(
            parent,
            theme,
            self.tr("Folders"),
            self.tr("Singalike looks for songs in these folders and all folders inside them."),
        )
        self._remove = self.add_button(self.tr("Remove…"), self._ask_to_forget)
        self.buttons.addStretch()
        self.add_button(self.tr("Open a catalogue…"), self._ask_for_catalogue)
        self.add_button(self.tr("Add a folder…"), self.add_requested.emit)
        self.add_button(self.tr("Close"), self.close)
        self.list.itemSelectionChanged.connect(self._selection_changed)
        self.show_folders(folders)

    def _ask_for_catalogue(self) -> None:
        self.close()
        self.catalogue_requested.emit()

    def show_overview(self, overview: Overview) -> None:
        self.show_folders(overview.folders)

    def show_folders(self, folders: Sequence[Folder]) -> None:
        if folders == self._folders:
            return
        self._folders = tuple(folders)
        self.list.clear()
        for folder in folders:
            songs = num_songs(folder.num_tracks)
            away = self.tr("{songs} · not available now").format(songs=songs)
            path = one_line(str(folder.path))
            self.add_row(path, songs if folder.is_available else away, path, folder)
        self._selection_changed()

    _folders: tuple[Folder, ...] = ()

    def _selection_changed(self) -> None:
        self._remove.setEnabled(bool(self.selected()))

    def _ask_to_forget(self) -> None:
        """It may have taken days to hear them."""
        folders = [folder for folder in self.selected() if isinstance(folder, Folder)]
        paths = ", ".join(one_line(str(folder.path))[-60:] for folder in folders)
        num = sum(folder.num_tracks for folder in folders)

        def forget() -> None:
            for folder in folders:
                self.forget_requested.emit(folder.path)

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
