"""The dialog of the preferences: sections on the left, the chosen one on the right."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStackedWidget, QWidget

from app.preferences.about import AboutSection
from app.preferences.appearance import AppearanceSection
from app.preferences.folders import FoldersSection
from app.preferences.indexing import IndexingSection
from app.preferences.log import LogSection
from app.preferences.models import ModelsSection
from app.preferences.playback import PlaybackSection
from app.preferences.section import Section
from app.preferences.separators import SeparatorsSection
from app.services.services import Services
from app.ui.dialogs import Dialog
from app.ui.layouts import hbox
from app.ui.notice import Notice

ROW_PX = 36
LEAST_LIST_PX, LIST_PAD_PX = 160, 44  # what is beside the names


class PreferencesDialog(Dialog):
    """What is changed here counts at once; what costs time is asked about first."""

    folders_requested = Signal()

    def __init__(self, parent: QWidget, services: Services) -> None:
        super().__init__(parent, services.theme, self.tr("Preferences"), QSize(820, 620))
        self.models = ModelsSection(services)
        self.separators = SeparatorsSection(services)
        self.folders = FoldersSection(services)
        self.indexing = IndexingSection(services)
        self.playback = PlaybackSection(services)
        self.log = LogSection(services)
        self.sections = QListWidget(self)  # first for the keyboard
        self.sections.setObjectName("sections")
        self.sections.setAccessibleName(self.tr("Sections"))
        self._stack = QStackedWidget(self)
        self.notice = Notice(services.theme, self._stack)
        self._add(self.tr("Appearance"), AppearanceSection(services))
        self._add(self.tr("Folders"), self.folders)
        self._add(self.tr("Sound"), self.playback)
        self._add(self.tr("Indexing"), self.indexing)
        self._add(self.tr("Models"), self.models)
        self._add(self.tr("Separators"), self.separators)
        self._add(self.tr("Log"), self.log)
        self._add(self.tr("About"), AboutSection(services))
        names = (self.sections.item(row).text() for row in range(self.sections.count()))
        widest = max(self.sections.fontMetrics().horizontalAdvance(name) for name in names)
        self.sections.setFixedWidth(max(LEAST_LIST_PX, widest + LIST_PAD_PX))
        self.sections.currentRowChanged.connect(self._stack.setCurrentIndex)
        self.sections.setCurrentRow(0)
        self._lay_out()
        self.folders.folders_requested.connect(self._show_folders)

    def _add(self, name: str, section: Section) -> None:
        section.setAccessibleName(name)
        section.problem.connect(self.notice.show_text)
        item = QListWidgetItem(name, self.sections)
        item.setSizeHint(QSize(0, ROW_PX))  # what the style sheet adds is not counted by itself
        self._stack.addWidget(section)

    def _lay_out(self) -> None:
        self.body.addLayout(hbox(self.sections, (self._stack, 1), spacing=20), 1)
        self.buttons.addStretch()
        self.add_button(self.tr("Close"), self.close)

    def _show_folders(self) -> None:
        self.close()  # a sheet on a sheet would lie behind it on macOS
        self.folders_requested.emit()

    def choose(self, name: str) -> None:
        """Shows the section of that name."""
        (item,) = self.sections.findItems(name, Qt.MatchFlag.MatchExactly)
        self.sections.setCurrentItem(item)

    def done(self, result: int) -> None:
        """A download that is under way stops; what has come is kept for the next time."""
        self.separators.stop()
        super().done(result)
