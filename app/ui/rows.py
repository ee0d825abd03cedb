"""Rows with a cover and two lines: what they say, how they are drawn, and the list of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.ui.theme import Theme
from app.ui.widgets import SMALL, DrawCover, paint_focus_frame

Index = QModelIndex | QPersistentModelIndex
ItemRole = Qt.ItemDataRole.UserRole + 1
RowRole = Qt.ItemDataRole.UserRole + 2

PAD = 8
PALE = 0.5  # how opaque a pale cover is
MAX_LETTERS = 1000  # measuring megabytes of junk from a tag would hold up the painting
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


@dataclass(frozen=True)
class Row:
    """What a row says.

    Attributes:
        path, seed: of the cover, as the theme's covers take them.
        end: at the right.
        colour: of the title.
        icon: on a veil over the cover.
    """

    path: Path
    seed: str
    title: str
    below: str
    end: str = ""
    colour: str = "text"
    icon: str = ""
    is_pale: bool = False


class RowModel(QAbstractListModel):
    """A list of items. Subclasses say what of each is shown and spoken."""

    def __init__(self) -> None:
        super().__init__()
        self.items: Sequence[Any] = ()

    def set_items(self, items: Sequence[Any]) -> None:
        self.beginResetModel()
        self.items = items
        self.endResetModel()

    def shown(self, row: int) -> Row:
        raise NotImplementedError

    def spoken(self, row: int) -> str:
        """By screen readers, for which nothing is drawn."""
        raise NotImplementedError

    def tip(self, row: int) -> str:
        raise NotImplementedError

    def key(self, item: Any) -> object:
        """By which an item is known again when the list has changed."""
        raise NotImplementedError

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows are dragged."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = index.row()
        if not index.isValid() or row >= len(self.items):
            return None
        if role == ItemRole:
            return self.items[row]
        if role == RowRole:
            return self.shown(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tip(row)
        is_text = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
        return self.spoken(row) if is_text else None


class RowDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, cover: DrawCover, cover_px: int) -> None:
        super().__init__()
        self._theme, self._cover, self._cover_px = theme, cover, cover_px
        self._title_font = theme.font(weight=QFont.Weight.Medium)
        self._small_font = theme.font(SMALL)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        text = QFontMetrics(self._title_font).height() + QFontMetrics(self._small_font).height()
        return QSize(160, max(self._cover_px, text + 2) + 2 * PAD - 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(RowRole)
        rect, side = option.rect, self._cover_px
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, rect, option.state)
        place = QRect(rect.left() + PAD + 4, rect.center().y() - side // 2 + 1, side, side)
        ratio = painter.device().devicePixelRatio()
        painter.setOpacity(PALE if row.is_pale else 1.0)
        painter.drawPixmap(place.topLeft(), self._cover(row.path, row.seed, side, ratio))
        painter.setOpacity(1.0)
        if row.icon:
            self._paint_veil(painter, place, row.icon, 130)
        title, small = QFontMetrics(self._title_font), QFontMetrics(self._small_font)
        area = rect.adjusted(side + 3 * PAD + 2, 0, -PAD - 6, 0)
        room = area.width()
        if row.end:
            self._line(painter, area, row.end, self._small_font, "muted", RIGHT)
            room -= small.horizontalAdvance(row.end) + 10
        top = area.center().y() - (title.height() + small.height()) // 2
        above = QRect(area.left(), top, max(20, room), title.height())
        below = QRect(above.left(), above.bottom() + 1, above.width(), small.height())
        self._line(painter, above, row.title, self._title_font, row.colour)
        self._line(painter, below, row.below, self._small_font, "muted")
        painter.restore()

    def _paint_ground(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        if is_selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("selected" if is_selected else "panel"))
            painter.drawRoundedRect(rect.adjusted(4, 1, -4, -1), 8, 8)
        if is_selected and state & QStyle.StateFlag.State_HasFocus:
            paint_focus_frame(painter, rect.adjusted(3, 0, -3, 0), self._theme)

    def _paint_veil(self, painter: QPainter, cover: QRect, icon: str, darkness: int) -> None:
        """Over a cover, with an icon in its middle; ``darkness`` is 0 to 255."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, darkness))
        painter.drawRoundedRect(cover, 6, 6)
        ratio = painter.device().devicePixelRatio()
        pixmap = self._theme.pixmap(icon, "on_scrim", 22, ratio)
        painter.drawPixmap(cover.center() - QPoint(10, 10), pixmap)

    def _line(
        self,
        painter: QPainter,
        rect: QRect,
        text: str,
        font: QFont,
        colour: str,
        how: Qt.AlignmentFlag = LEFT,
    ) -> None:
        shown = QFontMetrics(font).elidedText(
            text[:MAX_LETTERS], Qt.TextElideMode.ElideRight, rect.width()
        )
        painter.setFont(font)
        painter.setPen(self._theme.colour(colour))
        painter.drawText(rect, int(how | Qt.TextFlag.TextSingleLine), shown)


