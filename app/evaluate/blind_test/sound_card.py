"""A large button for one of the three sounds."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.ui.theme import Theme
from app.ui.widgets import SMALL

RADIUS_PX = 14.0
ICON_PX = 26


class SoundCard(QAbstractButton):
    """Shows whether it sounds, how far it has come, and whether it was heard."""

    def __init__(self, theme: Theme, name: str, hint: str, keys: str) -> None:
        super().__init__()
        self._theme = theme
        self._name = name
        self._hint = hint
        self._keys = keys
        self._share: float | None = None  # None: another one is on
        self._is_playing = False
        self._is_heard = False
        self.setAccessibleName(f"{name}: {hint}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(keys)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(200, 150)

    def minimumSizeHint(self) -> QSize:
        return QSize(130, 130)

    def show_state(self, *, share: float | None, is_playing: bool, is_heard: bool) -> None:
        """``share`` of it that was played; None while another one is on."""
        self._share, self._is_playing, self._is_heard = share, is_playing, is_heard
        state = self.tr("playing") if is_playing else self.tr("heard") if is_heard else ""
        self.setAccessibleDescription(state)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        is_on = self._share is not None
        edge = "accent" if is_on or self.hasFocus() else "line"
        painter.setPen(QPen(theme.colour(edge), 2 if is_on else 1))
        painter.setBrush(theme.colour("selected" if is_on or self.underMouse() else "surface"))
        painter.drawRoundedRect(box, RADIUS_PX, RADIUS_PX)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(4, 4, -4, -4), RADIUS_PX - 3, RADIUS_PX - 3)
        painter.setPen(theme.colour("text"))
        painter.setFont(theme.font(2.0, QFont.Weight.Bold))
        painter.drawText(box.adjusted(18, 14, -18, 0), int(Qt.AlignmentFlag.AlignLeft), self._name)
        icon = "pause" if self._is_playing and is_on else "play"
        colour = "accent" if is_on else "text" if not self._is_heard else "muted"
        pixmap = theme.pixmap(icon, colour, ICON_PX, self.devicePixelRatioF())
        painter.drawPixmap(round(box.right() - 18 - ICON_PX), round(box.top() + 18), pixmap)
        painter.setFont(theme.font(SMALL))
        painter.setPen(theme.colour("muted"))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        wrap = int(Qt.TextFlag.TextWordWrap)
        painter.drawText(box.adjusted(18, 0, -18, -26), flags | wrap, self._hint)
        self._draw_progress(
            painter, QRectF(box.left() + 18, box.bottom() - 16, box.width() - 36, 4)
        )

    def _draw_progress(self, painter: QPainter, bar: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("raised" if self._share is None else "wave"))
        painter.drawRoundedRect(bar, 2, 2)
        done = self._share if self._share is not None else 1.0 if self._is_heard else 0.0
        if done > 0:
            painter.setBrush(self._theme.colour("wave" if self._share is None else "accent"))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * done, 4), 2, 2)
