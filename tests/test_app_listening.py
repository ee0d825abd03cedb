from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QLabel,
    QLineEdit,
    QWidget,
)
from support import app_fixtures
from support.app_fixtures import click_song, find_first, results, shown_titles

from app.dialogs import HelpSheet
from app.player import Side
from app.shortcuts import Keys

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

# Hearing


def test_a_result_is_played_and_its_moments_move_both_songs(qtbot, window):
    find_first(qtbot, window)
    voices, player = window.results.voices, window.parts.player
    neighbour = voices.model.neighbours[0]
    rect = voices.view.visualRect(voices.model.index(0))
    layout = voices.view._delegate.layout(rect, neighbour)
    port = voices.view.viewport()
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=layout.cover.center())
    assert player.is_playing
    assert player.sound(Side.RESULT).track_id == neighbour.track.id
    assert player.side == Side.RESULT
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=layout.cover.center())
    assert not player.is_playing
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=layout.chips[1].center())
    moment = neighbour.moments[1]
    assert player.position_s(Side.QUERY) == pytest.approx(moment.query_start_s)
    assert player.position_s(Side.RESULT) == pytest.approx(moment.start_s)
    assert player.sound(Side.QUERY).title == "First light"
    markers = window.results.result_row.waveform._moments_s
    assert markers == tuple(m.start_s for m in neighbour.moments)


def test_choosing_a_result_shows_it_and_leaves_the_music_alone(qtbot, window):
    find_first(qtbot, window)
    player, voices = window.parts.player, window.results.voices
    window.comparison.toggle()
    assert player.sound(Side.QUERY).title == "First light"
    voices.view.setCurrentIndex(voices.model.index(1))
    assert window.results.result_row.sound.title == results(window)[0][1]
    assert player.sound(Side.RESULT) is None
    assert player.is_playing


def test_the_waveform_moves_the_song(qtbot, window):
    find_first(qtbot, window)
    waveform = window.results.query_row.waveform
    middle = QPoint(waveform.width() // 2, waveform.height() - 10)
    qtbot.mouseClick(waveform, Qt.MouseButton.LeftButton, pos=middle)
    assert window.parts.player.position_s(Side.QUERY) == pytest.approx(0.25, abs=0.01)
    assert window.parts.player.is_playing


def test_a_missing_device_is_told_once_and_the_rest_works(qtbot, window):
    window.parts.player._output.reason = "No sound can be played: no device."
    find_first(qtbot, window)
    window.comparison.toggle()
    qtbot.waitUntil(lambda: window.notice.text == "No sound can be played: no device.")
    click_song(qtbot, window, 1)
    qtbot.waitUntil(lambda: window.results.query_row.sound.title == "Second wind")


# The keyboard


def test_the_whole_way_by_keyboard(qtbot, window):
    player = window.parts.player
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(window.top_bar.search.hasFocus)
    qtbot.keyClicks(window.top_bar.search, "first")
    qtbot.waitUntil(lambda: shown_titles(window) == ["First light"])
    qtbot.keyClick(window.top_bar.search, Qt.Key.Key_Return)
    assert window.library.view.hasFocus()
    qtbot.keyClick(window.library.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)
    qtbot.keyClick(window.library.view, Qt.Key.Key_Space)
    assert player.is_playing
    qtbot.keyClick(window.library.view, Qt.Key.Key_Space)
    assert not player.is_playing
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert window.results.voices.view.hasFocus()
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_Down)
    assert window.results.result_row.sound.title == results(window)[0][1]
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_M)
    assert player.is_playing
    assert player.side == Side.RESULT
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_X)
    assert player.side == Side.QUERY
    before = player.volume
    qtbot.keyClick(window, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert player.volume < before
    third = results(window)[0][1]
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.results.query_row.sound.title == third)


def test_everything_that_takes_the_focus_has_a_name(qtbot, window):
    find_first(qtbot, window)
    kinds = (QAbstractButton, QAbstractSlider, QAbstractItemView, QLineEdit)
    nameless = [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and (isinstance(widget, kinds) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and widget.isEnabled()
        and not widget.accessibleName()
    ]
    assert nameless == []


def test_shortcuts_are_unique_and_the_help_lists_them_all(qtbot, window):
    assert len({keys.value.keys for keys in Keys}) == len(Keys)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    (sheet,) = window.findChildren(HelpSheet)
    texts = {label.text() for label in sheet.findChildren(QLabel)}
    assert {keys.value.description for keys in Keys} <= texts
    assert {keys.value.label for keys in Keys} <= texts
    sheet.close()
