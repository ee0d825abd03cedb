"""A panel at the right of a page: beside it where there is room for both, else over it."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget


class SideArea(QWidget):
    def __init__(self, page: QWidget, panel: QWidget) -> None:
        super().__init__()
        self._page, self._panel = page, panel
        page.setParent(self)
        panel.setParent(self)
        panel.hide()

    def show_panel(self, is_shown: bool) -> None:
        self._panel.setVisible(is_shown)
        self._panel.raise_()
        self._place()

    def minimumSizeHint(self) -> QSize:
        return self._page.minimumSizeHint()

    def sizeHint(self) -> QSize:
        return self._page.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        width, height, panel_px = self.width(), self.height(), self._panel.width()
        has_room = width - panel_px >= self._page.minimumSizeHint().width()
        beside = panel_px if has_room and not self._panel.isHidden() else 0
        self._page.setGeometry(0, 0, width - beside, height)
        self._panel.setGeometry(width - panel_px, 0, panel_px, height)
