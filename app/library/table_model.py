"""The table of tracks: ids, and rows fetched when they are looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from enum import IntEnum, StrEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon

from app.desktop.drag_and_drop import MIME_TYPES, files_as_mime_data
from app.ui.heard import heard_explained, heard_words
from app.ui.text_format import clock, date, one_line, title_of
from app.ui.widgets import plain_tool_tip
from engine.library.records import Track, TrackStatus

ROWS_AROUND = 60  # fetched on either side of a row that is asked for
MAX_ROWS = 4000  # kept

Index = QModelIndex | QPersistentModelIndex
StateRole = Qt.ItemDataRole.UserRole + 1
TrackRole = Qt.ItemDataRole.UserRole + 2


_ROLES = frozenset(
    (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.DecorationRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.AccessibleTextRole,
        Qt.ItemDataRole.TextAlignmentRole,
        Qt.ItemDataRole.ForegroundRole,
        Qt.ItemDataRole.FontRole,
        StateRole,
        TrackRole,
    )
)


_LOOKS = (Qt.ItemDataRole.ForegroundRole, Qt.ItemDataRole.FontRole)


class Column(IntEnum):
    TITLE = 0
    ARTIST = 1
    ALBUM = 2
    GENRE = 3
    HEARD = 4
    YEAR = 5
    TRACK = 6
    LENGTH = 7
    ADDED = 8
    STATE = 9


SORT_KEYS = {
    Column.TITLE: "title",
    Column.ARTIST: "artist",
    Column.ALBUM: "album",
    Column.GENRE: "genre",
    Column.HEARD: "heard",
    Column.YEAR: "year",
    Column.TRACK: "track",
    Column.LENGTH: "duration",
    Column.ADDED: "added",
    Column.STATE: "status",
}


class TrackState(StrEnum):
    """What can be done with a track, as the dot in its row shows it."""

    WAITING = "waiting"  # not listened to yet
    OVERALL = "overall"  # overall similarity is known, the voice is not
    WHOLE_SONG = "from the whole song"  # so is the voice
    READY = "ready"
    NO_VOICE = "no voice"
    FAILED = "failed"
    MISSING = "missing"


def state_of(track: Track) -> TrackState:
    if track.status is TrackStatus.MISSING:
        return TrackState.MISSING
    if track.status is TrackStatus.FAILED:
        return TrackState.FAILED
    if track.status is TrackStatus.NEW:
        return TrackState.WAITING
    if track.has_vocals is None:
        return TrackState.OVERALL
    if not track.has_vocals:
        return TrackState.NO_VOICE
    return TrackState.WHOLE_SONG if track.is_from_mixture else TrackState.READY


class TrackModel(QAbstractTableModel):
    """``rows_needed`` asks for tracks by id; ``put`` brings them. Nothing in here waits."""

    rows_needed = Signal(object)  # list[int]
    sort_requested = Signal(str, bool)  # sort key, is_descending

    def __init__(
        self,
        cover: Callable[[Track], QIcon] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ids: list[int] = []
        self._tracks: OrderedDict[int, Track] = OrderedDict()
        self._asked: set[int] = set()  # rows asked for and not there yet
        self._wanted: set[int] = set()  # rows to ask for at the end of this round of painting
        self._cover = cover
        self.playing_id: int | None = None
        self._playing_look: dict[int, QColor | QFont] = {}
        self._ask_soon = QTimer(self, singleShot=True, interval=0)
        self._ask_soon.timeout.connect(self._ask)
        self._headers = {
            Column.TITLE: self.tr("Title"),
            Column.ARTIST: self.tr("Artist"),
            Column.ALBUM: self.tr("Album"),
            Column.GENRE: self.tr("Genre"),
            Column.HEARD: self.tr("Sounds like"),
            Column.YEAR: self.tr("Year"),
            Column.TRACK: self.tr("Track"),
            Column.LENGTH: self.tr("Length"),
            Column.ADDED: self.tr("Added"),
            Column.STATE: self.tr(
                "State: what has been heard of a song. Right-click to see what the dots mean."
            ),
        }
        self.state_texts = {
            TrackState.WAITING: self.tr("Not listened to yet"),
            TrackState.OVERALL: self.tr("Overall sound known, voice still to come"),
            TrackState.WHOLE_SONG: self.tr("Ready; the voice was heard through the whole song"),
            TrackState.READY: self.tr("Ready"),
            TrackState.NO_VOICE: self.tr("Ready; nobody sings in it"),
            TrackState.FAILED: self.tr("Could not be read"),
            TrackState.MISSING: self.tr("The file is not there any more"),
        }

    # What it holds

    @property
    def ids(self) -> list[int]:
        return self._ids

    def track_at(self, row: int) -> Track | None:
        """None while the row has not been fetched."""
        return self._tracks.get(self._ids[row]) if 0 <= row < len(self._ids) else None

    def row_of(self, track_id: int) -> int:
        """-1 where the track is not in the list."""
        try:
            return self._ids.index(track_id)
        except ValueError:
            return -1

    def set_ids(self, ids: list[int]) -> None:
        """Another list of tracks. Rows that are known stay known."""
        if ids == self._ids:
            return
        self.beginResetModel()
        self._ids = ids
        self._asked.clear()
        self._wanted.clear()
        self.endResetModel()

    def put(self, tracks: Sequence[Track]) -> None:
        """Rows that were asked for, or that have changed."""
        for track in tracks:
            self._tracks[track.id] = track
            self._tracks.move_to_end(track.id)
        while len(self._tracks) > MAX_ROWS:
            self._tracks.popitem(last=False)
        self._asked.clear()
        if self._ids:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._ids) - 1, len(Column) - 1))

    def set_playing(self, track_id: int | None, colour: QColor) -> None:
        """The song that sounds has its title in this colour. Whoever shows it repaints."""
        font = QFont(QGuiApplication.font())
        font.setWeight(QFont.Weight.DemiBold)
        self.playing_id = track_id
        self._playing_look = {
            Qt.ItemDataRole.ForegroundRole: colour,
            Qt.ItemDataRole.FontRole: font,
        }

    def refresh(self, first: int, last: int) -> None:
        """Asks again for the rows from ``first`` to ``last``, as their state may have changed."""
        ids = self._ids[max(0, first) : last + 1]
        if ids:
            self.rows_needed.emit(ids)

    # What Qt asks

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return "" if section == Column.STATE else self._headers[Column(section)]
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self._headers[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in _ROLES or not index.isValid() or index.row() >= len(self._ids):
            return None  # fonts, colours, check boxes: asked for each cell at every painting
        column = Column(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        track_id = self._ids[index.row()]
        if role in _LOOKS:
            is_marked = track_id == self.playing_id and column == Column.TITLE
            return self._playing_look[role] if is_marked else None
        track = self._tracks.get(track_id)
        if track is None:
            self._want(index.row())
            return None
        return self._value(track, column, role)

    def _value(self, track: Track, column: Column, role: int) -> Any:
        if role == TrackRole:
            return track
        if role == StateRole:
            return state_of(track)
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(track, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tool_tip(self._explanation(track, column))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._explanation(track, column)
        if role == Qt.ItemDataRole.DecorationRole and column == Column.TITLE and self._cover:
            return self._cover(track)
        return None

    def _explanation(self, track: Track, column: Column) -> str:
        if column == Column.HEARD:
            return heard_explained(track.heard)
        if column != Column.STATE:
            return _text(track, column)
        reason = f" {track.error}" if track.error else ""
        return f"{self.state_texts[state_of(track)]}.{one_line(reason)}"

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags

    def mimeTypes(self) -> list[str]:
        return MIME_TYPES

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Of the rows that are known, which those in sight are."""
        rows = sorted({index.row() for index in indexes})
        tracks = [track for row in rows if (track := self.track_at(row)) is not None]
        return files_as_mime_data([t.path for t in tracks], [t.id for t in tracks])

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        is_descending = order == Qt.SortOrder.DescendingOrder
        self.sort_requested.emit(SORT_KEYS[Column(column)], is_descending)

    # Fetching

    def _want(self, row: int) -> None:
        if row not in self._asked:
            self._wanted.add(row)
            if not self._ask_soon.isActive():
                self._ask_soon.start()

    def _ask(self) -> None:
        if not self._wanted:
            return
        first = max(0, min(self._wanted) - ROWS_AROUND)
        last = min(len(self._ids), max(self._wanted) + ROWS_AROUND + 1)
        self._wanted.clear()
        rows = [r for r in range(first, last) if self._ids[r] not in self._tracks]
        self._asked.update(rows)
        self.rows_needed.emit([self._ids[row] for row in rows])


def _text(track: Track, column: Column) -> str:
    match column:
        case Column.TITLE:
            return title_of(track)
        case Column.ARTIST:
            return one_line(track.artist)
        case Column.ALBUM:
            return one_line(track.album)
        case Column.GENRE:
            return one_line(track.tags.genre)
        case Column.HEARD:
            return heard_words(track.heard)
        case Column.YEAR:
            return str(track.tags.year or "")
        case Column.TRACK:
            return str(track.tags.track_number or "")
        case Column.LENGTH:
            return clock(track.duration_s)
        case Column.ADDED:
            return date(track.added_s)
        case Column.STATE:
            return ""


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = (
        Qt.AlignmentFlag.AlignRight
        if column in (Column.LENGTH, Column.YEAR, Column.TRACK, Column.ADDED)
        else Qt.AlignmentFlag.AlignLeft
    )
    return side | Qt.AlignmentFlag.AlignVCenter