def selected_rows(view: QAbstractItemView) -> list[int]:
    """In the order of the list; of 100,000 at once as well, which Qt hands over one by one."""
    stretches = view.selectionModel().selection().toList()
    return sorted({row for one in stretches for row in range(one.top(), one.bottom() + 1)})


class RowView(QListView):
    """Return finds, with Ctrl it plays; signals bring the item."""

    find_requested = Signal(object)
    play_requested = Signal(object)
    menu_requested = Signal(object, QPoint)  # and a global position

    def __init__(self, model: RowModel, delegate: RowDelegate, name: str) -> None:
        super().__init__()
        self._rows = model
        self.setModel(model)
        self.setItemDelegate(delegate)
        for part in (model, delegate):
            part.setParent(self)
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(24)
        self.verticalScrollBar().setAccessibleName(self.tr("Scroll the list"))

    def current(self) -> Any:
        """None where there is none."""
        return self.currentIndex().data(ItemRole)

    def selected(self) -> list[Any]:
        """In the order of the list."""
        return [self._rows.items[row] for row in selected_rows(self)]

    def show_items(self, items: Sequence[Any]) -> None:
        """Others than before: what is selected stays so, and the list where it is."""
        key, current, place = self._rows.key, self.current(), self.verticalScrollBar().value()
        kept = {key(item) for item in self.selected()}
        at = None if current is None else key(current)
        self._rows.set_items(items)
        selection = self.selectionModel()
        selection.blockSignals(True)  # nobody has chosen anything
        for row, item in enumerate(items if kept or at is not None else ()):
            if (one := key(item)) == at:
                selection.setCurrentIndex(self._rows.index(row), selection.SelectionFlag.NoUpdate)
            if one in kept:
                selection.select(self._rows.index(row), selection.SelectionFlag.Select)
        selection.blockSignals(False)
        self.verticalScrollBar().setValue(place)

    def choose_first(self) -> None:
        """Where keys have nothing to move from; Qt would make it current unseen."""
        if self.current() is None:
            self.setCurrentIndex(self._rows.index(0))

    def focusInEvent(self, event: QFocusEvent) -> None:
        if event.reason() in BY_KEYBOARD:
            self.choose_first()
        super().focusInEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if (item := self.current()) is not None:
            self.menu_requested.emit(item, menu_place(self, event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.current()
        if event.key() in RETURN and item is not None:
            (self.play_requested if event.modifiers() else self.find_requested).emit(item)
        elif not leave_to_window(event):
            super().keyPressEvent(event)


def menu_place(view: QAbstractItemView, event: QContextMenuEvent) -> QPoint:
    """Where the pointer is, or, by the keyboard, the current item."""
    if event.reason() != QContextMenuEvent.Reason.Keyboard:
        return event.globalPos()
    return view.viewport().mapToGlobal(view.visualRect(view.currentIndex()).center())


def leave_to_window(event: QKeyEvent) -> bool:
    """Of keys with which lists would jump about: the window plays, skips and compares by them."""
    own = (Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Right)
    is_left = bool(event.text().strip()) or event.key() in own
    if is_left:
        event.ignore()
    return is_left
