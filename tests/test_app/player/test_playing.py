from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QPaintEvent, QRegion
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollArea,
    QWidget,
)
from support import app_fixtures
from support.app_fixtures import click_song, find_first, results, shown_titles
from support.app_window import write_wav
from support.patience import PATIENCE_S

from app.player import fetching
from app.player.loudness import TARGET_LUFS, TYPICAL
from app.player.player import Side
from app.ui import notice
from app.ui.dialogs import HelpSheet
from app.ui.shortcuts import Keys
from app.ui.widgets import IconButton
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
    window.services.player.toggle()
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


def test_dragging_on_the_waveform_or_the_bar_seeks_once(qtbot, window, monkeypatch):
    find_first(qtbot, window)
    player, bar = window.services.player, window.player_bar._seek
    player.toggle()
    player.pause()
    sought = []
    seek = player.seek
    monkeypatch.setattr(player, "seek", lambda *where: sought.append(where) or seek(*where))
    waveform = window.results.query_row.waveform
    places = [QPoint(round(waveform.width() * share), 40) for share in (0.1, 0.3, 0.6)]
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(waveform, left, pos=places[0])
    for place in places[1:]:
        qtbot.mouseMove(waveform, place)
    assert sought == []
    qtbot.mouseRelease(waveform, left, pos=places[-1])
    assert [side for side, _ in sought] == [Side.QUERY]
    assert sought[0][1] == pytest.approx(0.3, abs=0.01)
    sought.clear()
    qtbot.mouseClick(bar, left, pos=QPoint(bar.width() // 2, bar.height() // 2))
    assert [s for _, s in sought] == pytest.approx([0.25], abs=0.02)
    sought.clear()
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert len(sought) == 1


def test_the_menu_of_a_result_plays_it_as_the_list_does(qtbot, window):
    find_first(qtbot, window)
    voices, player = window.results.voices, window.services.player
    voices.view.menu_requested.emit(voices.model.neighbours[0], QPoint(5, 5))
    menu = window.findChildren(QMenu)[-1]
    next(action for action in menu.actions() if action.text() == "Play").trigger()
    menu.close()
    by_voice = results(window)[0]
    assert player.side == Side.RESULT
    assert player.sound(Side.RESULT).title == by_voice[0]
    player.play_next()
    assert player.sound(Side.RESULT).title == by_voice[1]


def test_all_songs_of_a_list_are_selected_and_copied(qtbot, window):
    find_first(qtbot, window)
    control, clipboard = Qt.KeyboardModifier.ControlModifier, QGuiApplication.clipboard()
    for view, num in ((window.library.view, 5), (window.results.voices.view, 4)):
        clipboard.clear()
        view.setFocus()
        qtbot.keyClick(view, Qt.Key.Key_A, control)
        qtbot.keyClick(view, Qt.Key.Key_C, control)
        qtbot.waitUntil(lambda num=num: len(clipboard.text().splitlines()) == num)
        assert len(clipboard.mimeData().urls()) == num


def test_a_song_that_cannot_be_read_is_not_exchanged_for_the_next_one(qtbot, window):
    window.library.model.track_at(1).path.write_bytes(b"no sound" * 100)
    view, model = window.library.view, window.library.model
    place = view.visualRect(model.index(1, 0)).center()
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    player = window.services.player
    qtbot.waitUntil(lambda: not player.is_playing)
    assert window.notice.text.startswith("Second wind: ")
    assert player.sound(Side.QUERY) is None


def test_a_song_of_unknown_length_does_not_show_another_ones(qtbot, window):
    find_first(qtbot, window)
    player, row = window.services.player, window.results.query_row
    player.play(Side.QUERY, row.sound)
    row.set_sound(replace(row.sound, path=row.sound.path.with_name("x.wav"), duration_s=None))
    assert row._time.text() == "—"


def test_screen_readers_are_told_what_changes_and_nothing_else(qtbot, window, monkeypatch):
    find_first(qtbot, window)
    told = []
    monkeypatch.setattr(IconButton, "setAccessibleName", lambda self, name: told.append(name))
    for _ in range(10):
        window.services.player.moved.emit()
    assert told == []
    announced = []
    monkeypatch.setattr(notice.QAccessible, "updateAccessibility", announced.append)
    window.notice.show_text("Something to know.")
    assert announced[0].message() == "Something to know."


def test_a_missing_device_is_told_once_and_the_rest_works(qtbot, window):
    window.services.player.device.reason = "No sound can be played: no device."
    find_first(qtbot, window)
    window.services.player.toggle()
    qtbot.waitUntil(lambda: window.notice.text == "No sound can be played: no device.")
    click_song(qtbot, window, 1)
    qtbot.waitUntil(lambda: window.results.query_row.sound.title == "Second wind")
    window.services.player.device.reason = None
    window.services.player.toggle()
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
    assert [index.row() for index in window.results.voices.view.selectedIndexes()] == [0]
    assert window.results.result_row.sound.title == results(window)[0][0]
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
    (scroll,) = sheet.findChildren(QScrollArea)
    sheet.resize(700, 600)  # or long sentences: they go on in the next line
    qtbot.waitUntil(lambda: scroll.widget().width() <= scroll.viewport().width())
    assert sheet.width() == 700
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
    with qtbot.waitSignal(window.comparison.vocals.progressed) as told:
        qtbot.keyClick(window.results.voices.view, Qt.Key.Key_V)
    assert told.args == [43]
    assert window.player_bar._vocals.isChecked()
    qtbot.waitUntil(lambda: player.decks[Side.RESULT].source.path == vocals)
    queued = window.results.voices.model.neighbours[1].track.path
    qtbot.waitUntil(lambda: asked == [player.sound(Side.RESULT).path, queued])
    qtbot.waitUntil(lambda: window.player_bar._vocals.text() == "Vocals")
    qtbot.mouseClick(window.player_bar._vocals, Qt.MouseButton.LeftButton)
    mixture = player.sound(Side.RESULT).path
    qtbot.waitUntil(lambda: player.decks[Side.RESULT].source.path == mixture)
    assert not window.player_bar._vocals.isChecked()


def test_vocals_come_however_often_the_key_was_pressed(qtbot, window, tmp_path, monkeypatch):
    vocals, go_on = write_wav(tmp_path / "vocals.wav", 0.5, 1600.0), threading.Event()

    def vocals_of(self, path, progress, cancel):
        while not go_on.wait(0.01):
            cancel.check()
        return vocals

    monkeypatch.setattr("engine.separation.vocals_cache.VocalsCache.vocals_of", vocals_of)
    play_first_result(qtbot, window)
    for _ in range(3):
        qtbot.keyClick(window.results.voices.view, Qt.Key.Key_V)
    assert window.player_bar._vocals.isChecked()
    go_on.set()
    player = window.services.player
    qtbot.waitUntil(lambda: player.decks[Side.RESULT].source.path == vocals)


def test_vocals_that_cannot_be_had_are_told(qtbot, window, monkeypatch):
    def vocals_of(self, path, progress, cancel):
        raise SeparatorError("The vocals cannot be kept. Make room.")

    monkeypatch.setattr("engine.separation.vocals_cache.VocalsCache.vocals_of", vocals_of)
    play_first_result(qtbot, window)
    qtbot.keyClick(window.results.voices.view, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: window.notice.text == "The vocals cannot be kept. Make room.")
    assert window.services.player.is_playing


def test_a_song_picked_is_what_play_plays(qtbot, window):
    find_first(qtbot, window)
    player, bar = window.services.player, window.player_bar
    assert bar._play.isEnabled()
    assert bar._title.text() == "First light"
    qtbot.mouseClick(bar._play, Qt.MouseButton.LeftButton)
    assert player.playing.title == "First light"
    qtbot.mouseClick(bar._play, Qt.MouseButton.LeftButton)
    click_song(qtbot, window, 2)
    assert bar._title.text() == "Third rail"
    bar._heart.click()  # of the song that the bar names
    picked = window.library.view.current_id()
    qtbot.waitUntil(lambda: window.services.kept.favourites == (picked,))
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert player.playing.title == "Third rail"
    click_song(qtbot, window, 0)  # while something plays, that goes on
    assert player.playing.title == "Third rail"
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Space)
    assert player.playing.title == "Third rail"


def test_the_song_asked_for_is_marked_as_soon_as_it_sounds(qtbot, window):
    find_first(qtbot, window)
    view, (first, _, third, *_) = window.library.view, window.library.model.ids
    view.mark(first, third)
    QApplication.processEvents()
    painted: list[QRegion] = []

    class Painting(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if isinstance(event, QPaintEvent):
                painted.append(event.region())
            return False

    painting = Painting()
    view.viewport().installEventFilter(painting)
    view.mark(first, first)
    qtbot.waitUntil(lambda: bool(painted))
    rows = [view._row_rect(row).center() for row in (0, 1, 2)]
    assert [any(one.contains(row) for one in painted) for row in rows] == [True, False, True]


@pytest.mark.parametrize("button", ["_vocals", "_play", "_queue"])
def test_space_plays_after_a_button_was_clicked(qtbot, window, button):
    find_first(qtbot, window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.library.view.setFocus()
    qtbot.mouseClick(getattr(window.player_bar, button), Qt.MouseButton.LeftButton)
    player = window.services.player
    was_playing, was_vocals = player.is_playing, player.is_vocals_only
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert player.is_playing != was_playing
    assert player.is_vocals_only == was_vocals


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
    window.services.player.toggle()
    assert window.windowTitle() == "First light · Alma · Singalike"
    window.services.player.toggle()
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
    go_on, shape_of = threading.Event(), fetching.shape_of

    def slow(path, num_bins, cancel):
        go_on.wait(PATIENCE_S)
        return shape_of(path, num_bins)

    monkeypatch.setattr(fetching, "shape_of", slow)
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
    qtbot.waitUntil(lambda: player.decks[Side.QUERY].source.gain < before)
