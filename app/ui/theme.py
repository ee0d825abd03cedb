"""Light and dark, fonts and icons: everything that turns the palette into what is seen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QProxyStyle, QStyle, QStyleOption, QWidget

from app.ui.palette import DARK, LIGHT, Palette
from app.ui.style_sheet import stylesheet

CHOICES = ("system", "light", "dark")
# Where the desktop names no font of its own, Qt falls back to whatever "Sans Serif" happens to be.
NAMELESS_FONTS = {"Sans Serif", "Sans", "sans-serif", "DejaVu Sans"}
GOOD_FONTS = ("Inter", "Cantarell", "Ubuntu", "Noto Sans", "Open Sans")


class Theme(QObject):
    """The colours in force; widgets that paint themselves repaint on ``changed``.

    Attributes (to be read):
        choice: ``system``, ``light`` or ``dark``.
    """

    changed = Signal()

    def __init__(self, icons_path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icons_path = icons_path
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
        self.choice = "system"
        self.palette = LIGHT

    def install(self, app: QApplication, choice: str, text_size: float = 1.0) -> None:
        """Sets style, font and colours of the program and follows the system from then on.

        ``text_size``: times the size of the desktop's font.
        """
        app.setStyle(_Style("fusion"))
        font = base_font(app.font())
        font.setPointSizeF(font.pointSizeF() * min(max(text_size, 0.5), 3.0))
        app.setFont(font)
        app.setWindowIcon(QIcon(str(self._icons_path / "singalike.svg")))
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._system_changed)
        self.choose(choice)

    def choose(self, choice: str) -> None:
        """``system``, ``light`` or ``dark``; anything else counts as ``system``."""
        self.choice = choice if choice in CHOICES else "system"
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        _app().styleHints().setColorScheme(schemes.get(self.choice, Qt.ColorScheme.Unknown))
        self._apply()

    def colour(self, name: str) -> QColor:
        return QColor(getattr(self.palette, name))

    def font(self, scale: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """The program's font, ``scale`` times its size."""
        font = QFont(_app().font())
        font.setPointSizeF(font.pointSizeF() * scale)
        font.setWeight(weight)
        return font

    def icon(self, name: str, colour: str = "text", size: int = 20) -> QIcon:
        """A line icon in a colour of the palette; pale where the button is disabled."""
        icon = QIcon()
        for ratio in (1.0, 2.0):
            pixmap = self.pixmap(name, colour, size, ratio)
            icon.addPixmap(pixmap)
            icon.addPixmap(pixmap, QIcon.Mode.Selected)  # or Qt tints those of selected rows
            icon.addPixmap(self.pixmap(name, "wave", size, ratio), QIcon.Mode.Disabled)
        return icon

    def pixmap(
        self, name: str, colour: str = "text", size: int = 20, ratio: float = 1.0
    ) -> QPixmap:
        """``colour``: of the palette, or ``#rrggbb``; ``size``: device-independent pixels."""
        hex_colour = getattr(self.palette, colour, colour)
        key = (name, hex_colour, size, ratio)
        if key not in self._pixmaps:
            self._pixmaps[key] = _render(
                self._source(name).replace("#000000", hex_colour), size, ratio
            )
        return self._pixmaps[key]

    def sign(self, size: int, ratio: float) -> QPixmap:
        """The program's own sign, in its own colours."""
        return _render(self._source("singalike"), size, ratio)

    def _source(self, name: str) -> str:
        return (self._icons_path / f"{name}.svg").read_text(encoding="utf-8")

    def _system_changed(self) -> None:
        if self.choice == "system":
            self._apply()

    def _apply(self) -> None:
        app = _app()
        is_dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        self.palette = {"light": LIGHT, "dark": DARK}.get(self.choice, DARK if is_dark else LIGHT)
        app.setPalette(qt_palette(self.palette))
        app.setStyleSheet(stylesheet(self.palette))
        self.changed.emit()


class _Style(QProxyStyle):
    """Fusion, less dotted focus frames, clicks that page a slider, and icons in buttons."""

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        if element == QStyle.PrimitiveElement.PE_FrameFocusRect:
            return
        super().drawPrimitive(element, option, painter, widget)

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returnData: object = None,  # noqa: N803
    ) -> int:
        if hint == QStyle.StyleHint.SH_Slider_AbsoluteSetButtons:
            return int(Qt.MouseButton.LeftButton.value)
        if hint == QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons:
            return 0
        return super().styleHint(hint, option, widget)


def base_font(system: QFont) -> QFont:
    """The desktop's font; where it names none, the best of those installed."""
    font = QFont(system)
    if font.family() in NAMELESS_FONTS:
        families = set(QFontDatabase.families())
        font.setFamily(next((name for name in GOOD_FONTS if name in families), font.family()))
    if font.pointSizeF() < 10:
        font.setPointSizeF(10)
    return font


def qt_palette(palette: Palette) -> QPalette:
    """Our colours in Qt's roles, for everything that the style sheet does not reach."""
    roles = {
        QPalette.ColorRole.Window: palette.window,
        QPalette.ColorRole.WindowText: palette.text,
        QPalette.ColorRole.Base: palette.surface,
        QPalette.ColorRole.AlternateBase: palette.panel,
        QPalette.ColorRole.Text: palette.text,
        QPalette.ColorRole.Button: palette.raised,
        QPalette.ColorRole.ButtonText: palette.text,
        QPalette.ColorRole.Highlight: palette.selected,
        QPalette.ColorRole.HighlightedText: palette.text,
        QPalette.ColorRole.PlaceholderText: palette.muted,
        QPalette.ColorRole.ToolTipBase: palette.raised,
        QPalette.ColorRole.ToolTipText: palette.text,
        QPalette.ColorRole.Link: palette.accent,
        QPalette.ColorRole.Accent: palette.accent,
    }
    result = QPalette()
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.WindowText,
    ):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(palette.wave))
    return result


def _render(svg: str, size: int, ratio: float) -> QPixmap:
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    renderer.render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app
