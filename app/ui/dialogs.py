"""Dialogs. They are opened, never executed: no event loop within the event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, QStandardPaths, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.ui.layouts import Item, hbox, vbox
from app.ui.shortcuts import FIND, LIBRARY, MAP, PAGES, PLAYING, QUEUE, TEST, Keys
from app.ui.theme import Theme
from app.ui.widgets import SMALL, TITLE, button, label
from engine import __version__

HELP_COLUMNS = ((PAGES, FIND, LIBRARY, TEST), (PLAYING, QUEUE, MAP))


class Dialog(QDialog):
    """A titled sheet with content and a row of buttons; it deletes itself when closed."""

    def __init__(self, parent: QWidget, theme: Theme, title: str, size: QSize) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(size.boundedTo(self.screen().availableSize()))
        self.theme = theme
        self.body, self.buttons = vbox(spacing=10), hbox(spacing=8)
        heading = label(title, font=theme.font(TITLE * 0.85, QFont.Weight.DemiBold))
        parts = (heading, (self.body, 1), self.buttons)
        vbox(*parts, spacing=14, margins=(22, 20, 22, 18), of=self)

    def add_button(self, text: str, action: Callable[[], object], kind: str = "") -> QPushButton:
        widget = button(text, kind)
        widget.setAutoDefault(False)
        widget.clicked.connect(lambda: action())
        self.buttons.addWidget(widget)
        return widget


def ask_text(
    parent: QWidget, title: str, what: str, text: str, use: Callable[[str], object]
) -> QInputDialog:
    """``use`` gets what was written, unless that is nothing."""
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.setLabelText(what)
    dialog.setTextValue(text)
    dialog.textValueSelected.connect(lambda written: written.strip() and use(written.strip()))
    dialog.open()
    for field in dialog.findChildren(QLineEdit):
        field.setAccessibleName(what)
    return dialog


class HelpSheet(Dialog):
    """All shortcuts, by group."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent, theme, self.tr("Keyboard"), QSize(900, 672))
        sheet = QWidget()
        sheet.setObjectName("page")
        columns = [(self._column(groups), 1) for groups in HELP_COLUMNS]
        hbox(*columns, spacing=32, margins=(0, 0, 12, 0), of=sheet)
        scroll = QScrollArea()  # for low screens
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName(self.tr("Keyboard"))
        scroll.setWidget(sheet)
        self.body.addWidget(scroll)
        self.buttons.addWidget(label(f"Singalike {__version__}", "muted", theme.font(SMALL)))
        self.buttons.addStretch()
        self.add_button(self.tr("Close"), self.close).setFocus()

    def _column(self, groups: Sequence[str]) -> QVBoxLayout:
        font = self.theme.font(SMALL, QFont.Weight.DemiBold)
        items: list[Item] = []
        for group in groups:
            table = self._table([keys for keys in Keys if keys.value.group == group])
            items += [label(self.tr(group), "accent", font), table, 6]
        return vbox(*items, None, spacing=8)

    def _table(self, members: Sequence[Keys]) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(4)
        grid.setHorizontalSpacing(16)
        grid.setColumnMinimumWidth(0, 92)
        grid.setColumnStretch(1, 1)
        font = self.theme.font(weight=QFont.Weight.Medium)
        for i, keys in enumerate(members):
            grid.addWidget(label(keys.value.label, font=font), i, 0)
            grid.addWidget(label(keys.value.description, "muted", wrap=True), i, 1)
        return grid


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


Mode = QFileDialog.FileMode


def open_file_dialog(
    parent: QWidget,
    title: str,
    mode: Mode,
    *,
    start: str = "",
    filters: Sequence[str] = (),
    name: str = "",
) -> QFileDialog:
    """``fileSelected`` or ``filesSelected`` of what is returned bring what was chosen.

    Args:
        mode: ``Directory``, ``ExistingFile``, ``ExistingFiles``, or, to save one, ``AnyFile``.
        start: the folder that it begins with; "" is where this system keeps music.
        filters: as ``Audio (*.mp3 *.flac)``.
        name: offered for a file to be saved.
    """
    music = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MusicLocation)
    dialog = QFileDialog(parent, title, start or music)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    if mode == Mode.Directory:
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    if mode == Mode.AnyFile:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(name)
    if filters:
        dialog.setNameFilters(list(filters))
    dialog.open()
    return dialog
