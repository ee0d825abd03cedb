"""One sentence over the page: what went wrong, what to do. It waits to be read, moving nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QWidget

from app.ui.layouts import hbox
from app.ui.text_format import narrow
from app.ui.theme import Theme
from app.ui.widgets import IconButton, IconLabel, button, label

LEFT_PX, MAX_PX = 14, 520
BELOW_PX = 42  # left free: what pages tell in their last line, and the last row of lists


class Notice(QFrame):
    def __init__(self, theme: Theme, page: QWidget) -> None:
        """``page``: at whose lower left it lies, where none has its buttons."""
        super().__init__(page.parentWidget())
        self.setObjectName("notice")
        self._page = page
        page.installEventFilter(self)
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
        self._row = hbox(
            icon,
            (self._text, 1),
            self._undo,
            self._copy,
            close,
            spacing=10,
            margins=(14, 6, 8, 6),
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
        self._place()
        self.show()
        event = QAccessibleAnnouncementEvent(self, text)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(event)

    def _place(self) -> None:
        """As wide as its sentence, if there is room; else in several lines."""
        room, text = self._page.geometry(), self._text
        line = text.fontMetrics().size(Qt.TextFlag.TextSingleLine, text.text()).width()
        beside = self._row.sizeHint().width() - text.sizeHint().width()
        width = min(line + beside + 2, MAX_PX, room.width() - 2 * LEFT_PX)
        self.resize(width, self.heightForWidth(width))
        self.move(room.left() + LEFT_PX, room.bottom() + 1 - BELOW_PX - self.height())
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and not self.isHidden():
            self._place()
        return False

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
