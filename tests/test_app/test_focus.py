"""Where the keyboard is: the order of Tab, frames of focus, pages that take it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from support import app_fixtures
from support.app_fixtures import find_first
from support.app_window import make_library

from app.ui.dialogs import HelpSheet
from app.ui.top_bar import Page
from engine.library import Library
from engine.map.library_map import make_map

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


def activate(qtbot, window) -> None:
    """Nothing has the focus in a window that is not in front."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


def walk(qtbot, start, num: int) -> list[str]:
    """Names of what Tab comes to."""
    start.setFocus()
    names = []
    for _ in range(num):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        names.append(QApplication.focusWidget().accessibleName())
    return names


def test_tab_comes_to_every_part_of_the_map(qtbot, open_window, library_path, music):
    make_library(library_path, music)
    with Library.open(library_path) as library:
        for space_id, _ in library.spaces():
            make_map(library, space_id)
    window = open_window()
    activate(qtbot, window)
    window.show_page(Page.MAP)
    page = window.map_page
    qtbot.waitUntil(lambda: bool(page.legend._rows) and page.view.isVisible())
    names = walk(qtbot, page.tools.preview, 6)
    assert names[:3] == ["Draw a line around songs", "All of the map", "Map of songs"]
    assert names[3:] == [row.accessibleName() for row in page.legend._rows.values()]


def test_what_has_the_focus_is_framed(qtbot, window):
    find_first(qtbot, window)
    activate(qtbot, window)
    views = (window.library.view, window.results.voices.view, window.results.overall.view)
    for view in views:
        window.top_bar.search.setFocus()
        view.setFocus(Qt.FocusReason.TabFocusReason)
        with_frame = view.grab().toImage()
        window.top_bar.search.setFocus()
        assert view.currentIndex().isValid()
        assert view.grab().toImage() != with_frame


def test_every_page_takes_the_focus_when_it_comes(qtbot, window):
    activate(qtbot, window)
    for page in (Page.MAP, Page.EVALUATE, Page.LIBRARY):
        window.show_page(page)
        qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
        shown = window.sections[page]
        qtbot.waitUntil(
            lambda shown=shown: (
                shown is QApplication.focusWidget()
                or shown.isAncestorOf(QApplication.focusWidget())
            )
        )


def test_the_keyboard_is_in_the_table_at_first_and_down_selects_a_song(qtbot, window):
    activate(qtbot, window)
    view = window.library.view
    qtbot.waitUntil(view.hasFocus)
    assert view.selected_ids() == []
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.current_track().title == "First light"
    assert view.selected_ids() == [view.current_track().id]


def test_the_table_selects_a_song_when_the_keyboard_comes(qtbot, window):
    activate(qtbot, window)
    window.top_bar.search.setFocus()
    qtbot.keyClick(window.top_bar.search, Qt.Key.Key_Down)
    assert window.library.view.selected_ids() == window.library.model.ids[:1]


def test_a_page_has_the_focus_again_where_it_was(qtbot, window):
    find_first(qtbot, window)
    activate(qtbot, window)
    voices = window.results.voices.view
    voices.setFocus()
    window.show_page(Page.MAP)
    assert not voices.hasFocus()
    window.show_page(Page.LIBRARY)
    qtbot.waitUntil(voices.hasFocus)


def test_return_presses_the_button_in_focus(qtbot, window):
    activate(qtbot, window)
    window.top_bar.help.setFocus()
    qtbot.keyClick(window.top_bar.help, Qt.Key.Key_Return)
    (sheet,) = window.findChildren(HelpSheet)
    close = next(b for b in sheet.findChildren(QPushButton) if b.text() == "Close")
    with qtbot.waitSignal(sheet.finished):
        qtbot.waitUntil(close.hasFocus)
        qtbot.keyClick(close, Qt.Key.Key_Return)


def test_escape_takes_a_message_away(qtbot, window):
    activate(qtbot, window)
    window.notice.show_text("Something went wrong.")
    qtbot.keyClick(window.library.view, Qt.Key.Key_Escape)
    assert window.notice.isHidden()


def test_tab_comes_to_a_page_that_was_filled_late_before_it_comes_to_the_player(qtbot, window):
    activate(qtbot, window)
    window.show_page(Page.EVALUATE)
    page = window.sections[Page.EVALUATE]
    qtbot.waitUntil(page.panel.isVisible)
    late = QPushButton("Late", page)
    late.setAccessibleName("Late")
    late.show()
    names = walk(qtbot, window.top_bar.help, 60)
    assert names[:2] == ["New evaluation", "New listening test"]
    assert names.index("Late") < names.index("Volume") < names.index("Sound device")
    assert names[names.index("Show or hide the queue") + 1] == "Library"
