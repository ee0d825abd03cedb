"""The left side of the page: what can be begun, what is running, and earlier reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QFont, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QWidget,
)

from app.evaluate.protocols import BY_NAME
from app.evaluate.saved_reports import SavedReport
from app.ui.layouts import hbox, vbox
from app.ui.text_format import duration
from app.ui.theme import Theme
from app.ui.two_line_delegate import DataRole, DetailRole, TwoLineDelegate
from app.ui.widgets import SMALL, ElidedLabel, IconButton, ProgressBar, button, label
from engine.progress import Progress

SIDE_PX = 250


class RunCard(QFrame):
    """The evaluation that is running."""

    cancel_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self.stage = ElidedLabel(font=theme.font(weight=QFont.Weight.DemiBold))
        self.detail = ElidedLabel("muted", theme.font(SMALL))
        self.eta = ElidedLabel("muted", theme.font(SMALL))
        self.bar = ProgressBar(self.tr("Progress of the evaluation"))
        self.cancel = IconButton(theme, "close", self.tr("Stop the evaluation"), size=16)
        self.cancel.clicked.connect(self._cancel)
        top = hbox((self.stage, 1), self.cancel)
        rows = (top, self.bar, self.detail, self.eta)
        vbox(*rows, spacing=5, margins=(12, 8, 8, 12), of=self)

    def begin(self) -> None:
        self.cancel.setEnabled(True)
        self.show_progress(Progress("load"))
        self.show()

    def _cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.stage.setText(self.tr("Stopping…"))
        self.cancel_requested.emit()

    def show_progress(self, progress: Progress) -> None:
        if not self.cancel.isEnabled():
            return
        self.stage.setText(self._stage_text(progress))
        self.bar.show_progress(progress)
        self.detail.setText(progress.message)
        left = "" if progress.eta_s is None else duration(progress.eta_s)
        self.eta.setText(
            self.tr("about {time} left in this step").format(time=left) if left else ""
        )

    def _stage_text(self, progress: Progress) -> str:
        if progress.stage in BY_NAME:
            return BY_NAME[progress.stage].shown_title
        texts = {
            "load": self.tr("Getting ready…"),
            "read": self.tr("Reading {done} of {total}"),
            "listen": self.tr("Listening: {done} of {total}"),
            "write": self.tr("Writing the report…"),
        }
        text = texts.get(progress.stage, progress.stage)
        return text.format(done=progress.num_done, total=progress.num_total or "…")


class ReportsPanel(QWidget):
    """One selected report is shown, several are compared; Delete asks to delete them."""

    new_requested = Signal()
    test_requested = Signal()
    chosen = Signal(object)  # list[SavedReport]
    delete_requested = Signal(object)  # list[SavedReport]

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(SIDE_PX)
        self.new = self._button(self.tr("New evaluation"), self.new_requested)
        self.test = self._button(self.tr("New listening test"), self.test_requested)
        self.run_card = RunCard(theme)
        self.run_card.hide()
        self.list = self._make_list(theme)
        small, bold = theme.font(SMALL), theme.font(SMALL, QFont.Weight.DemiBold)
        empty = self.tr("Reports stay here, to be read again and compared.")
        self._empty = label(empty, "muted", small, wrap=True)
        self._hint = label(self.tr("Choose several to compare them."), "muted", small, wrap=True)
        heading = label(self.tr("Reports"), "accent", bold)
        items = (self.new, self.test, self.run_card, 6, heading, self._empty, (self.list, 1), None)
        vbox(*items, self._hint, spacing=8, margins=(14, 14, 14, 14), of=self)
        for part in (self._empty, self.list, self._hint):
            part.hide()  # until it is known what there is

    def _button(self, text: str, signal: object) -> QPushButton:
        widget = button(text)
        widget.clicked.connect(signal)
        return widget

    def _make_list(self, theme: Theme) -> QListWidget:
        made = QListWidget()
        made.setAccessibleName(self.tr("Earlier reports"))
        made.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setItemDelegate(TwoLineDelegate(theme, made))
        made.itemSelectionChanged.connect(self._selected)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), made)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(lambda: self.delete_requested.emit(self.selected))
        return made

    @property
    def selected(self) -> list[SavedReport]:
        """From the top of the list downwards."""
        rows = sorted(self.list.row(item) for item in self.list.selectedItems())
        return [self.list.item(row).data(DataRole) for row in rows]

    def show_reports(self, reports: Sequence[SavedReport], select: Path | None = None) -> None:
        """``select``: the folder of the report to show now. Else the selection stays as it is."""
        kept = {select} if select is not None else {opened.folder for opened in self.selected}
        self.list.blockSignals(True)
        self.list.clear()
        for opened in reports:
            item = QListWidgetItem(opened.title)
            item.setData(DataRole, opened)
            item.setData(DetailRole, self._detail(opened))
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, self._detail(opened))
            self.list.addItem(item)
            if opened.folder in kept:
                self.list.setCurrentItem(item, QItemSelectionModel.SelectionFlag.Select)
        self.list.blockSignals(False)
        self.list.setVisible(bool(reports))
        self._empty.setVisible(not reports)
        self._hint.setVisible(len(reports) > 1)
        if select is not None:
            self._selected()

    def _detail(self, opened: SavedReport) -> str:
        models = len(opened.report.models)
        num = self.tr("1 model") if models == 1 else self.tr("{num} models").format(num=models)
        return f"{opened.made:%d %b %Y, %H:%M}\n{num}"

    def clear_selection(self) -> None:
        self.list.blockSignals(True)
        self.list.clearSelection()
        self.list.blockSignals(False)

    def _selected(self) -> None:
        if chosen := self.selected:
            self.chosen.emit(chosen)
