"""The bar at the top: back and forward, search, and what concerns the library as a whole."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QToolButton, QWidget

from app.shortcuts import Keys
from app.theme import CHOICES, Theme
from app.widgets import SMALL, IconButton, label

SEARCH_PX = 300


class SearchField(QLineEdit):
    """Down and Enter go on to the list, Escape empties the field."""

    left_downwards = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setPlaceholderText(self.tr("Search library"))
        self.setAccessibleName(self.tr("Search library"))
        self.setClearButtonEnabled(True)
        self._icon = self.addAction(
            theme.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition
        )
        for child in self.findChildren(QToolButton):
            if not child.accessibleName():
                child.setAccessibleName(self.tr("Empty the search field"))
        theme.changed.connect(lambda: self._icon.setIcon(theme.icon("search", "muted")))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left_downwards.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.clear()
        else:
            super().keyPressEvent(event)


class TopBar(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.back = self._button(theme, "back", Keys.BACK)
        self.forward = self._button(theme, "forward", Keys.FORWARD)
        self.search = SearchField(theme)
        self.search.setFixedWidth(SEARCH_PX)
        self._count = label(role="muted", font=theme.font(SMALL))
        self.add_folder = self._button(theme, "folder-add", Keys.ADD_FOLDER)
        self.folders = self._button(theme, "folder", Keys.FOLDERS)
        self.rescan = self._button(theme, "retry", Keys.RESCAN)
        self.help = self._button(theme, "help", Keys.HELP)
        self.theme_button = IconButton(theme, "sun", self.tr("Light or dark"))
        self.theme_menu, self.theme_actions = self._theme_menu(theme)
        self.theme_button.setMenu(self.theme_menu)
        self.theme_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._lay_out()

    def _button(self, theme: Theme, icon: str, keys: Keys) -> IconButton:
        return IconButton(theme, icon, keys.value.description, shortcut=keys.value.label)

    def _theme_menu(self, theme: Theme) -> tuple[QMenu, dict[str, QAction]]:
        menu = QMenu(self)
        group = QActionGroup(menu)
        texts = {
            "system": self.tr("As the system"),
            "light": self.tr("Light"),
            "dark": self.tr("Dark"),
        }
        actions = {}
        for choice in CHOICES:
            action = menu.addAction(texts[choice])
            action.setCheckable(True)
            action.setChecked(theme.choice == choice)
            group.addAction(action)
            actions[choice] = action
        return menu, actions

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 10, 8)
        row.setSpacing(4)
        row.addWidget(self.back)
        row.addWidget(self.forward)
        row.addSpacing(6)
        row.addWidget(self.search)
        row.addSpacing(10)
        row.addWidget(self._count)
        row.addStretch()
        for widget in (self.add_folder, self.folders, self.rescan, self.theme_button, self.help):
            row.addWidget(widget)

    def show_count(self, num: int) -> None:
        text = self.tr("1 song") if num == 1 else self.tr("{num} songs").format(num=f"{num:,}")
        self._count.setText(text)
