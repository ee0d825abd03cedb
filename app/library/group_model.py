"""Artists or albums as a list: names, numbers of songs, and covers that come when they are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.ui.text_format import num_songs, one_line
from app.ui.widgets import plain_tool_tip
from engine.library.groups import Group, GroupKind

Index = QModelIndex | QPersistentModelIndex
GroupRole = Qt.ItemDataRole.UserRole + 1
DetailRole = Qt.ItemDataRole.UserRole + 2


class GroupModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.groups: Sequence[Group] = ()
        self.kind: GroupKind = "artists"

    def set_groups(self, kind: GroupKind, groups: Sequence[Group]) -> None:
        self.beginResetModel()
        self.kind, self.groups = kind, groups
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.groups)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.groups):
            return None
        group = self.groups[index.row()]
        if role == GroupRole:
            return group
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(group.name)
        if role == DetailRole:
            return " · ".join(self._details(group))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join((one_line(group.name), *self._details(group)))
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tool_tip(one_line(group.name))
        return None

    def _details(self, group: Group) -> list[str]:
        songs = num_songs(len(group.track_ids))
        if self.kind == "artists":
            return [songs]
        artist = one_line(group.artist) or self.tr("Various artists")
        return [artist, *([str(group.year)] if group.year else []), songs]
