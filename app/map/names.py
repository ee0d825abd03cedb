"""The names on the map: artists at the centres of their islands, titles where few are seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from app.map.camera import Camera
from app.map.colouring import aligned
from app.services.open_library import OpenLibrary
from app.ui.text_format import one_line, title_of
from app.ui.theme import Theme
from app.ui.widgets import SMALL
from engine.library import Track
from engine.library.maps import Labels

MAX_NAMES = 40
MAX_TRIED = 120  # artists for whom room is looked for
MAX_LETTERS = 28  # of usual width
NEAR = 2.0  # from this nearness on, titles are shown
# Half of an artist's songs lie so near to their centre, or as near as that many songs lie to one
# another on the map at large; or they are no island.
ISLAND_RADIUS = 0.25
BESIDE = (9.0, 0.0)  # a point: where its title begins, in pixels
ABOVE = (0.0, -12.0)  # the centre of an island: where its artist is named
GAP_PX = 3  # between two names

Name = tuple[str, float, float]  # text, and the pixel of what it names


@dataclass(frozen=True, eq=False)
class Islands:
    """Artists whose songs lie together, those with most songs first.

    Attributes:
        names: of the artists.
        centres: (m, 2) float32 places on the map.
        rows: for each of the map's songs the place of its artist in ``names``, -1 for none.
    """

    names: tuple[str, ...] = ()
    centres: np.ndarray = field(default_factory=lambda: np.empty((0, 2), np.float32))
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


def islands(track_ids: np.ndarray, positions: np.ndarray, labels: Labels) -> Islands:
    """The islands of a map of (n,) tracks at (n, 2); 100,000 songs take about 0.14 s."""
    found = aligned(track_ids, labels.track_ids)
    artist_of = np.where(found >= 0, labels.artist_of[found], -1) if len(labels.artists) else found
    num = len(labels.artists)
    is_known = artist_of >= 0
    counts = np.bincount(artist_of[is_known], minlength=num)
    centres = np.zeros((num, 2), np.float32)
    ends = np.cumsum(counts)
    has_songs = counts > 0
    middles = (ends - counts + counts // 2)[has_songs]
    for axis in (0, 1):  # the medians: a few songs far away do not draw a name along
        values = positions[is_known, axis]
        order = np.lexsort((values, artist_of[is_known]))
        centres[has_songs, axis] = values[order][middles]
    away = np.hypot(*(positions[is_known] - centres[artist_of[is_known]]).T)
    reach = np.maximum(ISLAND_RADIUS, np.sqrt(counts / (2 * max(1, len(track_ids)))))
    near = np.bincount(artist_of[is_known][away <= reach[artist_of[is_known]]], minlength=num)
    named = np.array([bool(name.strip()) for name in labels.artists], bool)
    chosen = np.flatnonzero(has_songs & named & (2 * near >= counts))
    chosen = chosen[np.argsort(-counts[chosen], kind="stable")]
    place_of = np.full(num + 1, -1)
    place_of[chosen] = np.arange(len(chosen))
    names = tuple(one_line(labels.artists[i]) for i in chosen)
    return Islands(names, centres[chosen], place_of[np.where(is_known, artist_of, num)])


class Names(QObject):
    """Says which names stand where, and draws them; titles are fetched as they are needed."""

    changed = Signal()

    def __init__(self, theme: Theme, open_library: OpenLibrary, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._open_library = open_library
        self._islands = Islands()
        self._ids = np.empty(0, np.int64)
        self._titles: dict[int, str] = {}  # by track; "" while it is fetched

    def show_songs(self, track_ids: np.ndarray, found: Islands) -> None:
        """Those of the map that is opened."""
        self._ids, self._islands = track_ids, found
        self._titles = {}

    def paint(
        self, painter: QPainter, camera: Camera, pixels: np.ndarray, is_meant: np.ndarray | None
    ) -> None:
        """``pixels``: (n, 2) of all songs; ``is_meant``: (n,) bool, those to be named; or all."""
        size = np.array([camera.width, camera.height], np.float32)
        is_seen = ((pixels >= 0) & (pixels < size)).all(1)
        if is_meant is not None:
            is_seen &= is_meant
        rows = np.flatnonzero(is_seen)
        if len(rows) <= MAX_NAMES and (camera.nearness >= NEAR or is_meant is not None):
            font, away = self._theme.font(SMALL), BESIDE
            names = self._titles_at(rows, pixels)
        else:
            font, away = self._theme.font(weight=QFont.Weight.DemiBold), ABOVE
            names = self._artists_at(rows, camera)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        for text, room in placed(names, metrics, (float(size[0]), float(size[1])), away):
            self._paint_name(painter, text, room)

    def _artists_at(self, rows: np.ndarray, camera: Camera) -> Iterable[Name]:
        """Those with a song in sight."""
        if len(self._islands.rows) != len(self._ids) or not len(rows):
            return ()
        is_seen = np.zeros(len(self._islands.names) + 1, bool)
        is_seen[self._islands.rows[rows]] = True  # the last stands for those of no island
        seen = np.flatnonzero(is_seen[:-1])[:MAX_TRIED]
        pixels = camera.pixels(self._islands.centres[seen])
        texts = (self._islands.names[i] for i in seen)
        return zip(texts, pixels[:, 0].tolist(), pixels[:, 1].tolist(), strict=True)

    def _titles_at(self, rows: np.ndarray, pixels: np.ndarray) -> Iterable[Name]:
        if not len(self._ids):
            return ()
        ids = self._ids[rows].tolist()
        if missing := [track_id for track_id in ids if track_id not in self._titles]:
            self._titles.update(dict.fromkeys(missing, ""))
            self._open_library.fetch_tracks(missing, self._titles_arrived)
        names = zip((self._titles[i] for i in ids), *pixels[rows].T.tolist(), strict=True)
        return [name for name in names if name[0]]

    def _titles_arrived(self, tracks: Sequence[Track]) -> None:
        self._titles.update({track.id: title_of(track) for track in tracks})
        self.changed.emit()

    def _paint_name(self, painter: QPainter, text: str, room: QRectF) -> None:
        """With a seam in the ground's colour, so that it can be read over points."""
        start = QPointF(room.left() + 2, room.bottom() - painter.fontMetrics().descent())
        painter.setPen(self._theme.colour("window"))
        for step in (QPointF(-1, 0), QPointF(1, 0), QPointF(0, -1), QPointF(0, 1)):
            painter.drawText(start + step, text)
        painter.setPen(self._theme.colour("text"))
        painter.drawText(start, text)


def placed(
    names: Iterable[Name],
    metrics: QFontMetricsF,
    size: tuple[float, float],
    away: tuple[float, float],
) -> list[tuple[str, QRectF]]:
    """Those for which there is room, the first before the others, none over another.

    ``size``: of what can be drawn on. ``away``: from what is named, in pixels; to its right, or
    in its middle.
    """
    ground, (right, down) = QRectF(0, 0, *size), away
    max_width = MAX_LETTERS * metrics.averageCharWidth()
    found: list[tuple[str, QRectF]] = []
    for name, x, y in names:
        text = metrics.elidedText(name[:200], Qt.TextElideMode.ElideRight, max_width)
        width, height = metrics.horizontalAdvance(text) + 4, metrics.height()
        left = x + right if right else x - width / 2
        room = QRectF(left, y + down - height / 2, width, height)
        padded = room.adjusted(-GAP_PX, -GAP_PX, GAP_PX, GAP_PX)
        if ground.contains(room) and not any(padded.intersects(other) for _, other in found):
            found.append((text, room))
        if len(found) == MAX_NAMES:
            break
    return found
