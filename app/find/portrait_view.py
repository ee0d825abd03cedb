"""Why do they sound alike? Both voices on five scales, and a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.find.portrait_words import ASPECTS, NOTES, Aspect, ends, explanation, name, sentence
from app.ui.layouts import vbox
from app.ui.theme import Theme
from app.ui.widgets import SMALL, ElidedLabel, plain_tool_tip
from engine.records import VoicePortrait

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
        height = self.fontMetrics().height()
        painter.setPen(self._theme.colour("text"))
        painter.drawText(
            column, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, name(aspect)
        )
        painter.setPen(self._theme.colour("muted"))
        below = column.adjusted(0, column.height() - height, 0, 0)
        low, high = ends(aspect)
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
