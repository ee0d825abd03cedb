"""A page that holds no more than a sign, a heading, a sentence, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QWidget

from app.ui.layouts import Item, hbox, vbox
from app.ui.text_format import narrow
from app.ui.theme import Theme
from app.ui.widgets import HEADING, IconLabel, label

WIDTH_PX = 520


class MessagePage(QWidget):
    def __init__(self, theme: Theme, icon: str, colour: str, *below: Item) -> None:
        """``below``: what comes below the sentence, in the middle."""
        super().__init__()
        self.setObjectName("page")
        sign = IconLabel(theme, icon, colour, 64)
        self.heading = label(font=theme.font(HEADING * 1.1, QFont.Weight.DemiBold))
        self.text = label(role="muted", wrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setMaximumWidth(WIDTH_PX)
        for widget in (sign, self.heading, self.text):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
        rows = (hbox(None, one, None) if isinstance(one, QWidget) else one for one in below)
        text = hbox(None, (self.text, 1), None)
        layout = vbox(sign, self.heading, text, *rows, spacing=12, margins=(9, 9, 9, 9), of=self)
        layout.insertStretch(0, 2)
        layout.addStretch(3)

    def show_text(self, heading: str, text: str) -> None:
        self.heading.setText(heading)
        self.text.setText(narrow(text))
        self.text.setToolTip(text if self.text.text() != text else "")
