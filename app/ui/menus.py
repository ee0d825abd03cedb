"""Menus, each told as groups of entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.ui.shortcuts import Keys
from app.ui.theme import Theme


@dataclass(frozen=True)
class Entry:
    """``keys`` are shown only: the window has them. ``is_checked``: None cannot be checked."""

    text: str
    action: Callable[[], object]
    icon: str = ""
    keys: Keys | None = None
    is_enabled: bool = True
    is_checked: bool | None = None


def show_menu(parent: QWidget, theme: Theme, at: QPoint, *groups: Sequence[Entry]) -> QMenu:
    """Opens at a global position; a line is between two groups."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for group in groups:
        if group and not menu.isEmpty():
            menu.addSeparator()
        for one in group:
            # an ampersand in a name is no shortcut
            action = menu.addAction(one.text.replace("&", "&&"), one.action)
            action.setEnabled(one.is_enabled)
            action.setCheckable(one.is_checked is not None)
            action.setChecked(bool(one.is_checked))
            if one.icon:
                action.setIcon(theme.icon(one.icon))
            if one.keys is not None:
                action.setShortcut(one.keys.value.keys)
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
    menu.popup(at)
    return menu
