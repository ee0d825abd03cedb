"""Why do two voices sound alike? Both on five scales, and a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.ui.layouts import vbox
from app.ui.shortcuts import noop
from app.ui.theme import Theme
from app.ui.widgets import SMALL, ElidedLabel, elided, plain_tool_tip
from engine.listening.notes import note_name
from engine.records import VoicePortrait


@dataclass(frozen=True)
class Aspect:
    """One thing that a portrait tells, on a scale.

    Attributes:
        subject: the name within a sentence.
        value: of a portrait, on the scale; None where it cannot be told.
        told: the value with its unit.
        ends: names of the scale's ends. less, more: how a voice is that lies nearer to each.
        limits: the values at the ends. near: voices that differ by no more are alike: songs of one
            singer seldom differ by more.
    """

    name: str
    subject: str
    value: Callable[[VoicePortrait], float | None]
    told: Callable[[VoicePortrait], str]
    ends: tuple[str, str]
    less: str
    more: str
    limits: tuple[float, float]
    near: float

    def place(self, portrait: VoicePortrait) -> float | None:
        """0 to 1 on the scale."""
        value = self.value(portrait)
        low, high = self.limits
        return None if value is None else min(1.0, max(0.0, (value - low) / (high - low)))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Portrait", text)


def _range_told(portrait: VoicePortrait) -> str:
    notes = (portrait.lowest_note, portrait.usual_note, portrait.highest_note)
    lowest, usual, highest = map(note_name, notes)
    return _tr("{lowest} to {highest}, mostly around {usual}").format(
        lowest=lowest, highest=highest, usual=usual
    )


def _vibrato(portrait: VoicePortrait) -> float:
    """How far all long notes move, those without vibrato among them: cents."""
    return (portrait.vibrato_cents or 0.0) * portrait.vibrato_share


def _vibrato_told(portrait: VoicePortrait) -> str:
    if portrait.vibrato_hz is None or portrait.vibrato_cents is None:
        return _tr("none")
    return _tr("{hz} Hz, ± {cents} cents, in {share} % of the long notes").format(
        hz=f"{portrait.vibrato_hz:.1f}",
        cents=round(portrait.vibrato_cents),
        share=round(100 * portrait.vibrato_share),
    )


def _told(value: float | None, unit: str) -> str:
    return _tr("cannot be told") if value is None else f"{value:.0f} {unit}"


def _breath(portrait: VoicePortrait) -> float | None:
    return None if portrait.clearness_db is None else -portrait.clearness_db


def _brightness(portrait: VoicePortrait) -> float | None:
    hz = portrait.brightness_hz
    return None if not hz else math.log2(hz)


NOTES = Aspect(
    noop("Notes"),
    noop("notes"),
    lambda portrait: portrait.usual_note,
    _range_told,
    ("C2", "C6"),
    noop("lower"),
    noop("higher"),
    (36.0, 84.0),
    3.0,
)
ASPECTS = (
    NOTES,
    Aspect(
        noop("Vibrato"),
        noop("vibrato"),
        _vibrato,
        _vibrato_told,
        (noop("none"), noop("wide")),
        noop("less vibrato"),
        noop("more vibrato"),
        (0.0, 50.0),
        10.0,
    ),
    Aspect(
        noop("Breath"),
        noop("breath"),
        _breath,
        lambda portrait: _told(portrait.clearness_db, "dB"),
        (noop("clear"), noop("breathy")),
        noop("clearer"),
        noop("breathier"),
        (-34.0, -10.0),
        4.0,
    ),
    Aspect(
        noop("Roughness"),
        noop("roughness"),
        lambda portrait: portrait.roughness_db,
        lambda portrait: _told(portrait.roughness_db, "dB"),
        (noop("smooth"), noop("rough")),
        noop("smoother"),
        noop("rougher"),
        (-8.0, 4.0),
        2.5,
    ),
    Aspect(
        noop("Brightness"),
        noop("brightness"),
        _brightness,
        lambda portrait: _told(portrait.brightness_hz, "Hz"),
        (noop("dark"), noop("bright")),
        noop("darker"),
        noop("brighter"),
        (math.log2(200), math.log2(1400)),
        0.4,
    ),
)


def sentence(query: VoicePortrait, result: VoicePortrait) -> str:
    """``Alike: notes, breath. The result: brighter.``"""
    alike, differences = list[str](), list[str]()
    for aspect in ASPECTS:
        first, second = aspect.value(query), aspect.value(result)
        if first is None or second is None:
            continue
        if abs(first - second) <= aspect.near:
            alike.append(_tr(aspect.subject))
        else:
            differences.append(_tr(aspect.more if second > first else aspect.less))
    parts = []
    if alike:
        parts.append(_tr("Alike: {aspects}.").format(aspects=", ".join(alike)))
    if differences:
        parts.append(_tr("The result: {differences}.").format(differences=", ".join(differences)))
    return " ".join(parts)


def explanation(aspect: Aspect, portraits: tuple[VoicePortrait | None, ...]) -> str:
    """``Vibrato: none / 5.5 Hz, …``: of both voices, as far as they are known."""
    told = [aspect.told(portrait) for portrait in portraits if portrait is not None]
    return f"{_tr(aspect.name)}: {' / '.join(told)}"


COLOURS = ("accent", "overall")  # as the waveforms of query and result
SHARES = (1.6, 1.0, 1.0, 1.0, 1.0)  # of the width, by aspect
GAP_PX = 18
LINE_PX = 3
DOT_PX = 4.5


class PortraitView(QWidget):
    """Hidden while the voice asked for was not measured, and where results need the room."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._has_query, self._has_room = False, True
        self._sentence = ElidedLabel(role="muted", font=theme.font(SMALL))
        self._scales = _Scales(theme)
        self.setAccessibleName(self.tr("Why do they sound alike?"))
        vbox(self._sentence, self._scales, spacing=6, of=self)
        self.show_voices(None, None)

    @property
    def text(self) -> str:
        return self._sentence.text()

    def show_voices(self, query: VoicePortrait | None, result: VoicePortrait | None) -> None:
        """None: not measured, or there is no song yet."""
        self._has_query = query is not None
        self.setVisible(self._has_query and self._has_room)
        self._sentence.setText(sentence(query, result) if query and result else "")
        self._scales.show_voices(query, result)
        told = [explanation(aspect, (query, result)) for aspect in ASPECTS]
        self.setAccessibleDescription("\n".join([self._sentence.text(), *told]))

    def set_has_room(self, has_room: bool) -> None:
        self._has_room = has_room
        self.setVisible(self._has_query and has_room)


