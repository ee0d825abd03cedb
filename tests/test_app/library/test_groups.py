"""The library by artists and albums, and artists as results, in the whole window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from support import app_fixtures
from support.app_fixtures import find_first, results, shown_titles

from app.library.groups import GroupView
from app.library.table_model import Column
from app.ui.rows import RowRole
from app.window import MainWindow

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

Key, Mod = Qt.Key, Qt.KeyboardModifier


def names(view: GroupView) -> list[str]:
    model = view.model()
    return [model.index(row, 0).data(RowRole).title for row in range(model.rowCount())]


@pytest.fixture
def artists(qtbot, window) -> GroupView:
    view = window.library.groups_view
    window.library.ways.segment("artists").click()
    qtbot.waitUntil(lambda: names(view) == ["Alma", "Bo", "Cleo"])
    return view


def click(qtbot, view: GroupView, row: int) -> None:
    place = view.visualRect(view.model().index(row, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_click_shows_the_songs_and_the_heading_leads_back(qtbot, window, artists):
    assert artists.isVisible()
    assert artists.model().index(0, 0).data(RowRole).below == "2 songs"
    click(qtbot, artists, 1)
    qtbot.waitUntil(lambda: shown_titles(window) == ["Third rail", "Wallflower"])
    assert window.library.view.isVisible()
    window.library.show_all()
    qtbot.waitUntil(artists.isVisible)
    assert artists.current().name == "Bo"
    window.library.ways.segment("songs").click()
    qtbot.waitUntil(lambda: len(shown_titles(window)) == 5 and window.library.view.isVisible())


def test_the_second_click_of_a_double_click_is_for_no_song(qtbot, window, artists):
    click(qtbot, artists, 1)
    table = window.library.view
    qtbot.waitUntil(table.isVisible)
    place = table.viewport().mapToGlobal(table.visualRect(table.model().index(0, 0)).center())
    assert QApplication.widgetAt(place) is not table.viewport()
    qtbot.waitUntil(lambda: QApplication.widgetAt(place) is table.viewport())


def test_words_narrow_what_is_shown(qtbot, window, artists):
    window.top_bar.search.setText("cle")
    qtbot.waitUntil(lambda: names(artists) == ["Cleo"])
    window.top_bar.search.setText("wallflower")  # a song, no artist
    qtbot.waitUntil(lambda: not artists.isVisible())
    window.library.ways.segment("songs").click()
    qtbot.waitUntil(lambda: shown_titles(window) == ["Wallflower"])


def test_keys_change_the_way_and_find_voices(qtbot, window):
    view = window.library.groups_view
    qtbot.keyClick(window, Key.Key_G, Mod.ControlModifier)
    qtbot.waitUntil(lambda: names(view) == ["Alma", "Bo", "Cleo"])
    qtbot.keyClick(window, Key.Key_1, Mod.AltModifier)
    assert view.hasFocus()
    assert view.current().name == "Alma"
    qtbot.keyClick(view, Key.Key_Return)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 3)
    assert window.services.search.question.artist == "Alma"
    qtbot.keyClick(window, Key.Key_G, Mod.ControlModifier)
    qtbot.waitUntil(lambda: names(view) == ["Album"] * 3)
    assert view.hasFocus()
    assert view.current().artist == "Alma"
    assert view.model().index(0, 0).data(RowRole).below.startswith("Alma · ")
    qtbot.keyClick(window, Key.Key_G, Mod.ControlModifier)
    qtbot.waitUntil(window.library.view.isVisible)


def test_the_keyboard_goes_along_to_the_other_list(qtbot, window):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.library.view.setFocus()
    for way in ("artists", "albums", "songs"):
        qtbot.mouseClick(window.library.ways.segment(way), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.library.focus_view.hasFocus())
        assert window.library.focus_view.isVisible()


def test_all_songs_of_an_artist_are_played_queued_and_a_radio(qtbot, window, artists):
    queue = window.services.player.queue
    artists.setFocus(Qt.FocusReason.OtherFocusReason)
    qtbot.keyClick(artists, Key.Key_Return, Mod.ControlModifier)
    qtbot.waitUntil(lambda: [e.sound.artist for e in queue.entries] == ["Alma", "Alma"])
    artists.setCurrentIndex(artists.model().index(2, 0))
    qtbot.keyClick(window, Key.Key_D, Mod.ControlModifier)
    qtbot.waitUntil(lambda: [e.sound.artist for e in queue.entries][-1] == "Cleo")
    qtbot.keyClick(window, Key.Key_R, Mod.ControlModifier | Mod.ShiftModifier)
    qtbot.waitUntil(lambda: window.queueing.radio.seed is not None)
    assert window.queueing.radio.seed.artist == "Cleo"


def test_the_menu_says_what_can_be_done(qtbot, window, artists):
    artists.setCurrentIndex(artists.model().index(1, 0))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(), QPoint())
    QApplication.sendEvent(artists.viewport(), event)
    menu = window.findChildren(QMenu)[-1]
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == [
        "Show 2 songs",
        "Voices like Bo’s",
        "Play all",
        "Play next  (2 songs)",
        "Add to queue  (2 songs)",
        "Radio from this voice",
        "Find songs like these 2",
        "Favourite",
        "Add to playlist…",
    ]
    menu.actions()[1].trigger()
    menu.close()
    assert window.services.search.question.artist == "Bo"


def test_the_way_is_remembered(qtbot, window, artists, open_window):
    window.close()
    again = open_window()
    qtbot.waitUntil(lambda: names(again.library.groups_view) == ["Alma", "Bo", "Cleo"])
    assert again.library.groups_view.isVisible()


def test_results_can_be_artists(qtbot, window: MainWindow):
    find_first(qtbot, window)
    qtbot.keyClick(window, Key.Key_B, Mod.ControlModifier | Mod.ShiftModifier)
    model = window.results.voices.model
    qtbot.waitUntil(lambda: model.rowCount() == 2)
    told = {model.index(row, 0).data().partition(":")[0] for row in range(2)}
    assert told == {"Bo", "Cleo"}
    bo = next(one for one in model.neighbours if one.track.artist == "Bo")
    assert len(bo.more) == 1
    assert window.results.artists_button.isChecked()
    window.results.voices.view.setFocus()
    window.results.voices.view.setCurrentIndex(model.index(model.neighbours.index(bo)))
    assert set(window.find_page.selected_ids()) == {bo.track.id, bo.more[0].track.id}
    window.results.artists_button.click()
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)


def test_all_columns_can_be_shown_and_sorted_by(qtbot, window):
    header = window.library.view.horizontalHeader()
    for column in (Column.GENRE, Column.YEAR, Column.TRACK, Column.ADDED):
        assert header.isSectionHidden(column)
        window.library.view.show_column(column, True)
        assert not header.isSectionHidden(column)
        window.library.model.sort(column)
    qtbot.waitUntil(lambda: len(shown_titles(window)) == 5)
