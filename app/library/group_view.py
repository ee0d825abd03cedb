"""The list of artists or albums: a cover, a name, and how many songs."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
)
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.library.covers import seed_of
from app.library.group_model import DetailRole, GroupModel, GroupRole
from app.ui.theme import Theme
from app.ui.widgets import SMALL, DrawCover, paint_focus_frame
from engine.library.groups import Group

Index = QModelIndex | QPersistentModelIndex

PAD = 8
COVER_PX = 48


class GroupDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, cover: DrawCover, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._cover = theme, cover
        self._name_font = theme.font(weight=QFont.Weight.Medium)
        self._small_font = theme.font(SMALL)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        text = QFontMetrics(self._name_font).height() + QFontMetrics(self._small_font).height()
        return QSize(160, max(COVER_PX, text + 2) + 2 * PAD - 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        group: Group = index.data(GroupRole)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, rect, option.state)
        ratio = painter.device().devicePixelRatio()
        cover = self._cover(group.path, seed_of(group.artist, group.album), COVER_PX, ratio)
        painter.drawPixmap(rect.left() + PAD + 4, rect.center().y() - COVER_PX // 2 + 1, cover)
        area = rect.adjusted(COVER_PX + 3 * PAD + 2, PAD, -PAD - 6, -PAD)
        name, small = QFontMetrics(self._name_font), QFontMetrics(self._small_font)
        area.setTop(area.center().y() - (name.height() + small.height()) // 2)
        self._line(painter, area, index.data(), self._name_font, "text")
        area.setTop(area.top() + name.height() + 1)
        self._line(painter, area, index.data(DetailRole), self._small_font, "muted")
        painter.restore()

    def _paint_ground(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        if is_selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("selected" if is_selected else "panel"))
            painter.drawRoundedRect(rect.adjusted(4, 1, -4, -1), 8, 8)
        if is_selected and state & QStyle.StateFlag.State_HasFocus:
            paint_focus_frame(painter, rect.adjusted(3, 0, -3, 0), self._theme)

    def _line(self, painter: QPainter, rect: QRect, text: str, font: QFont, colour: str) -> None:
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(self._theme.colour(colour))
        shown = metrics.elidedText(text[:500], Qt.TextElideMode.ElideRight, max(20, rect.width()))
        painter.drawText(rect.left(), rect.top() + metrics.ascent(), shown)


class GroupView(QListView):
    """A click shows songs; Return finds voices; all else is in the menu."""

    songs_requested = Signal(object)  # Group
    find_requested = Signal(object)
    play_requested = Signal(object)
    menu_requested = Signal(object, QPoint)  # Group, global position

    def __init__(self, model: GroupModel, theme: Theme, cover: DrawCover) -> None:
        super().__init__()
        self._groups = model
        self.setModel(model)
        self.setItemDelegate(GroupDelegate(theme, cover, self))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(24)
        self.verticalScrollBar().setAccessibleName(self.tr("Scroll artists and albums"))
        self.setAccessibleName(self.tr("Artists and albums"))

    def current(self) -> Group | None:
        found: Group | None = self.currentIndex().data(GroupRole)
        return found

    def show_current(self, name: str) -> None:
        """Makes the group of a name current, where there is one."""
        for row, group in enumerate(self._groups.groups):
            if group.name == name:
                self.setCurrentIndex(self._groups.index(row))
                return

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.MouseFocusReason:
            self.choose_first()

    def choose_first(self) -> None:
        """Where keys have nothing to move from; Qt would make it current unseen."""
        if self.hasFocus() and self.current() is None:
            self.setCurrentIndex(self._groups.index(0))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        group = self.indexAt(event.position().toPoint()).data(GroupRole)
        if event.button() == Qt.MouseButton.LeftButton and group is not None:
            self.songs_requested.emit(group)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if (group := self.current()) is not None:
            at = event.globalPos()
            if event.reason() == QContextMenuEvent.Reason.Keyboard:
                at = self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).center())
            self.menu_requested.emit(group, at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, group = event.key(), self.current()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and group is not None:
            (self.play_requested if event.modifiers() else self.find_requested).emit(group)
        elif event.text().strip() or key in (Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()  # the window's: play and pause, skip, compare
        else:
            super().keyPressEvent(event)
