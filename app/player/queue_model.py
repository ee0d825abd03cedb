"""The queue as a list of rows that can be dragged, and dropped on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from app.desktop.drag_and_drop import MIME_TYPES, dropped_files, files_as_mime_data
from app.player.queue import Entry, PlayQueue
from app.ui.widgets import plain_tool_tip

ROWS_TYPE = "application/x-singalike-queue-rows"  # dragged within the queue
EntryRole = Qt.ItemDataRole.UserRole + 1

Index = QModelIndex | QPersistentModelIndex


class QueueModel(QAbstractListModel):
    files_dropped = Signal(object, int)  # list[Path], the place in the queue

    def __init__(self, queue: PlayQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self._entries: list[Entry] = queue.entries
        queue.changed.connect(self._refresh)

    def _refresh(self) -> None:
        self.beginResetModel()
        self._entries = self._queue.entries
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        if role == EntryRole:
            return entry
        if role == Qt.ItemDataRole.ToolTipRole:
            sound = entry.sound
            lines = (sound.title, " · ".join(filter(None, (sound.artist, sound.album))))
            return "<br>".join(plain_tool_tip(line) for line in lines if line)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._spoken(index.row(), entry)
        return None

    def _spoken(self, row: int, entry: Entry) -> str:
        """Drawn by the delegate; this is what screen readers say."""
        title, artist = entry.sound.title, entry.sound.artist
        name = (
            self.tr("{title} by {artist}").format(title=title, artist=artist) if artist else title
        )
        if row == self._queue.place:
            return self.tr("{name}, playing now").format(name=name)
        return self.tr("{name}, played").format(name=name) if row < self._queue.place else name

    # Dragging and dropping

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows are dragged; what is dropped goes between them."""
        flags = super().flags(index)
        can = Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else Qt.ItemFlag.ItemIsDropEnabled
        return flags | can

    def mimeTypes(self) -> list[str]:
        return [*MIME_TYPES, ROWS_TYPE]

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction | Qt.DropAction.MoveAction

    def supportedDragActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction  # after a move, Qt would remove the rows itself

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        rows = sorted(index.row() for index in indexes)
        sounds = [self._entries[row].sound for row in rows]
        ids = [sound.track_id for sound in sounds if sound.track_id is not None]
        data = files_as_mime_data([sound.path for sound in sounds], ids)
        data.setData(ROWS_TYPE, ",".join(map(str, rows)).encode())
        return data

    def canDropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        return data.hasFormat(ROWS_TYPE) or bool(dropped_files(data))

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        place = row if row >= 0 else len(self._entries)
        if data.hasFormat(ROWS_TYPE):
            rows = [int(text) for text in bytes(data.data(ROWS_TYPE).data()).split(b",")]
            self._queue.move(rows, place)
        else:
            self.files_dropped.emit(dropped_files(data), place)
        return True
