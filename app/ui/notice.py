"""One sentence at the top of the window: what went wrong and what to do. It waits to be read."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from app.ui.layouts import hbox
from app.ui.text_format import narrow
from app.ui.theme import Theme
from app.ui.widgets import IconButton, IconLabel, button, label


class NoticeBar(QFrame):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._report = ""
        self._text = label(wrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._copy = button(self.tr("Copy report"), "plain")
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._report))
        self._undo = button(self.tr("Undo"), "plain")
        self._undo.clicked.connect(self._take_back)
        self._take_it_back: Callable[[], object] | None = None
        close = IconButton(theme, "close", self.tr("Close this message"), size=16)
        close.clicked.connect(self.hide)
        icon = IconLabel(theme, "info", "accent", 20)
        hbox(
            icon,
            (self._text, 1),
            self._undo,
            self._copy,
            close,
            spacing=10,
            margins=(16, 6, 8, 6),
            of=self,
        )
        self.hide()

    @property
    def text(self) -> str:
        return self.accessibleName() if not self.isHidden() else ""

    def show_text(
        self, text: str, report: str = "", undo: Callable[[], object] | None = None
    ) -> None:
        """Replaces the sentence shown before. A ``report`` can be copied, ``undo`` be called."""
        self._text.setText(narrow(text))
        self.setAccessibleName(text)
        self._report = report
        self._copy.setVisible(bool(report))
        self._take_it_back = undo
        self._undo.setVisible(undo is not None)
        self.show()
        event = QAccessibleAnnouncementEvent(self, text)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(event)

    def _take_back(self) -> None:
        self.hide()
        if self._take_it_back is not None:
            self._take_it_back()

    def show_crash(self, report: str) -> None:
        """Something went wrong in the program itself."""
        text = self.tr("Something went wrong inside Singalike. You can go on.")
        self.show_text(text, report)

    def withdraw(self, text: str) -> None:
        """Takes a sentence away that is no longer so, if it is still the one that is shown."""
        if text == self.text:
            self.hide()
