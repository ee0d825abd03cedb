"""A list of results that can be clicked in its parts, and used by keyboard alone."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView

from app.desktop.drag_and_drop import copy_files
from app.find.result_delegate import NOTHING, PLAY, ResultDelegate
from app.find.result_model import ResultModel
from app.ui.rows import ItemRole, RowView


class ResultView(RowView):
    chosen = Signal(object)  # Neighbour: the selected one
    moment_requested = Signal(object, int)  # Neighbour, number of the moment

    def __init__(self, model: ResultModel, delegate: ResultDelegate, name: str) -> None:
        super().__init__(model, delegate, name)
        self._delegate = delegate
        self.setMinimumHeight(48)  # Qt would want more, which low screens have not
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.selectionModel().currentChanged.connect(self._current_changed)

    def set_compact(self, is_compact: bool) -> None:
        """Lower rows, where the window is low."""
        if is_compact != self._delegate.is_compact:
            self._delegate.is_compact = is_compact
            self.scheduleDelayedItemsLayout()

    def set_playing(self, track_id: int | None) -> None:
        if track_id != self._delegate.playing_id:
            self._delegate.playing_id = track_id
            self.viewport().update()

    def set_favourites(self, track_ids: frozenset[int]) -> None:
        self._delegate.favourites = track_ids
        self.viewport().update()

    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current.data(ItemRole))

    def _part_at(self, point: QPoint) -> tuple[QModelIndex, int]:
        index = self.indexAt(point)
        if not index.isValid():
            return index, NOTHING
        layout = self._delegate.layout(self.visualRect(index), index.data(ItemRole))
        return index, layout.part_at(point)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index, part = self._part_at(event.position().toPoint())
        self._hover((index.row(), part))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover((-1, NOTHING))
        super().leaveEvent(event)

    def _hover(self, place: tuple[int, int]) -> None:
        if place != self._delegate.hovered:
            self._delegate.hovered = place
            is_hand = place[1] != NOTHING
            shape = Qt.CursorShape.PointingHandCursor if is_hand else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
            self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        index, part = self._part_at(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if part == PLAY:
            self.play_requested.emit(index.data(ItemRole))
        elif part != NOTHING:
            self.moment_requested.emit(index.data(ItemRole), part)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index, part = self._part_at(event.position().toPoint())
        if part != NOTHING:
            self.mousePressEvent(event)  # two quick clicks on a button are two clicks
        elif index.isValid():
            self.play_requested.emit(index.data(ItemRole))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            copy_files([neighbour.track.path for neighbour in self.selected()])
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selectAll()
        else:
            super().keyPressEvent(event)
