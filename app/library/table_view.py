"""The table itself: rows of tracks with a cover and a state dot."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QItemSelectionModel, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.desktop.drag_and_drop import Pull, accept_copy
from app.library.table_model import LOOKS, Column, TrackModel, TrackRole
from app.ui.rows import BY_KEYBOARD, RETURN, Index, leave_to_window, menu_place, selected_rows
from app.ui.theme import Theme
from app.ui.widgets import paint_focus_frame
from engine.library import Track

ROW_PX = 38
COVER_PX = 26
HEART_PX = 13
TITLE_PX = 150  # columns of texts give way before the title has less, then the length goes
LEAST_PX = 72  # of a column of texts
GIVING_WAY = [column for column, look in LOOKS.items() if look.gives_way]
MARK_PX = 3


class TitleDelegate(QStyledItemDelegate):
    """A heart at the end of the titles of favourites."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.favourites: frozenset[int] = frozenset()

    def _has_heart(self, index: Index) -> bool:
        track = index.data(TrackRole)
        return track is not None and track.id in self.favourites

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        if self._has_heart(index):
            room = option.rect.width() - COVER_PX - HEART_PX - 26
            option.text = option.fontMetrics.elidedText(
                option.text, Qt.TextElideMode.ElideRight, max(0, room)
            )

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        if self._has_heart(index):
            heart = self._theme.pixmap(
                "heart-filled", "accent", HEART_PX, painter.device().devicePixelRatioF()
            )
            place = QPoint(option.rect.right() - HEART_PX - 3, option.rect.center().y())
            painter.drawPixmap(place - QPoint(0, HEART_PX // 2 - 1), heart)


class HeardDelegate(QStyledItemDelegate):
    """Set apart from what files say of themselves: muted and slanted."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        option.font.setItalic(True)
        for role in (QPalette.ColorRole.Text, QPalette.ColorRole.HighlightedText):
            option.palette.setColor(role, self._theme.colour("muted"))


class TrackView(QTableView):
    find_requested = Signal(object)  # Track
    play_requested = Signal(object)
    menu_requested = Signal(object, QPoint)  # Track, global position
    copy_requested = Signal(object)  # list[int], of which not all may be fetched
    dragged = Signal(object)  # the same, as soon as the pointer has moved
    removed = Signal(object)  # rows, by the key Delete
    moved = Signal(object, int)  # rows, and the row before which they were dropped

    def __init__(self, model: TrackModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tracks = model
        self._is_making_room = False
        self._query_id: int | None = None
        self._drop_row = -1  # before which dragged rows would fall
        self._theme = theme
        self.setModel(model)
        self.setAccessibleName(self.tr("Songs of the library"))
        self._titles = TitleDelegate(theme, self)
        self.setItemDelegateForColumn(Column.TITLE, self._titles)
        self.setItemDelegateForColumn(Column.HEARD, HeardDelegate(theme, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._pull = Pull(self)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(COVER_PX, COVER_PX))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._set_up_headers()

    def _set_up_headers(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)  # else every row is measured
        rows.setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        # With the table's own, it asks after each selection of every song whether it is selected.
        header.setSelectionModel(QItemSelectionModel(self._tracks, header))
        header.setMinimumSectionSize(28)
        header.setSortIndicatorClearable(False)
        header.setAccessibleName(self.tr("Columns"))
        for column, look in LOOKS.items():
            header.resizeSection(column, look.width)
            header.setSectionHidden(column, look.is_hidden)
        header.setSectionResizeMode(Column.TITLE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(Column.STATE, QHeaderView.ResizeMode.Fixed)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._wished = {column: LOOKS[column].width for column in GIVING_WAY}
        self._wants_length = True  # a narrow table hides it all the same
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.sectionResized.connect(self._column_resized)

    # Columns

    def save_columns(self) -> QByteArray:
        """Their order, and widths as wished, not as there is room for now."""
        self._set_widths(self._wished)
        self.horizontalHeader().setSectionHidden(Column.LENGTH, not self._wants_length)
        state = self.horizontalHeader().saveState()
        self.make_room()
        return state

    def restore_columns(self, state: QByteArray) -> None:
        header = self.horizontalHeader()
        if not header.restoreState(state):  # of which no signal tells
            return
        self._wished = {c: header.sectionSize(c) or wish for c, wish in self._wished.items()}
        self._wants_length = not header.isSectionHidden(Column.LENGTH)
        self.make_room()

    def show_column(self, column: Column, is_shown: bool) -> None:
        self.horizontalHeader().setSectionHidden(column, not is_shown)
        if column == Column.LENGTH:
            self._wants_length = is_shown
        self.make_room()

    def is_wanted(self, column: Column) -> bool:
        """Whether it is shown where there is room."""
        is_hidden = self.horizontalHeader().isSectionHidden(column)
        return self._wants_length if column == Column.LENGTH else not is_hidden

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.make_room()

    def make_room(self) -> None:
        """Columns of texts are as wide as wished, or less where the title would be cramped.

        The others are as wide as their names need, in letters that are as large as they are now.
        """
        header = self.horizontalHeader()
        header.setSectionHidden(Column.LENGTH, not self._wants_length)
        for column, look in LOOKS.items():
            if look.is_number and header.sectionSize(column):
                header.resizeSection(column, max(look.width, header.sectionSizeHint(column)))
        giving = [column for column in GIVING_WAY if not header.isSectionHidden(column)]
        others = (c for c in Column if c not in (Column.TITLE, *GIVING_WAY))
        room = self.viewport().width() - TITLE_PX - sum(header.sectionSize(c) for c in others)
        if room < LEAST_PX * len(giving) and self._wants_length:
            room += header.sectionSize(Column.LENGTH)
            header.hideSection(Column.LENGTH)
        wish = sum(self._wished[c] for c in giving)
        share = min(1.0, max(0, room) / wish) if wish else 1.0
        self._set_widths({c: max(LEAST_PX, int(share * self._wished[c])) for c in giving})

    def _set_widths(self, widths: Mapping[Column, int]) -> None:
        """Without taking it for a wish."""
        self._is_making_room = True
        for column, width in widths.items():
            self.horizontalHeader().resizeSection(column, width)
        self._is_making_room = False

    def _column_resized(self, column: int, before: int, width: int) -> None:
        if column in self._wished and width and not self._is_making_room:
            self._wished[Column(column)] = width

    # What is marked

    def mark(self, query_id: int | None, playing_id: int | None) -> None:
        """Ids of the song that was asked for, and of the one that sounds."""
        changed = {self._query_id} ^ {query_id} | {self._tracks.playing_id} ^ {playing_id}
        self._query_id = query_id
        self._tracks.set_playing(playing_id, self._accent)
        first, last = self.visible_rows()
        for row in range(first, last + 1):
            if self._tracks.ids[row] in changed:  # painting all of them takes as long as a search
                self.viewport().update(self._row_rect(row))

    def set_favourites(self, track_ids: frozenset[int]) -> None:
        self._titles.favourites = track_ids
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """By the keyboard, a song is selected; Qt would make it current unseen."""
        current = self.currentIndex()
        super().focusInEvent(event)
        if current.isValid():
            return
        if event.reason() in BY_KEYBOARD and self._tracks.rowCount():
            self.setCurrentIndex(self._tracks.index(0, Column.TITLE))
        else:
            self.selectionModel().clearCurrentIndex()

    def paintEvent(self, event: QPaintEvent) -> None:
        """With a bar beside the song that was asked for, and a frame around the row keys move."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        first, last = self.visible_rows()
        for row in range(first, last + 1):
            if self._tracks.ids[row] == self._query_id:
                place = self._row_rect(row)
                painter.fillRect(place.adjusted(0, 0, MARK_PX - place.width(), 0), self._accent)
        if self._drop_row >= 0:
            y = self._row_rect(0).top() + self._drop_row * ROW_PX
            painter.fillRect(0, y - 1, self.viewport().width(), 2, self._accent)
        if self.hasFocus() and self.currentIndex().isValid():
            paint_focus_frame(painter, self._row_rect(self.currentIndex().row()), self._theme)
        painter.end()

    @property
    def _accent(self) -> QColor:
        return self._theme.colour("accent")

    def _row_rect(self, row: int) -> QRect:
        return QRect(0, self.rowViewportPosition(row), self.viewport().width(), self.rowHeight(row))

    def current_track(self) -> Track | None:
        found: Track | None = self.currentIndex().data(TrackRole)
        return found

    def current_id(self) -> int | None:
        """Known before the track itself has arrived."""
        row = self.currentIndex().row()
        return self._tracks.ids[row] if row >= 0 else None

    def selected_ids(self) -> list[int]:
        """In the order of the table."""
        return [self._tracks.ids[row] for row in selected_rows(self)]

    def visible_rows(self) -> tuple[int, int]:
        """First and last row in sight."""
        first = self.rowAt(0)
        last = self.rowAt(self.viewport().height() - 1)
        num = self._tracks.rowCount()
        return max(0, first), last if last >= 0 else num - 1

    def select_track(self, track_id: int) -> None:
        """Makes a track current again after the list has changed, without scrolling to it."""
        row = self._tracks.row_of(track_id)
        if row >= 0:
            bar = self.verticalScrollBar()
            place = bar.value()
            self.setCurrentIndex(self._tracks.index(row, Column.TITLE))
            bar.setValue(place)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        track = self.indexAt(event.position().toPoint()).data(TrackRole)
        is_plain = event.modifiers() == Qt.KeyboardModifier.NoModifier  # else songs are selected
        if event.button() == Qt.MouseButton.LeftButton and is_plain and track is not None:
            self.find_requested.emit(track)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        track = self.indexAt(event.position().toPoint()).data(TrackRole)
        if event.button() == Qt.MouseButton.LeftButton and track is not None:
            self.play_requested.emit(track)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if (track := self.current_track()) is not None:
            self.menu_requested.emit(track, menu_place(self, event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, track = event.key(), self.current_track()
        if key in RETURN and track is not None:
            (self.play_requested if event.modifiers() else self.find_requested).emit(track)
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit(self.selected_ids())
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selectAll()
        elif key == Qt.Key.Key_Delete and (rows := selected_rows(self)):
            self.removed.emit(rows)
        elif not leave_to_window(event):
            super().keyPressEvent(event)

    def startDrag(self, actions: Qt.DropAction) -> None:
        self._pull.begin()
        self.dragged.emit(self.selected_ids())

    # Rows that are dragged to another place

    def set_movable(self, is_movable: bool) -> None:
        mode = QAbstractItemView.DragDropMode
        self.setDragDropMode(mode.DragDrop if is_movable else mode.DragOnly)

    def _row_before(self, y: int) -> int:
        """Of the gap between rows that is nearest."""
        row = self.rowAt(y)
        if row < 0:
            return self._tracks.rowCount()
        return row + (y > self._row_rect(row).center().y())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.source() is self and self.acceptDrops():
            event.accept()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)  # scrolls near the edges
        self._show_drop_row(self._row_before(event.position().toPoint().y()))
        accept_copy(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._show_drop_row(-1)

    def dropEvent(self, event: QDropEvent) -> None:
        accept_copy(event)
        self.stopAutoScroll()
        self._show_drop_row(-1)
        self.moved.emit(selected_rows(self), self._row_before(event.position().toPoint().y()))

    def _show_drop_row(self, row: int) -> None:
        self._drop_row = row
        self.viewport().update()
