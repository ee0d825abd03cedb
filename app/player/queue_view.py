"""The rows of the queue: what was played is pale, what plays is bright, the rest is to come."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView

from app.desktop.drag_and_drop import MIME_TYPES, dropped_files, files_as_mime_data
from app.player.queue import Entry, PlayQueue
from app.ui.rows import Index, Row, RowDelegate, RowModel, RowView, selected_rows
from app.ui.text_format import clock
from app.ui.theme import Theme
from app.ui.widgets import DrawCover, plain_tool_tip

ROWS_TYPE = "application/x-singalike-queue-rows"  # dragged within the queue
COVER_PX = 38


class QueueModel(RowModel):
    """Rows can be dragged, and songs dropped between them."""

    files_dropped = Signal(object, int)  # list[Path], the place in the queue

    def __init__(self, queue: PlayQueue) -> None:
        super().__init__()
        self._queue = queue

    def shown(self, row: int) -> Row:
        sound, now = self.items[row].sound, self._queue.place
        return Row(
            sound.path,
            f"{sound.artist}|{sound.album}",
            sound.title,
            sound.artist or sound.path.parent.name,
            clock(sound.duration_s) if sound.duration_s else "",
            "accent" if row == now else "muted" if row < now else "text",
            "volume" if row == now else "",
            is_pale=row < now,
        )

    def spoken(self, row: int) -> str:
        sound = self.items[row].sound
        text = self.tr("{title} by {artist}") if sound.artist else "{title}"
        name = text.format(title=sound.title, artist=sound.artist)
        if row == self._queue.place:
            return self.tr("{name}, playing now").format(name=name)
        return self.tr("{name}, played").format(name=name) if row < self._queue.place else name

    def tip(self, row: int) -> str:
        sound = self.items[row].sound
        lines = (sound.title, " · ".join(filter(None, (sound.artist, sound.album))))
        return "<br>".join(plain_tool_tip(line) for line in lines if line)

    def key(self, item: Entry) -> int:
        return id(item)

    # Dragging and dropping

    def flags(self, index: Index) -> Qt.ItemFlag:
        """What is dropped goes between rows."""
        flags = super().flags(index)
        return flags if index.isValid() else flags | Qt.ItemFlag.ItemIsDropEnabled

    def mimeTypes(self) -> list[str]:
        return [*MIME_TYPES, ROWS_TYPE]

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction | Qt.DropAction.MoveAction

    def supportedDragActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction  # after a move, Qt would remove the rows itself

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        rows = sorted(index.row() for index in indexes)
        sounds = [self.items[row].sound for row in rows]
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
        place = row if row >= 0 else len(self.items)
        if data.hasFormat(ROWS_TYPE):
            rows = [int(text) for text in bytes(data.data(ROWS_TYPE).data()).split(b",")]
            self._queue.move(rows, place)
        else:
            self.files_dropped.emit(dropped_files(data), place)
        return True


class QueueView(RowView):
    """Rows are moved by dragging or with Alt, taken out with Delete, played with Return."""

    place_chosen = Signal(int)  # in the queue, to be played

    def __init__(self, theme: Theme, queue: PlayQueue, cover: DrawCover) -> None:
        self.songs = QueueModel(queue)
        delegate = RowDelegate(theme, cover, COVER_PX)
        super().__init__(self.songs, delegate, self.tr("Songs of the queue"))
        self._queue = queue
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDropIndicatorShown(True)
        self.doubleClicked.connect(lambda index: self.place_chosen.emit(index.row()))

    def show_current(self) -> None:
        """The song that plays and what comes after it in sight, with one before it."""
        row = max(0, self._queue.place - 1)
        self.scrollTo(self.model().index(row, 0), QAbstractItemView.ScrollHint.PositionAtTop)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, places = event.key(), selected_rows(self)
        is_alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._queue.remove(places)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and places:
            self.place_chosen.emit(places[0])
        elif key == Qt.Key.Key_Up and is_alt and places:
            self._queue.move(places, max(0, places[0] - 1))
        elif key == Qt.Key.Key_Down and is_alt and places:
            self._queue.move(places, min(len(self._queue.entries), places[-1] + 2))
        else:
            super().keyPressEvent(event)
