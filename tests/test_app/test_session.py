"""After a restart the window goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QFileOpenEvent
from support import app_fixtures
from support.app_fixtures import click_song, find_first, results, shown_titles
from support.app_window import SONGS, make_window

from app.desktop.application import Application
from app.player.queue import Repeat
from app.services.session import Session
from app.ui.top_bar import Page

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


def test_question_selection_page_queue_and_radio_come_back(qtbot, window, open_window):
    find_first(qtbot, window)
    view = window.results.voices.view
    view.setCurrentIndex(view.model().index(2, 0))
    chosen = view.current().track.title
    qtbot.keyClick(
        window,
        Qt.Key.Key_R,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    player = window.services.player
    qtbot.waitUntil(lambda: len(player.queue.coming) >= 5)
    player.queue.set_repeat(Repeat.ALL)
    songs = [entry.sound for entry in player.queue.entries]
    player.pause()
    player.seek(player.side, 0.3)
    radio = window.queueing.radio.text
    window.show_page(Page.EVALUATE)
    window.close()

    again = open_window()
    qtbot.waitUntil(lambda: again.page == Page.EVALUATE)
    qtbot.waitUntil(lambda: len(results(again)[0]) == 4)
    assert again.services.search.question.track.title == "First light"
    qtbot.waitUntil(lambda: again.library.view.current_track() is not None)
    assert again.library.view.current_track().title == "First light"
    qtbot.waitUntil(lambda: again.results.voices.view.current() is not None)
    assert again.results.voices.view.current().track.title == chosen
    player = again.services.player
    assert [entry.sound for entry in player.queue.entries] == songs
    assert player.queue.repeat is Repeat.ALL
    assert not player.is_playing
    assert player.sound(player.side) == songs[0]
    assert abs(player.position_s(player.side) - 0.3) < 0.01
    again.services.player.toggle()
    assert again.services.player.playing == songs[0]
    assert [entry.sound for entry in player.queue.entries] == songs
    assert again.queueing.radio.text == radio != ""


def test_what_is_selected_stays_so_though_its_row_has_not_arrived(window):
    panel, listed = window.library, window.services.open_library.listed
    panel.select_soon(902)
    listed.emit([901, 902, 903])
    assert panel.view.current_track() is None
    listed.emit([903, 902, 901])
    assert panel.view.current_id() == 902


def test_a_window_that_is_closed_at_once_forgets_nothing(qtbot, window, library_path):
    find_first(qtbot, window)
    window.close()
    path = library_path.with_name("session.json")
    before = path.read_text()
    hasty = make_window(qtbot, library_path)
    assert not hasty.services.open_library.is_open
    hasty.close()
    assert path.read_text() == before


def test_a_session_of_nonsense_begins_afresh(qtbot, window, open_window, library_path):
    window.close()
    path = library_path.with_name("session.json")
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, "queue": {"queue": 1}, "page": {"page": 7}}))
    again = open_window()
    qtbot.waitUntil(lambda: shown_titles(again) == [title for _, title in SONGS])
    assert again.page == Page.LIBRARY
    assert again.services.player.queue.entries == []
    again.close()
    path.write_text("{")
    open_window()


def restored(path: Path, text: str) -> list[object]:
    path.write_text(text)
    session, came_back = Session(path, Path("a.db")), list[object]()
    session.keep("place", list, lambda value: came_back.append(int(value)))
    session.restore()
    return came_back


@pytest.mark.parametrize("told", ["[" * 100_000, "7", "Infinity", '"x"', "{}", "[]", "null"])
def test_a_session_from_elsewhere_never_stops_the_window(tmp_path, told):
    assert restored(tmp_path / "s.json", told) == []
    assert restored(tmp_path / "s.json", f'{{"library": "a.db", "place": {told}}}') in ([], [7])
    assert restored(tmp_path / "s.json", f'{{"library": "b.db", "place": {told}}}') == []


def test_what_was_begun_with_counts_more_than_the_session(qtbot, window, open_window, music):
    find_first(qtbot, window)
    window.close()
    again = open_window(folders=[music])
    qtbot.waitUntil(lambda: shown_titles(again) == [title for _, title in SONGS])
    assert again.services.search.question is None


def test_another_library_has_another_session(tmp_path):
    first, second = (Session(tmp_path / "s.json", tmp_path / name) for name in ("a.db", "b.db"))
    came_back: list[object] = []
    for one in (first, second):
        one.keep("place", lambda: [1, 2], came_back.append)
    first.save()
    second.restore()
    assert came_back == []
    first.restore()
    assert came_back == [[1, 2]]


def test_media_keys_do_what_their_buttons_do(qtbot, window):
    click_song(qtbot, window, 0)
    window.commands.enqueue(window.library.model.ids)
    player = window.services.player
    qtbot.waitUntil(lambda: len(player.queue.entries) == 5)
    qtbot.keyClick(window, Qt.Key.Key_MediaNext)
    first = player.playing
    assert first is not None
    qtbot.keyClick(window, Qt.Key.Key_MediaTogglePlayPause)
    assert not player.is_playing
    qtbot.keyClick(window, Qt.Key.Key_MediaNext)
    assert player.playing not in (first, None)
    qtbot.keyClick(window, Qt.Key.Key_MediaPrevious)
    assert player.playing == first


def test_files_that_macos_hands_over_are_opened(qapp):
    opened: list[list[Path]] = []

    class Receiver:
        """An application stands in for itself: there is one a process."""

        class files_opened:  # noqa: N801
            emit = staticmethod(opened.append)

    event = QFileOpenEvent(QUrl.fromLocalFile("/music/a song.mp3"))
    assert Application.event(Receiver(), event)  # type: ignore[arg-type]
    assert opened == [[Path("/music/a song.mp3")]]
