"""Fixtures and helpers of the tests that use a whole window.

A module takes the fixtures it needs by assignment: ``window = app_fixtures.window``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu
from support.app_window import SONGS, make_library, make_window, no_leaks

from app.library.table_model import Column
from app.window import MainWindow

MAIN_PAGE = 2


@pytest.fixture(autouse=True)
def no_leaks_left(qapp: object) -> Iterator[None]:
    with no_leaks():
        yield


@pytest.fixture
def library_path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    return tmp_path / "music"


@pytest.fixture
def open_window(qtbot, library_path) -> Iterator[Callable[..., MainWindow]]:
    windows: list[MainWindow] = []

    def open_one(**options: object) -> MainWindow:
        window = make_window(qtbot, library_path, **options)  # type: ignore[arg-type]
        windows.append(window)
        qtbot.waitUntil(lambda: window.pages.currentIndex() != 0)
        # The look for new songs at the start ends with a search anew: not in the middle of a test.
        qtbot.waitUntil(lambda: not window.services.indexing.is_running)
        return window

    yield open_one
    for window in windows:
        window.close()
        assert window.has_stopped


@pytest.fixture
def window(qtbot, library_path, music, open_window) -> MainWindow:
    """On a library of five songs that have been listened to."""
    make_library(library_path, music)
    window = open_window()
    qtbot.waitUntil(lambda: shown_titles(window) == [title for _, title in SONGS])
    return window


def shown_titles(window: MainWindow) -> list[str]:
    model = window.library.model
    rows = range(model.rowCount())
    return [model.data(model.index(row, Column.TITLE)) for row in rows]


def results(window: MainWindow) -> tuple[list[str], list[str]]:
    lists = (window.results.voices, window.results.overall)
    by_voice, overall = ([n.track.title for n in one.model.neighbours] for one in lists)
    return by_voice, overall


def click_song(qtbot, window: MainWindow, row: int) -> None:
    view = window.library.view
    place = view.visualRect(window.library.model.index(row, Column.TITLE)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def find_first(qtbot, window: MainWindow) -> None:
    click_song(qtbot, window, 0)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)


def choose_from_menu(qtbot, text: str) -> None:
    """Triggers the entry of the menu that is open, or opens soon."""

    def entries() -> list[QAction]:
        menus = [one for one in QApplication.topLevelWidgets() if isinstance(one, QMenu)]
        return [
            action
            for menu in menus
            if menu.isVisible()
            for action in menu.actions()
            if action.text() == text
        ]

    qtbot.waitUntil(lambda: bool(entries()))
    (entry,) = entries()
    entry.trigger()
    entry.parent().close()
