"""The rows of the queue: what was played is pale, what plays is bright, the rest is to come."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.player.queue import Entry, PlayQueue
from app.player.queue_model import EntryRole, QueueModel
from app.ui.text_format import clock
from app.ui.theme import Theme
from app.ui.widgets import SMALL, DrawCover, paint_focus_frame

Index = QModelIndex | QPersistentModelIndex

PAD = 8
COVER_PX = 38
PAST = 0.5  # how opaque the cover of a song is that was played


class QueueDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, queue: PlayQueue, cover: DrawCover, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._queue, self._cover = theme, queue, cover
        self._title_font = theme.font(weight=QFont.Weight.Medium)
        self._small_font = theme.font(SMALL)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        text = QFontMetrics(self._title_font).height() + QFontMetrics(self._small_font).height()
        return QSize(160, max(COVER_PX, text + 2) + 2 * PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: Entry = index.data(EntryRole)
        rect: QRect = option.rect
        is_now, is_past = index.row() == self._queue.place, index.row() < self._queue.place
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, rect, option.state)
        place = QRect(rect.left() + PAD + 4, rect.center().y() - COVER_PX // 2 + 1, 0, 0)
        place.setSize(QSize(COVER_PX, COVER_PX))
        painter.setOpacity(PAST if is_past else 1.0)
        self._paint_cover(painter, place, entry, is_now)
        painter.setOpacity(1.0)
        area = rect.adjusted(COVER_PX + 3 * PAD + 2, PAD, -PAD - 6, -PAD)
        colour = "accent" if is_now else "muted" if is_past else "text"
        self._paint_names(painter, area, entry, colour)
        painter.restore()

    def _paint_ground(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        if is_selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("selected" if is_selected else "panel"))
            painter.drawRoundedRect(rect.adjusted(4, 1, -4, -1), 8, 8)
        if is_selected and state & QStyle.StateFlag.State_HasFocus:
            paint_focus_frame(painter, rect.adjusted(3, 0, -3, 0), self._theme)

    def _paint_cover(self, painter: QPainter, place: QRect, entry: Entry, is_now: bool) -> None:
        sound, ratio = entry.sound, painter.device().devicePixelRatio()
        seed = f"{sound.artist}|{sound.album}"
        painter.drawPixmap(place.topLeft(), self._cover(sound.path, seed, COVER_PX, ratio))
        if is_now:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 130))
            painter.drawRoundedRect(place, 5, 5)
            icon = self._theme.pixmap("volume", "on_scrim", 20, ratio)
            painter.drawPixmap(place.center() - QPoint(9, 9), icon)

    def _paint_names(self, painter: QPainter, area: QRect, entry: Entry, colour: str) -> None:
        sound = entry.sound
        title, small = QFontMetrics(self._title_font), QFontMetrics(self._small_font)
        length = clock(sound.duration_s) if sound.duration_s else ""
        room = area.width() - small.horizontalAdvance(length) - 10
        top = area.center().y() - (title.height() + small.height()) // 2
        above = QRect(area.left(), top, room, title.height())
        below = QRect(area.left(), above.bottom() + 1, room, small.height())
        self._line(painter, above, sound.title, self._title_font, colour)
        self._line(painter, below, sound.artist or sound.path.parent.name, self._small_font)
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, length)

    def _line(
        self, painter: QPainter, rect: QRect, text: str, font: QFont, colour: str = "muted"
    ) -> None:
        shown = QFontMetrics(font).elidedText(
            text[:500], Qt.TextElideMode.ElideRight, max(20, rect.width())
        )
        painter.setFont(font)
        painter.setPen(self._theme.colour(colour))
        painter.drawText(
            rect, int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), shown
        )


class QueueView(QListView):
    """Rows are moved by dragging or with Alt, taken out with Delete, played with Return."""

    play_requested = Signal(int)  # the place in the queue

    def __init__(self, model: QueueModel, queue: PlayQueue) -> None:
        super().__init__()
        self._queue = queue
        self._selected: list[Entry] = []
        self._scrolled = 0
        self.setModel(model)
        self.setAccessibleName(self.tr("Songs of the queue"))
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDropIndicatorShown(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(24)
        self.verticalScrollBar().setAccessibleName(self.tr("Scroll the queue"))
        self.doubleClicked.connect(lambda index: self.play_requested.emit(index.row()))
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._show_kept)

    def selected_places(self) -> list[int]:
        return sorted(index.row() for index in self.selectedIndexes())

    def show_current(self) -> None:
        """The song that plays and what comes after it in sight, with one before it."""
        row = max(0, self._queue.place - 1)
        self.scrollTo(self.model().index(row, 0), QAbstractItemView.ScrollHint.PositionAtTop)

    def _keep(self) -> None:
        """What is selected stays so wherever it goes, and the list where it is."""
        self._selected = [index.data(EntryRole) for index in self.selectedIndexes()]
        self._scrolled = self.verticalScrollBar().value()

    def _show_kept(self) -> None:
        kept = {id(entry) for entry in self._selected}
        rows = [row for row, entry in enumerate(self._queue.entries) if id(entry) in kept]
        flag = self.selectionModel().SelectionFlag
        for row in rows:
            index = self.model().index(row, 0)
            self.selectionModel().setCurrentIndex(index, flag.Select)
        self.verticalScrollBar().setValue(self._scrolled)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, places = event.key(), self.selected_places()
        is_alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._queue.remove(places)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and places:
            self.play_requested.emit(places[0])
        elif key == Qt.Key.Key_Up and is_alt and places:
            self._queue.move(places, max(0, places[0] - 1))
        elif key == Qt.Key.Key_Down and is_alt and places:
            self._queue.move(places, min(len(self._queue.entries), places[-1] + 2))
        elif event.text().strip() or key in (Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()  # the window's: play and pause, skip, next
        else:
            super().keyPressEvent(event)
