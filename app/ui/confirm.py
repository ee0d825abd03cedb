"""Asks before something that costs time or cannot be undone. Opened, never executed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def confirm(
    parent: QWidget, question: str, cost: str, yes: str, use: Callable[[], object]
) -> QMessageBox:
    """``use`` is called when ``yes`` (the text of a button) is chosen; Escape and Enter cancel."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(parent.tr("Singalike"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question)
    box.setInformativeText(cost)
    go_on = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    go_on.clicked.connect(lambda: use())
    box.open()
    return box