class _Scales(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._voices: tuple[VoicePortrait | None, VoicePortrait | None] = (None, None)
        self.setFont(theme.font(SMALL * 0.95))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_voices(self, query: VoicePortrait | None, result: VoicePortrait | None) -> None:
        self._voices = (query, result)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, 2 * self.fontMetrics().height() + 22)

    def _columns(self) -> Iterator[tuple[Aspect, QRectF]]:
        free = self.width() - GAP_PX * (len(ASPECTS) - 1)
        x = 0.0
        for aspect, share in zip(ASPECTS, SHARES, strict=True):
            width = free * share / sum(SHARES)
            yield aspect, QRectF(x, 0, width, self.height())
            x += width + GAP_PX

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for aspect, column in self._columns():
            self._paint_texts(painter, aspect, column)
            self._paint_voices(painter, aspect, column)

    def _paint_texts(self, painter: QPainter, aspect: Aspect, column: QRectF) -> None:
        metrics = self.fontMetrics()
        painter.setPen(self._theme.colour("text"))
        name = elided(self, _tr(aspect.name), int(column.width()) + GAP_PX // 2)
        painter.drawText(column.topLeft() + QPointF(0, metrics.ascent()), name)
        low, high = map(_tr, aspect.ends)
        if metrics.horizontalAdvance(f"{low}  {high}") > column.width():
            return  # one would be written over the other
        painter.setPen(self._theme.colour("muted"))
        below = column.adjusted(0, column.height() - metrics.height(), 0, 0)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, low)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, high)

    def _paint_voices(self, painter: QPainter, aspect: Aspect, column: QRectF) -> None:
        """The query above the line, the result below it; of notes also how far they reach."""
        middle = self.fontMetrics().height() + 11.0
        painter.setPen(QPen(self._theme.colour("line"), 1))
        painter.drawLine(QPointF(column.left(), middle), QPointF(column.right(), middle))
        for portrait, colour, y in zip(
            self._voices, COLOURS, (middle - 5, middle + 5), strict=True
        ):
            place = None if portrait is None else aspect.place(portrait)
            if portrait is None or place is None:
                continue
            inside = column.adjusted(DOT_PX, 0, -DOT_PX, 0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(colour))
            if aspect is NOTES:
                low, high = aspect.limits
                reach = (portrait.lowest_note - low, portrait.highest_note - low)
                left, right = (
                    inside.left() + inside.width() * min(1.0, max(0.0, part / (high - low)))
                    for part in reach
                )
                bar = QRectF(left, y - LINE_PX / 2, right - left, LINE_PX)
                painter.drawRoundedRect(bar, LINE_PX / 2, LINE_PX / 2)
            painter.drawEllipse(QPointF(inside.left() + inside.width() * place, y), DOT_PX, DOT_PX)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for aspect, column in self._columns():
                if column.contains(QPointF(event.pos())):
                    text = plain_tool_tip(explanation(aspect, self._voices))
                    QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)
