from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QRadioButton
from support import app_fixtures
from support.app_fixtures import click_song, find_first

from app.preferences.dialog import PreferencesDialog
from app.ui.top_bar import Page

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

CTRL = Qt.KeyboardModifier.ControlModifier


def test_pages_are_switched_by_keys_and_by_clicks(qtbot, window):
    assert window.page == Page.LIBRARY
    qtbot.keyClick(window, Qt.Key.Key_2, CTRL)
    assert window.page == Page.MAP
    assert window.map_page.isVisible()
    assert window.player_bar.isVisible()
    assert window.top_bar.pages.key == Page.MAP
    qtbot.mouseClick(window.top_bar.pages.segment(Page.LIBRARY), Qt.MouseButton.LeftButton)
    assert window.find_page.isVisible()


def test_the_search_field_serves_every_page_with_songs(qtbot, window):
    window.activateWindow()
    for page in (Page.LIBRARY, Page.MAP):
        window.show_page(page)
        qtbot.keyClick(window, Qt.Key.Key_F, CTRL)
        qtbot.waitUntil(window.top_bar.search.hasFocus)


def test_going_back_to_a_song_shows_its_results(qtbot, window):
    find_first(qtbot, window)
    click_song(qtbot, window, 2)
    window.show_page(Page.MAP)
    window.top_bar.back.click()
    assert window.page == Page.LIBRARY


def test_asking_again_after_indexing_leaves_the_page_alone(qtbot, window):
    find_first(qtbot, window)
    window.show_page(Page.MAP)
    with qtbot.waitSignal(window.services.search.answered):
        window.services.search.ask_again()
    assert window.page == Page.MAP


def test_preferences_change_the_colours_at_once(qtbot, window):
    window.top_bar.preferences.click()
    (dialog,) = window.findChildren(PreferencesDialog)
    sections = dialog.findChild(QListWidget)
    assert sections.count() == dialog._stack.count()
    dialog.choose("Appearance")
    dark = next(b for b in dialog.findChildren(QRadioButton) if b.text() == "Dark")
    dark.click()
    assert window.services.theme.palette.name == "dark"
    dialog.close()
