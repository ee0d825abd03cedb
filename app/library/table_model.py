"""The table of tracks: ids, and rows fetched when they are looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon

from app.ui.heard import heard_explained, heard_words
from app.ui.language import spoken
from app.ui.rows import Index
from app.ui.shortcuts import noop
from app.ui.text_format import clock, date, one_line, title_of
from app.ui.widgets import plain_tool_tip
from engine.library.records import Track, TrackStatus

NUM_ROWS = 64  # fetched together: of more, many are still on their way at the next click
MAX_ROWS = 4000  # kept

TrackRole = Qt.ItemDataRole.UserRole + 1

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


@dataclass(frozen=True)
class Look:
    """How a column is named, filled, sorted and shown.

    Attributes:
        width: in pixels, as long as nobody has another wish.
        gives_way: it becomes narrower before the title is cramped.
        is_hidden: shown only from the header's menu.
    """

    name: str
    sort_key: str
    text: Callable[[Track], str]
    width: int = 0
    gives_way: bool = False
    is_hidden: bool = False
    is_number: bool = False


STATE_NAME = noop("State: what has been heard of a song. Right-click to see what the dots mean.")
LOOKS = {
    Column.TITLE: Look(noop("Title"), "title", title_of),
    Column.ARTIST: Look(noop("Artist"), "artist", lambda t: one_line(t.artist), 138, True),
    Column.ALBUM: Look(noop("Album"), "album", lambda t: one_line(t.album), 130, True, True),
    Column.GENRE: Look(noop("Genre"), "genre", lambda t: one_line(t.tags.genre), 90, True, True),
    Column.HEARD: Look(
        noop("Sounds like"), "heard", lambda t: heard_words(t.heard), 140, True, True
    ),
    Column.YEAR: Look(
        noop("Year"), "year", lambda t: str(t.tags.year or ""), 56, False, True, True
    ),
    Column.TRACK: Look(
        noop("Track"), "track", lambda t: str(t.tags.track_number or ""), 56, False, True, True
    ),
    Column.LENGTH: Look(
        noop("Length"), "duration", lambda t: clock(t.duration_s), 66, is_number=True
    ),
    Column.ADDED: Look(noop("Added"), "added", lambda t: date(t.added_s), 84, False, True, True),
    Column.STATE: Look(STATE_NAME, "status", lambda t: "", 30),
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


DOTS = {  # icon and colour: full is ready, hollow waits, half has only its overall sound
    TrackState.WAITING: ("dot-ring", "muted"),
    TrackState.OVERALL: ("dot-half", "good"),
    TrackState.WHOLE_SONG: ("dot-small", "good"),
    TrackState.READY: ("dot", "good"),
    TrackState.NO_VOICE: ("dot", "wave"),
    TrackState.FAILED: ("dot", "error"),
    TrackState.MISSING: ("dot-missing", "muted"),
}


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
        icon: Callable[[Track, Column], QIcon | None] = lambda track, column: None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ids: list[int] = []
        self._tracks: OrderedDict[int, Track] = OrderedDict()
        self._asked: set[int] = set()  # first rows of what is on its way
        self._icon = icon
        self.playing_id: int | None = None
        self._playing_look: dict[int, QColor | QFont] = {}
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
            return "" if section == Column.STATE else self._name(section)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self._name(section)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        return None

    def _name(self, section: int) -> str:
        return self.tr(LOOKS[Column(section)].name)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._ids):
            return None
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
        if role == Qt.ItemDataRole.DisplayRole:
            return LOOKS[column].text(track)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tool_tip(self._explanation(track, column))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._explanation(track, column)
        if role == Qt.ItemDataRole.DecorationRole and column in (Column.TITLE, Column.STATE):
            return self._icon(track, column)
        return None

    def _explanation(self, track: Track, column: Column) -> str:
        if column == Column.HEARD:
            return heard_explained(track.heard)
        if column != Column.STATE:
            return LOOKS[column].text(track)
        reason = f" {spoken(track.error)}" if track.error else ""
        return f"{self.state_texts[state_of(track)]}.{one_line(reason)}"

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        is_descending = order == Qt.SortOrder.DescendingOrder
        self.sort_requested.emit(LOOKS[Column(column)].sort_key, is_descending)

    # Fetching

    def _want(self, row: int) -> None:
        first = row - row % NUM_ROWS
        if first not in self._asked:
            self._asked.add(first)
            self.rows_needed.emit(self._ids[first : first + NUM_ROWS])


def _alignment(column: Column) -> Qt.AlignmentFlag:
    is_right = LOOKS[column].is_number
    side = Qt.AlignmentFlag.AlignRight if is_right else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
