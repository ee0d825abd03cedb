"""A list of results that can be clicked in its parts, and used by keyboard alone."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.desktop.drag_and_drop import copy_files
from app.find.result_delegate import NOTHING, PLAY, ResultDelegate
from app.find.result_model import NeighbourRole, ResultModel
from engine.search import Neighbour


class ResultView(QListView):
    chosen = Signal(object)  # Neighbour: the selected one
    play_requested = Signal(object)
    moment_requested = Signal(object, int)
    find_requested = Signal(object)
    menu_requested = Signal(object, QPoint)  # Neighbour, global position

    def __init__(
        self, model: ResultModel, delegate: ResultDelegate, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._results = model
        self._delegate = delegate
        self.setModel(model)
        self.setItemDelegate(delegate)
        self.setMinimumHeight(48)  # Qt would want more, which low screens have not
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(24)
        self.verticalScrollBar().setAccessibleName(self.tr("Scroll the results"))
        self.selectionModel().currentChanged.connect(self._current_changed)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """By the keyboard, the first result is chosen; Qt would make it current unseen."""
        is_by_keyboard = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.ShortcutFocusReason,
        )
        if is_by_keyboard and self.current() is None and self._results.rowCount():
            self.setCurrentIndex(self._results.index(0))
        super().focusInEvent(event)

    def set_compact(self, is_compact: bool) -> None:
        """Lower rows, where the window is low."""
        if is_compact != self._delegate.is_compact:
            self._delegate.is_compact = is_compact
            self.scheduleDelayedItemsLayout()

    def current(self) -> Neighbour | None:
        found: Neighbour | None = self.currentIndex().data(NeighbourRole)
        return found

    def selected(self) -> list[Neighbour]:
        """Nearest first."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        return [self._results.neighbours[row] for row in rows]

    def show_neighbours(self, neighbours: Sequence[Neighbour], is_calibrated: bool = False) -> None:
        """Others than before; what is current stays so, and the list where it is."""
        current, place = self.current(), self.verticalScrollBar().value()
        self._results.set_neighbours(neighbours, is_calibrated)
        if current is None:
            return
        for row, neighbour in enumerate(neighbours):
            if neighbour.track.id == current.track.id:
                self.selectionModel().blockSignals(True)  # nobody has chosen anything
                self.setCurrentIndex(self._results.index(row))
                self.selectionModel().blockSignals(False)
                self.verticalScrollBar().setValue(place)

    def set_playing(self, track_id: int | None) -> None:
        if track_id != self._delegate.playing_id:
            self._delegate.playing_id = track_id
            self.viewport().update()

    def set_favourites(self, track_ids: frozenset[int]) -> None:
        self._delegate.favourites = track_ids
        self.viewport().update()

    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current.data(NeighbourRole))

    def _part_at(self, point: QPoint) -> tuple[QModelIndex, int]:
        index = self.indexAt(point)
        neighbour = index.data(NeighbourRole)
        if neighbour is None:
            return index, NOTHING
        return index, self._delegate.layout(self.visualRect(index), neighbour).part_at(point)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index, part = self._part_at(event.position().toPoint())
        self._hover((index.row(), part))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover((-1, NOTHING))
        super().leaveEvent(event)

    def _hover(self, place: tuple[int, int]) -> None:
        if place == self._delegate.hovered:
            return
        self._delegate.hovered = place
        is_hand = place[1] != NOTHING
        self.setCursor(Qt.CursorShape.PointingHandCursor if is_hand else Qt.CursorShape.ArrowCursor)
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        index, part = self._part_at(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return
        neighbour = index.data(NeighbourRole)
        if part == PLAY:
            self.play_requested.emit(neighbour)
        elif part >= 0:
            self.moment_requested.emit(neighbour, part)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index, part = self._part_at(event.position().toPoint())
        if part != NOTHING:
            self.mousePressEvent(event)  # two quick clicks on a button are two clicks
        elif index.isValid():
            self.play_requested.emit(index.data(NeighbourRole))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        current = self.current()
        if current is None:
            return
        at = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            at = self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).center())
        self.menu_requested.emit(current, at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.current()
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current is not None:
            signal = self.play_requested if event.modifiers() else self.find_requested
            signal.emit(current)
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selectAll()
        elif event.text().strip() or key in (Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()  # the window's: play and pause, skip, compare
        else:
            super().keyPressEvent(event)

    def _copy(self) -> None:
        if chosen := self.selected():
            copy_files([neighbour.track.path for neighbour in chosen])
