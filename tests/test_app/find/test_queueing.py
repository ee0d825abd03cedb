"""The queue in the whole window: songs from everywhere go in, and the radio fills it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPoint, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QSlider
from support import app_fixtures
from support.app_fixtures import click_song, find_first
from support.app_window import write_wav

from app.desktop.drag_and_drop import files_as_mime_data
from app.player.queue import PlayQueue, Repeat, Side
from app.ui.top_bar import Page
from app.window import MainWindow

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

Key, Mod = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def queue(window) -> PlayQueue:
    return window.services.player.queue


def titles(queue: PlayQueue) -> list[str]:
    return [entry.sound.title for entry in queue.entries]


def urls(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def choose(window: MainWindow, text: str) -> None:
    menu = window.findChildren(QMenu)[-1]
    next(action for action in menu.actions() if action.text().startswith(text)).trigger()
    menu.close()


def test_selected_songs_are_added_by_key(qtbot, window, queue):
    click_song(qtbot, window, 2)
    qtbot.keyClick(window, Key.Key_D, Mod.ControlModifier)
    qtbot.waitUntil(lambda: titles(queue) == ["Third rail"])
    window.library.view.selectAll()
    qtbot.keyClick(window, Key.Key_D, Mod.ControlModifier | Mod.ShiftModifier)
    qtbot.waitUntil(lambda: len(titles(queue)) == 6)
    assert titles(queue)[-1] == "Third rail"


def test_results_are_added_by_their_menu(qtbot, window, queue):
    find_first(qtbot, window)
    view = window.results.voices.view
    view.setCurrentIndex(view.model().index(0, 0))
    name = view.current().track.title
    view.contextMenuEvent(
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), QPoint(5, 5))
    )
    choose(window, "Play next")
    qtbot.waitUntil(lambda: titles(queue) == [name])


def test_songs_dragged_from_the_table_and_files_from_elsewhere_are_dropped_in(
    qtbot, window, queue, tmp_path
):
    model = window.queueing.panel.model
    songs = window.library.model
    qtbot.waitUntil(lambda: songs.track_at(0) is not None)
    tracks = [track for row in (0, 1) if (track := songs.track_at(row)) is not None]
    dragged = files_as_mime_data([one.path for one in tracks], [one.id for one in tracks])
    assert model.canDropMimeData(dragged, Qt.DropAction.CopyAction, -1, -1, QModelIndex())
    model.dropMimeData(dragged, Qt.DropAction.CopyAction, -1, -1, QModelIndex())
    qtbot.waitUntil(lambda: titles(queue) == ["First light", "Second wind"])
    assert all(entry.sound.track_id is not None for entry in queue.entries)
    other = write_wav(tmp_path / "elsewhere" / "from elsewhere.wav", 0.5)
    (tmp_path / "notes.txt").write_text("no sound")
    model.dropMimeData(
        urls(tmp_path / "notes.txt", other), Qt.DropAction.CopyAction, 1, 0, QModelIndex()
    )
    qtbot.waitUntil(lambda: titles(queue) == ["First light", "from elsewhere", "Second wind"])
    assert queue.entries[1].sound.track_id is None


def test_an_empty_queue_says_how_it_is_filled(qtbot, window, queue):
    panel = window.queueing.panel
    qtbot.keyClick(window, Key.Key_Q)
    (hint,) = [one for one in panel.findChildren(QLabel) if one.text().startswith("Nothing comes")]
    qtbot.waitUntil(hint.isVisible)
    hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, False)
    assert panel.childAt(hint.geometry().center()) is hint  # the list does not cover it
    window.commands.enqueue(window.library.model.ids)
    qtbot.waitUntil(lambda: not hint.isVisible())


def test_files_without_sound_are_refused_with_a_sentence(qtbot, window, queue, tmp_path):
    (tmp_path / "notes.txt").write_text("no sound")
    window.player_bar.files_dropped.emit([tmp_path / "notes.txt"])
    qtbot.waitUntil(lambda: window.notice.text.startswith("None of these files can be played"))
    assert queue.entries == []


def test_rows_are_reordered_by_dragging_and_by_keys(qtbot, window, queue):
    panel = window.queueing.panel
    window.commands.enqueue(window.library.model.ids)
    qtbot.waitUntil(lambda: len(queue.entries) == 5)
    a, b, c, d, e = titles(queue)
    dragged = panel.model.mimeData([panel.model.index(3, 0)])
    panel.model.dropMimeData(dragged, Qt.DropAction.CopyAction, 0, 0, QModelIndex())
    assert titles(queue) == [d, a, b, c, e]
    qtbot.keyClick(window, Key.Key_Q)
    panel.view.setCurrentIndex(panel.model.index(0, 0))
    for _ in range(2):
        qtbot.keyClick(panel.view, Key.Key_Down, Mod.AltModifier)
    assert titles(queue) == [a, b, d, c, e]
    qtbot.keyClick(panel.view, Key.Key_Up, Mod.AltModifier)
    assert titles(queue) == [a, d, b, c, e]
    qtbot.keyClick(panel.view, Key.Key_Delete)
    assert titles(queue) == [a, b, c, e]
    panel.view.setCurrentIndex(panel.model.index(2, 0))
    qtbot.keyClick(panel.view, Key.Key_Return)
    assert window.services.player.playing.title == c
    assert panel.model.data(panel.model.index(2, 0)).endswith("playing now")


def test_the_panel_lies_beside_the_page_where_there_is_room_and_over_it_where_not(qtbot, window):
    stack, panel = window.section_stack, window.queueing.panel
    for width, is_beside in ((1440, True), (900, False)):
        window.resize(width, 700)
        qtbot.keyClick(window, Key.Key_Q)
        assert panel.isVisible()
        assert panel.geometry().right() == panel.parentWidget().rect().right()
        assert (stack.width() == panel.parentWidget().width() - panel.width()) == is_beside
        qtbot.keyClick(panel.view, Key.Key_Escape)
        assert not panel.isVisible()
        assert stack.width() == panel.parentWidget().width()
        assert window.focusWidget() is window.library.view


def test_shuffle_and_repeat_have_keys_and_buttons(qtbot, window, queue):
    qtbot.keyClick(window, Key.Key_S)
    assert queue.is_shuffled
    assert window.queueing.panel.shuffle.isChecked()
    seen = []
    for _ in range(3):
        window.queueing.panel.repeat.click()
        seen.append(queue.repeat)
    assert seen == [Repeat.ALL, Repeat.ONE, Repeat.NOTHING]


def start_radio(qtbot, window: MainWindow, queue: PlayQueue) -> None:
    click_song(qtbot, window, 0)
    qtbot.keyClick(window, Key.Key_R, Mod.ControlModifier | Mod.ShiftModifier)
    qtbot.waitUntil(lambda: len(queue.coming) >= 5)


def test_the_radio_fills_the_queue_for_ever(qtbot, window, queue):
    start_radio(qtbot, window, queue)
    panel = window.queueing.panel
    assert window.services.player.playing.title == "First light"
    assert window.queueing.radio.text == "Radio: voices like Alma’s"
    for _ in range(12):
        num = len(queue.entries)
        window.services.player.play_next()
        if len(queue.coming) < 5:
            qtbot.waitUntil(lambda num=num: len(queue.entries) > num)
    heard = titles(queue)
    assert all(first != second for first, second in pairwise(heard))
    panel.radio_stopped.emit()
    assert window.queueing.radio.text == ""
    assert queue.coming  # what is there stays


def test_the_radio_ends_when_something_else_is_played(qtbot, window, queue):
    start_radio(qtbot, window, queue)
    view = window.library.view
    view.play_requested.emit(window.library.model.track_at(3))
    assert window.queueing.radio.seed is None
    assert titles(queue) == ["Wallflower", "Fifth wheel"]


def test_the_fader_comes_with_the_second_song_and_leaves_room_to_seek(qtbot, window):
    window.resize(window.minimumSize())
    find_first(qtbot, window)
    window.services.player.play(Side.QUERY, window.results.query_row.sound)
    sliders = {one.accessibleName(): one for one in window.player_bar.findChildren(QSlider)}
    fader = sliders["Mixture of query (left) and result (right)"]
    seek = sliders["Position in the song"]
    assert not fader.isVisible()
    QApplication.processEvents()
    assert seek.width() > 150
    qtbot.keyClick(window, Key.Key_M)
    assert fader.isVisible()
    QApplication.processEvents()
    assert seek.width() > 50


def test_songs_encircled_on_the_map_are_played_and_added(qtbot, window, queue):
    ids = window.library.model.ids
    window.map_page.play_requested.emit(ids[1:4])
    qtbot.waitUntil(lambda: titles(queue) == ["Second wind", "Third rail", "Wallflower"])
    assert window.services.player.playing.title == "Second wind"
    window.show_page(Page.EVALUATE)
    qtbot.keyClick(window, Key.Key_D, Mod.ControlModifier)
    QApplication.processEvents()
    assert len(queue.entries) == 3  # nothing is selected there
