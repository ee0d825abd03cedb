"""The list of artists or albums: a cover, a name, and how many songs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent

from app.desktop.drag_and_drop import Pull
from app.library.covers import seed_of
from app.ui.rows import ItemRole, Row, RowDelegate, RowModel, RowView
from app.ui.text_format import num_songs, one_line
from app.ui.theme import Theme
from app.ui.widgets import DrawCover, plain_tool_tip
from engine.library.groups import Group, GroupKind

COVER_PX = 48


class GroupModel(RowModel):
    kind: GroupKind | None = None  # until there are some

    def shown(self, row: int) -> Row:
        group = self.items[row]
        seed = seed_of(group.artist, group.album)
        below = " · ".join(self._details(group))
        return Row(group.path, seed, one_line(group.name), below)

    def spoken(self, row: int) -> str:
        group = self.items[row]
        return ", ".join((one_line(group.name), *self._details(group)))

    def tip(self, row: int) -> str:
        return plain_tool_tip(one_line(self.items[row].name))

    def key(self, item: Group) -> tuple[str, str]:
        return item.name, item.artist

    def _details(self, group: Group) -> list[str]:
        songs = num_songs(len(group.track_ids))
        if self.kind == "artists":
            return [songs]
        artist = one_line(group.artist) or self.tr("Various artists")
        return [artist, *([str(group.year)] if group.year else []), songs]


class GroupView(RowView):
    """A click shows songs; Return finds voices; all else is in the menu."""

    songs_requested = Signal(object)  # Group
    dragged = Signal(object)  # list[int] of its songs, as soon as the pointer has moved

    def __init__(self, theme: Theme, cover: DrawCover) -> None:
        self.groups = GroupModel()
        super().__init__(
            self.groups, RowDelegate(theme, cover, COVER_PX), self.tr("Artists and albums")
        )
        self._pull = Pull(self)
        self.setDragEnabled(True)

    def show_groups(self, kind: GroupKind, groups: list[Group]) -> None:
        """Others than before; where these are of another kind, from the top."""
        if kind != self.groups.kind:
            self.verticalScrollBar().setValue(0)
        if (kind, groups) != (self.groups.kind, self.groups.items):
            self.groups.kind = kind
            self.setAccessibleName(self.tr("Artists") if kind == "artists" else self.tr("Albums"))
            self.show_items(groups)
        if self.hasFocus():
            self.choose_first()

    def startDrag(self, actions: Qt.DropAction) -> None:
        if (group := self.current()) is not None:
            self._pull.begin()
            self.dragged.emit(group.track_ids)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        group = self.indexAt(event.position().toPoint()).data(ItemRole)
        if event.button() == Qt.MouseButton.LeftButton and group is not None:
            self.songs_requested.emit(group)
