"""Dialogs around a list: files that could not be read, and the folders of the library."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.library.open_library import Overview
from app.library.table_model import shown
from app.ui.confirm import confirm
from app.ui.dialogs import Dialog
from app.ui.number_format import num_songs
from app.ui.theme import Theme
from app.ui.widgets import label, plain_tool_tip
from engine.library import Folder, Track

DataRole = Qt.ItemDataRole.UserRole + 1
DetailRole = Qt.ItemDataRole.UserRole + 2
PAD = 10
WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop


class TwoLineDelegate(QStyledItemDelegate):
    """A name, and below it a sentence that may take several lines."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name_font = theme.font(weight=QFont.Weight.Medium)
        self._detail_font = theme.font()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        width = option.rect.width() - 2 * PAD
        detail = QFontMetrics(self._detail_font).boundingRect(
            QRect(0, 0, width, 10_000), int(WRAP), index.data(DetailRole)
        )
        return QSize(100, QFontMetrics(self._name_font).height() + detail.height() + 2 * PAD + 2)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        rect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._theme.colour("selected"))
        area = rect.adjusted(PAD, PAD, -PAD, -PAD)
        metrics = QFontMetrics(self._name_font)
        name = metrics.elidedText(index.data(), Qt.TextElideMode.ElideMiddle, area.width())
        painter.setFont(self._name_font)
        painter.setPen(self._theme.colour("text"))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignTop), name)
        painter.setFont(self._detail_font)
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(
            area.adjusted(0, metrics.height() + 2, 0, 0), int(WRAP), index.data(DetailRole)
        )
        painter.restore()


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
            name, reason = shown(track.path.name)[:200], shown(track.error or "")[:400]
            self.add_row(name, reason, shown(str(track.path)), track)
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
        self.add_button(self.tr("Add a folder…"), self.add_requested.emit)
        self.add_button(self.tr("Close"), self.close)
        self.list.itemSelectionChanged.connect(self._selection_changed)
        self.show_folders(folders)

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
            path = shown(str(folder.path))
            self.add_row(path, songs if folder.is_available else away, path, folder)
        self._selection_changed()

    _folders: tuple[Folder, ...] = ()

    def _selection_changed(self) -> None:
        self._remove.setEnabled(bool(self.selected()))

    def _ask_to_forget(self) -> None:
        """It may have taken days to hear them."""
        folders = [folder for folder in self.selected() if isinstance(folder, Folder)]
        paths = ", ".join(shown(str(folder.path))[-60:] for folder in folders)
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
