from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QLabel,
    QLineEdit,
    QMenu,
    QWidget,
)
from support import app_fixtures
from support.app_fixtures import click_song, find_first, results, shown_titles
from support.app_window import write_wav
from support.patience import PATIENCE_S

from app.player import waveform_cache
from app.player.loudness import TARGET_LUFS, TYPICAL
from app.player.player import Side
from app.ui.dialogs import HelpSheet
from app.ui.shortcuts import Keys
from engine.errors import SeparatorError
from engine.progress import Progress

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

# Hearing


def test_a_result_is_played_and_its_moments_move_both_songs(qtbot, window):
    find_first(qtbot, window)
    voices, player = window.results.voices, window.services.player
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
    player, voices = window.services.player, window.results.voices
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
    assert window.services.player.position_s(Side.QUERY) == pytest.approx(0.25, abs=0.01)
    assert window.services.player.is_playing


def test_a_missing_device_is_told_once_and_the_rest_works(qtbot, window):
    window.services.player.device.reason = "No sound can be played: no device."
    find_first(qtbot, window)
    window.comparison.toggle()
    qtbot.waitUntil(lambda: window.notice.text == "No sound can be played: no device.")
    click_song(qtbot, window, 1)
    qtbot.waitUntil(lambda: window.results.query_row.sound.title == "Second wind")
    window.services.player.device.reason = None
    window.comparison.toggle()
    qtbot.waitUntil(lambda: window.notice.text == "")  # it is heard again
    assert window.services.player.is_playing


# The keyboard


def test_the_whole_way_by_keyboard(qtbot, window):
    player = window.services.player
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
    assert sheet.height() <= 700  # the lowest screen that the window is made for
    sheet.close()


# Queue, vocals, loop, device


def play_first_result(qtbot, window) -> None:
    find_first(qtbot, window)
    window.results.voices.view.setCurrentIndex(window.results.voices.model.index(0))
    qtbot.keyClick(
        window.results.voices.view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier
    )


def test_results_play_one_after_another_and_are_shown(qtbot, window):
    play_first_result(qtbot, window)
    player, by_voice = window.services.player, results(window)[0]
    assert player.sound(Side.RESULT).title == by_voice[0]
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_N)
    assert player.sound(Side.RESULT).title == by_voice[1]
    assert window.results.result_row.sound.title == by_voice[1]
    assert window.results.voices.view.currentIndex().row() == 1
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_P)
    assert player.sound(Side.RESULT).title == by_voice[0]

    def has_played_on() -> bool:
        player.device.pull(4)
        return player.sound(Side.RESULT).title == by_voice[1]

    qtbot.waitUntil(has_played_on)
    assert window.results.result_row.sound.title == by_voice[1]
    assert player.is_playing


def test_a_song_of_the_table_is_followed_by_those_below_it(qtbot, window):
    click_song(qtbot, window, 1)
    qtbot.keyClick(window.library.view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    player = window.services.player
    assert player.sound(Side.QUERY).title == "Second wind"
    qtbot.mouseClick(window.player_bar._next, Qt.MouseButton.LeftButton)
    assert player.sound(Side.QUERY).title == "Third rail"


def test_vocals_alone_by_one_key(qtbot, window, tmp_path, monkeypatch):
    vocals = write_wav(tmp_path / "vocals.wav", 0.5, 1600.0)
    asked = []

    def vocals_of(self, path, progress, cancel):
        asked.append(path)
        progress(Progress("vocals", audio_done_s=43, audio_total_s=100))
        return vocals

    monkeypatch.setattr("engine.separation.vocals_cache.VocalsCache.vocals_of", vocals_of)
    play_first_result(qtbot, window)
    player = window.services.player
    with qtbot.waitSignal(window.find_page.vocals.progressed) as told:
        qtbot.keyClick(window.results.voices.view, Qt.Key.Key_V)
    assert told.args == [43]
    assert window.player_bar._vocals.isChecked()
    qtbot.waitUntil(lambda: player.decoding(Side.RESULT).path == vocals)
    assert asked == [player.sound(Side.RESULT).path]
    qtbot.waitUntil(lambda: window.player_bar._vocals.text() == "Vocals")
    qtbot.mouseClick(window.player_bar._vocals, Qt.MouseButton.LeftButton)
    mixture = player.sound(Side.RESULT).path
    qtbot.waitUntil(lambda: player.decoding(Side.RESULT).path == mixture)
    assert not window.player_bar._vocals.isChecked()


def test_vocals_that_cannot_be_had_are_told(qtbot, window, monkeypatch):
    def vocals_of(self, path, progress, cancel):
        raise SeparatorError("The vocals cannot be kept. Make room.")

    monkeypatch.setattr("engine.separation.vocals_cache.VocalsCache.vocals_of", vocals_of)
    play_first_result(qtbot, window)
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: window.notice.text == "The vocals cannot be kept. Make room.")
    assert window.services.player.is_playing


