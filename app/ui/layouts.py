"""Rows and columns of widgets, each written as one expression.

An item is a widget or a layout; a number is a gap in pixels; None takes the room that is left;
a pair brings a stretch factor or an alignment.
"""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

One = QWidget | QLayout
Item = One | int | tuple[One, int | Qt.AlignmentFlag] | None
Margins = tuple[int, int, int, int]  # left, top, right, bottom

L = TypeVar("L", bound=QBoxLayout)


def hbox(
    *items: Item, spacing: int = 0, margins: Margins = (0, 0, 0, 0), of: QWidget | None = None
) -> QHBoxLayout:
    """Side by side. ``of``: the widget whose layout it becomes."""
    return _filled(QHBoxLayout(), items, spacing, margins, of)


def vbox(
    *items: Item, spacing: int = 0, margins: Margins = (0, 0, 0, 0), of: QWidget | None = None
) -> QVBoxLayout:
    """One below the other."""
    return _filled(QVBoxLayout(), items, spacing, margins, of)


def keep_room(*widgets: QWidget) -> None:
    """While they are hidden, their room stays free."""
    for widget in widgets:
        policy = widget.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        widget.setSizePolicy(policy)


def clear_layout(layout: QLayout) -> None:
    """Removes the widgets of a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()


def _filled(
    layout: L, items: tuple[Item, ...], spacing: int, margins: Margins, of: QWidget | None
) -> L:
    if of is not None:
        of.setLayout(layout)
    layout.setSpacing(spacing)
    layout.setContentsMargins(*margins)
    for item in items:
        if item is None:
            layout.addStretch()
        elif isinstance(item, int):
            layout.addSpacing(item)
        else:
            _add(layout, *(item if isinstance(item, tuple) else (item, 0)))
    return layout


def _add(layout: QBoxLayout, one: One, how: int | Qt.AlignmentFlag) -> None:
    stretch = how if isinstance(how, int) else 0
    if isinstance(one, QLayout):
        layout.addLayout(one, stretch)
    elif isinstance(how, Qt.AlignmentFlag):
        layout.addWidget(one, 0, how)
    else:
        layout.addWidget(one, stretch)
