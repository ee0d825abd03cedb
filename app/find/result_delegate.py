"""Draws one result: cover with play button, names, similarity, and the matching moments."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from app.find.result_model import NO_PERCENT, ResultModel, lines_of
from app.library.covers import cover_seed
from app.ui.rows import MAX_LETTERS, RIGHT, Index, ItemRole, RowDelegate
from app.ui.text_format import clock
from app.ui.theme import Theme
from app.ui.widgets import HEADING, DrawCover
from engine.library.records import Track
from engine.records import View
from engine.search import Moment, Neighbour

PAD, COMPACT_PAD = 10, 4
COVER, COMPACT_COVER = 52, 34
CHIP_PAD = 8
HEART_PX = 13
CHIP_GAP = 6
LINE_GAP = 2
MARK = 14  # of a voice from the whole song, or of a view
VIEW_LOOKS: dict[View, tuple[str, str]] = {  # icon, colour
    "vocals": ("voice", "accent"),
    "overall": ("overall", "overall"),
}

PLAY = -1  # parts of a row: PLAY, NOTHING, or the number of a moment
NOTHING = -2


@dataclass(frozen=True)
class RowLayout:
    """Where the parts of a row lie."""

    cover: QRect
    title: QRect
    artist: QRect
    score: QRect
    bar: QRect
    chips: tuple[QRect, ...]
    parts: QRect  # of a blend: what voice and whole sound say alone

    def part_at(self, point: QPoint) -> int:
        if self.cover.contains(point):
            return PLAY
        for i, chip in enumerate(self.chips):
            if chip.contains(point):
                return i
        return NOTHING


class ResultDelegate(RowDelegate):
    """The view sets ``hovered``, (row, part) under the mouse, ``playing_id`` and ``favourites``."""

    def __init__(self, theme: Theme, colour: str, cover: DrawCover) -> None:
        super().__init__(theme, cover, COVER)
        self._colour = colour
        self.hovered: tuple[int, int] = (-1, NOTHING)
        self.playing_id: int | None = None
        self.favourites: frozenset[int] = frozenset()
        self.is_compact = False  # two lines instead of three, for low windows
        self._title_font = theme.font(weight=QFont.Weight.DemiBold)
        self._score_font = theme.font(HEADING, QFont.Weight.DemiBold)

    @property
    def _number_font(self) -> QFont:
        return self._title_font if self.is_compact else self._score_font

    # Geometry

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        title, small = QFontMetrics(self._title_font), QFontMetrics(self._small_font)
        if self.is_compact:
            text = title.height() + small.height() + LINE_GAP
            return QSize(200, max(COMPACT_COVER, text) + 2 * COMPACT_PAD)
        text = title.height() + 2 * small.height() + 6 + 3 * LINE_GAP
        return QSize(200, max(COVER, text) + 2 * PAD)

    def layout(self, rect: QRect, neighbour: Neighbour) -> RowLayout:
        """In a high row the title has all of its line, in a low one the score stands beside it."""
        title, small = QFontMetrics(self._title_font), QFontMetrics(self._small_font)
        pad, side = (COMPACT_PAD, COMPACT_COVER) if self.is_compact else (PAD, COVER)
        cover = QRect(rect.left() + PAD, rect.center().y() - side // 2 + 1, side, side)
        left, end = cover.right() + 1 + PAD + 2, rect.right() - PAD
        top = rect.top() + pad
        below = top + title.height() - 1 + LINE_GAP
        score_top, score_width = top if self.is_compact else below, self._score_width()
        number_height = QFontMetrics(self._number_font).height()
        score = QRect(end - score_width, score_top, score_width, number_height)
        under = score.bottom() + (3 if self.is_compact else 7)
        bar = QRect(score.left() + 2, under, score_width - 2, 4)
        parts = self._parts_rect(score.left(), score_top, neighbour)
        beside = max(20, parts.left() - left - PAD)  # the score
        title_rect = QRect(left, top, beside if self.is_compact else end - left, title.height())
        artist_rect = QRect(left, below, beside, small.height())
        if self.is_compact:  # half of the artist's line is the moments', if one fits there
            chips = self._chips(left + beside // 2, below, left + beside, neighbour)
            artist_rect.setWidth(beside // 2 - CHIP_GAP if chips else beside)
        else:
            third = artist_rect.bottom() + 2 * LINE_GAP + 1
            chips = self._chips(left, third, left + beside, neighbour)
        return RowLayout(cover, title_rect, artist_rect, score, bar, chips, parts)

    def _parts_rect(self, right: int, top: int, neighbour: Neighbour) -> QRect:
        """Left of the score, a line for each; without width where there is no blend."""
        metrics = QFontMetrics(self._small_font)
        if not neighbour.parts:
            return QRect(right, top, 0, 0)
        width = MARK + 4 + metrics.horizontalAdvance("100 %")
        return QRect(right - width - PAD, top, width, len(neighbour.parts) * metrics.height())

    def _score_width(self) -> int:
        number, sign = QFontMetrics(self._number_font), QFontMetrics(self._small_font)
        least = 0 if self.is_compact else 58
        return max(least, number.horizontalAdvance("100") + sign.horizontalAdvance(" %"))

    def _chips(self, left: int, top: int, right: int, neighbour: Neighbour) -> tuple[QRect, ...]:
        metrics = QFontMetrics(self._small_font)
        chips = []
        for moment in neighbour.moments:
            width = metrics.horizontalAdvance(chip_text(moment)) + 2 * CHIP_PAD
            if left + width > right:
                break
            height = metrics.height() + (0 if self.is_compact else 4)
            chips.append(QRect(left, top, width, height))
            left += width + CHIP_GAP
        return tuple(chips)

    # Painting

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        neighbour: Neighbour = index.data(ItemRole)
        layout = self.layout(option.rect, neighbour)
        hovered_part = self.hovered[1] if self.hovered[0] == index.row() else None
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, option.rect, option.state)
        self._paint_cover(painter, layout.cover, neighbour.track, hovered_part)
        self._paint_text(painter, layout, neighbour)
        if neighbour.percent != NO_PERCENT:
            model = index.model()
            is_far = isinstance(model, ResultModel) and model.likeness(neighbour) == ""
            self._paint_score(painter, layout, neighbour.percent, is_far)
            self._paint_parts(painter, layout.parts, neighbour)
        for i, chip in enumerate(layout.chips):
            self._paint_chip(painter, chip, chip_text(neighbour.moments[i]), hovered_part == i)
        painter.restore()

    def _paint_cover(
        self, painter: QPainter, rect: QRect, track: Track, hovered_part: int | None
    ) -> None:
        ratio = painter.device().devicePixelRatio()
        cover = self._cover(track.path, cover_seed(track), rect.width(), ratio)
        painter.drawPixmap(rect.topLeft(), cover)
        is_playing = track.id == self.playing_id
        if hovered_part is not None or is_playing:
            icon = "pause" if is_playing else "play"
            self._paint_veil(painter, rect, icon, 165 if hovered_part == PLAY else 115)

    def _paint_text(self, painter: QPainter, layout: RowLayout, neighbour: Neighbour) -> None:
        (first, second), rect = lines_of(neighbour), QRect(layout.artist)
        self._paint_title(painter, layout.title, first, neighbour)
        if neighbour.is_from_mixture:  # explained in the tool tip, and to screen readers
            ratio = painter.device().devicePixelRatio()
            icon = self._theme.pixmap("overall", "muted", MARK, ratio)
            painter.drawPixmap(rect.left(), rect.center().y() - MARK // 2 + 1, icon)
            rect.setLeft(rect.left() + MARK + 4)
        self._line(painter, rect, second, self._small_font, "muted")

    def _paint_title(
        self, painter: QPainter, rect: QRect, title: str, neighbour: Neighbour
    ) -> None:
        """With a heart behind it where the song has one."""
        if neighbour.more is None and neighbour.track.id in self.favourites:
            metrics, room = QFontMetrics(self._title_font), rect.width() - HEART_PX - 6
            title = metrics.elidedText(title[:MAX_LETTERS], Qt.TextElideMode.ElideRight, room)
            x = rect.left() + metrics.horizontalAdvance(title) + 6
            y = rect.center().y() - HEART_PX // 2 + 1
            ratio = painter.device().devicePixelRatio()
            heart = self._theme.pixmap("heart-filled", self._colour, HEART_PX, ratio)
            painter.drawPixmap(x, y, heart)
        self._line(painter, rect, title, self._title_font, "text")

    def _paint_score(
        self, painter: QPainter, layout: RowLayout, percent: int, is_far: bool
    ) -> None:
        """``is_far``: two singers are likelier than one, so it steps back."""
        colour = self._theme.colour("muted" if is_far else self._colour)
        metrics = QFontMetrics(self._number_font)
        sign_width = QFontMetrics(self._small_font).horizontalAdvance(" %")
        number, rect = str(percent), layout.score
        painter.setFont(self._number_font)
        painter.setPen(colour)
        painter.drawText(rect.adjusted(0, 0, -sign_width, 0), int(RIGHT), number)
        painter.setFont(self._small_font)
        painter.setPen(self._theme.colour("muted"))
        drop = metrics.ascent() - QFontMetrics(self._small_font).ascent()
        painter.drawText(rect.adjusted(0, drop // 2, 0, drop // 2), int(RIGHT), "%")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("raised"))
        painter.drawRoundedRect(layout.bar, 2, 2)
        filled = QRectF(layout.bar)
        filled.setWidth(max(4.0, filled.width() * percent / 100))
        painter.setBrush(colour)
        painter.drawRoundedRect(filled, 2, 2)

    def _paint_parts(self, painter: QPainter, rect: QRect, neighbour: Neighbour) -> None:
        painter.setFont(self._small_font)
        line = QRect(rect)
        line.setHeight(QFontMetrics(self._small_font).height())
        for view, percent in neighbour.parts:
            icon, colour = VIEW_LOOKS[view]
            ratio = painter.device().devicePixelRatio()
            picture = self._theme.pixmap(icon, colour, MARK, ratio)
            painter.drawPixmap(line.left(), line.center().y() - MARK // 2 + 1, picture)
            painter.setPen(self._theme.colour("muted"))
            painter.drawText(line, int(RIGHT), f"{percent} %")
            line.translate(0, line.height())

    def _paint_chip(self, painter: QPainter, rect: QRect, text: str, is_hovered: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(self._colour if is_hovered else "raised"))
        painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        painter.setFont(self._small_font)
        painter.setPen(self._theme.colour("on_accent" if is_hovered else "muted"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)


def chip_text(moment: Moment) -> str:
    """Where it is in the query, and where in the result."""
    return f"{clock(moment.query_start_s)} \N{RIGHTWARDS ARROW} {clock(moment.start_s)}"