def test_a_moment_is_repeated_by_one_key(qtbot, window):
    find_first(qtbot, window)
    player = window.services.player
    window.results.voices.view.setCurrentIndex(window.results.voices.model.index(0))
    assert not window.player_bar._loop.isEnabled()
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_R)
    assert player.is_looping
    assert player.is_linked
    assert window.player_bar._loop.isChecked()
    qtbot.mouseClick(window.player_bar._loop, Qt.MouseButton.LeftButton)
    assert not player.is_looping
    assert not window.player_bar._loop.isChecked()


def test_repeating_begins_to_play_and_is_seen(qtbot, window):
    find_first(qtbot, window)
    player, row = window.services.player, window.results.result_row
    window.results.voices.view.setCurrentIndex(window.results.voices.model.index(0))
    window.comparison.play_next_moment()
    player.pause()
    qtbot.waitUntil(lambda: len(row.waveform._bars) > 0)
    without = row.waveform.grab().toImage()
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_R)
    assert player.is_playing
    assert player.is_looping
    assert row.waveform.grab().toImage() != without


def test_the_window_is_called_by_what_plays(qtbot, window):
    find_first(qtbot, window)
    window.comparison.toggle()
    assert window.windowTitle() == "First light · Alma · Singalike"
    window.comparison.toggle()
    assert window.windowTitle() == "Singalike"


def test_a_result_tells_all_of_its_names(qtbot, window):
    find_first(qtbot, window)
    model = window.results.voices.model
    told = model.data(model.index(0), Qt.ItemDataRole.ToolTipRole)
    assert "Second wind" in told
    assert "Alma" in told


def test_the_sound_device_is_chosen_and_remembered(qtbot, window, open_window):
    qtbot.mouseClick(window.player_bar._devices, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.player_bar.findChildren(QMenu)))
    (menu,) = window.player_bar.findChildren(QMenu)
    texts = [action.text() for action in menu.actions()]
    assert texts == ["As the system says", "Speakers", "Headphones"]
    menu.actions()[2].trigger()
    menu.close()
    assert window.services.player.device.chosen == "Headphones"
    window.close()
    again = open_window()
    assert again.services.player.device.name == "Headphones"
    again.services.player.device.names = ["Speakers"]
    qtbot.mouseClick(again.player_bar._devices, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(again.player_bar.findChildren(QMenu)))
    (menu,) = again.player_bar.findChildren(QMenu)
    assert [action.text() for action in menu.actions()][-1] == "Headphones (not connected)"
    assert menu.actions()[-1].isChecked()
    menu.close()


def test_a_waveform_that_comes_late_is_not_drawn_for_another_song(qtbot, window, monkeypatch):
    find_first(qtbot, window)
    row = window.results.result_row
    go_on, shape_of = threading.Event(), waveform_cache.shape_of

    def slow(path, num_bins, cancel):
        go_on.wait(PATIENCE_S)
        return shape_of(path, num_bins)

    monkeypatch.setattr(waveform_cache, "shape_of", slow)
    window.results.voices.view.setCurrentIndex(window.results.voices.model.index(2))
    click_song(qtbot, window, 4)
    assert row.sound is None
    go_on.set()
    qtbot.waitUntil(lambda: window.services.open_library.runner.num_jobs == 0)
    assert len(row.waveform._bars) == 0


def test_songs_on_show_are_measured(qtbot, window):
    find_first(qtbot, window)
    player = window.services.player
    before = TYPICAL.gain_to(TARGET_LUFS)
    player.play(Side.QUERY, window.results.query_row.sound)
    player.pause()
    # The sines are louder than music is taken to be before it has been measured.
    qtbot.waitUntil(lambda: player.decoding(Side.QUERY).gain < before)
