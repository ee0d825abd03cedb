"""Small widgets of every panel. All text is plain text: tags may hold HTML, and Qt would guess."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QToolTip,
    QWidget,
)

from app.ui.shortcuts import Keys
from app.ui.theme import Theme
from engine.progress import Progress

DrawCover = Callable[[Path, str, int, float], QPixmap]  # path, seed of a tile, pixels, ratio

TITLE = 1.7  # scales of the base font
HEADING = 1.25
SMALL = 0.9


def label(text: str = "", role: str = "", font: QFont | None = None, wrap: bool = False) -> QLabel:
    """A plain-text label; ``role`` picks its colour in the style sheet."""
    widget = QLabel(text)
    widget.setTextFormat(Qt.TextFormat.PlainText)
    widget.setWordWrap(wrap)
    if role:
        widget.setProperty("role", role)
    if font is not None:
        widget.setFont(font)
    return widget


class ElidedLabel(QLabel):
    """One line of plain text that ends in … where it does not fit, and never widens the window."""

    def __init__(
        self, role: str = "", font: QFont | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        if role:
            self.setProperty("role", role)
        if font is not None:
            self.setFont(font)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self.fontMetrics().height())

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()  # whose horizontalAdvance rounds down, and cuts what fits
        width = metrics.size(Qt.TextFlag.TextSingleLine, self.text()[:200]).width()
        return QSize(min(480, width), metrics.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = elided(self, self.text(), self.width())
        painter.drawText(self.rect(), int(self.alignment() | Qt.TextFlag.TextSingleLine), shown)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            is_cut = elided(self, self.text(), self.width()) != self.text()
            text = self.toolTip() or (plain_tool_tip(self.text()) if is_cut else "")
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)


def is_return(event: QKeyEvent) -> bool:
    """Presses a button, as Space does; Qt knows only Space on most desktops."""
    is_bare = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return is_bare and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class IconButton(QToolButton):
    """A button with a line icon. The name is spoken by screen readers and shown as tool tip.

    ``keys``: the window lets it do what these do.
    """

    keys: Keys | None = None

    def __init__(
        self,
        theme: Theme,
        icon: str,
        name: str,
        *,
        shortcut: str = "",
        colour: str = "muted",
        size: int = 20,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._colour = colour
        self._size = size
        self._shortcut = shortcut
        self.setIconSize(QSize(size, size))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # as of Button
        self.set_name(name)
        theme.changed.connect(self._refresh)
        self._refresh()

    def set_icon(self, icon: str) -> None:
        if icon != self._icon:
            self._icon = icon
            self._refresh()

    def set_colour(self, colour: str) -> None:
        if colour != self._colour:
            self._colour = colour
            self._refresh()

    def show_on(self, is_on: bool) -> None:
        """Of a button that can be checked."""
        self.setChecked(is_on)
        self.set_colour("accent" if is_on else "muted")

    def set_name(self, name: str) -> None:
        if name != self.accessibleName():  # screen readers are told each time, also of the same
            self.setAccessibleName(name)
            self.setToolTip(f"{name}  ({self._shortcut})" if self._shortcut else name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_return(event):
            self.click()
        else:
            super().keyPressEvent(event)

    def _refresh(self) -> None:
        self.setIcon(self._theme.icon(self._icon, self._colour, self._size))


def key_button(theme: Theme, icon: str, keys: Keys) -> IconButton:
    """Does what these keys do."""
    made = IconButton(theme, icon, keys.value.description, shortcut=keys.value.label)
    made.keys = keys
    return made


class IconLabel(QLabel):
    """A line icon as decoration; screen readers pass it by."""

    def __init__(self, theme: Theme, icon: str, colour: str = "muted", size: int = 20) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._colour = colour
        self._size = size
        theme.changed.connect(self._refresh)
        self._refresh()

    def set_icon(self, icon: str, colour: str) -> None:
        self._icon, self._colour = icon, colour
        self._refresh()

    def _refresh(self) -> None:
        self.setPixmap(
            self._theme.pixmap(self._icon, self._colour, self._size, self.devicePixelRatioF())
        )


class Button(QPushButton):
    """``keys``: the window lets it do what these do."""

    keys: Keys | None = None

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click, Space still plays and pauses

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_return(event):
            self.click()
        else:
            super().keyPressEvent(event)


def button(text: str, kind: str = "", keys: Keys | None = None) -> QPushButton:
    """A push button; ``kind`` is primary, large, plain or toggle."""
    widget = Button(text)
    if keys is not None:
        widget.keys = keys
        widget.setToolTip(f"{keys.value.description}  ({keys.value.label})")
    if kind:
        widget.setProperty("kind", kind)
    widget.setCursor(Qt.CursorShape.PointingHandCursor)
    widget.setAccessibleName(text.replace("&", ""))
    return widget


def set_look(widget: QWidget, name: str, value: bool | str) -> None:
    """One of the properties by which the style sheet tells looks apart."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.updateGeometry()


def paint_focus_frame(painter: QPainter, rect: QRect, theme: Theme) -> None:
    """Where the keyboard is, for views that paint themselves."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(theme.colour("accent"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(rect).adjusted(1.5, 1.5, -1.5, -1.5), 6, 6)


class ProgressBar(QProgressBar):
    """A thin line; ``name`` is for screen readers."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setTextVisible(False)
        self.setAccessibleName(name)

    def show_progress(self, progress: Progress | None) -> None:
        """While nothing is known of its end, it runs to and fro."""
        total = progress.num_total if progress is not None else None
        self.setRange(0, total or 0)
        self.setValue(progress.num_done if progress is not None and total else 0)


def divider(is_vertical: bool = False) -> QFrame:
    line = QFrame()
    line.setObjectName("divider")
    if is_vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line


def elided(widget: QWidget, text: str, width: int) -> str:
    # Cut first: measuring megabytes of junk from a tag would hold up the painting.
    return widget.fontMetrics().elidedText(text[:1000], Qt.TextElideMode.ElideRight, max(0, width))


def plain_tool_tip(text: str) -> str:
    """Text for a tool tip, which has no plain-text mode: markup is escaped, and long text cut."""
    short = text if len(text) <= 300 else text[:300] + "…"
    escaped = short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<span>{escaped}</span>"
