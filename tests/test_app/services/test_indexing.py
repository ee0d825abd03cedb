from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QMenu,
    QMessageBox,
    QPushButton,
)
from support import app_fixtures
from support.app_fixtures import MAIN_PAGE, click_song, find_first, results, shown_titles
from support.app_window import SONGS, listen, make_library, write_songs

from app.library.dialogs import FailedDialog, FoldersDialog
from app.window import MainWindow
from engine.errors import LibraryLockedError, QueryError
from engine.library import Library
from engine.library.scan.scan import scan
from engine.progress import CancelToken, Progress, ProgressCallback

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

# Folders, failures, files


def test_failed_files_are_listed_with_reasons_and_tried_again(
    qtbot, open_window, library_path, music
):
    make_library(library_path, music)
    with Library.open(library_path) as library:
        ids = library.track_ids()
        library.put_failure(ids[0], "The file is <b>damaged</b>.")
        library.put_failure(ids[1], "The file is empty.")
    asked_again = threading.Event()

    def index(library: Library, progress: ProgressCallback, cancel: CancelToken) -> None:
        assert library.counts().failed == 0
        asked_again.set()

    window = open_window(index=index)
    strip = window.indexing_strip
    qtbot.waitUntil(lambda: strip._failed.text() == "2 failed…")
    qtbot.mouseClick(strip._failed, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.findChildren(FailedDialog)))
    (dialog,) = window.findChildren(FailedDialog)
    assert dialog.list.count() == 2
    assert "damaged" in dialog.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert not dialog._retry.isEnabled()
    assert not dialog.grab().isNull()
    buttons = dialog.findChildren(QPushButton)
    next(one for one in buttons if one.text() == "Try all again").click()
    qtbot.waitUntil(asked_again.is_set)
    qtbot.waitUntil(lambda: not strip.isVisible())


def test_a_folder_is_seen_and_removed(qtbot, window):
    window.commands.show_folders()
    (dialog,) = window.findChildren(FoldersDialog)
    assert "5 songs" in dialog.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    dialog.list.setCurrentRow(0)
    for answer in ("Cancel", "Remove"):
        assert len(shown_titles(window)) == 5
        dialog._remove.click()
        (question,) = dialog.findChildren(QMessageBox)
        assert "5 songs" in question.informativeText()
        next(b for b in question.buttons() if answer in b.text()).click()
        qtbot.waitUntil(lambda: not dialog.findChildren(QMessageBox))
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.start_page)
    dialog.close()


def test_what_plays_can_be_stopped_when_no_folder_is_left(qtbot, window, music):
    window.comparison.play_track(window.library.model.track_at(0))
    window.services.open_library.forget_folder(music)
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.start_page)
    assert window.player_bar.isVisible()
    qtbot.mouseClick(window.player_bar._play, Qt.MouseButton.LeftButton)
    assert not window.services.player.is_playing


def drop(window: MainWindow, *paths: Path, keys=Qt.KeyboardModifier.NoModifier) -> QDropEvent:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    event = QDropEvent(QPointF(10, 10), actions, data, Qt.MouseButton.LeftButton, keys)
    if keys:
        event.setDropAction(Qt.DropAction.MoveAction)  # what Shift means
    window.dropEvent(event)
    return event


def test_files_that_are_dropped_stay_where_they_are_whatever_key_is_held(qtbot, window, music):
    event = drop(window, music, keys=Qt.KeyboardModifier.ShiftModifier)
    assert event.isAccepted()
    assert event.dropAction() == Qt.DropAction.CopyAction


def test_songs_named_at_the_start_are_asked_about_and_played(qtbot, open_window, tmp_path):
    songs = write_songs(tmp_path, [("Dora", "One"), ("Dora", "Two")])
    window = open_window(folders=songs[:1])
    qtbot.waitUntil(lambda: window.results.query_row.sound is not None)
    assert window.results.query_row.sound.title == "One"
    assert window.pages.currentIndex() == MAIN_PAGE
    assert not window.services.player.is_playing
    window.come_forward(songs)  # started once more
    player = window.services.player
    qtbot.waitUntil(lambda: player.is_playing)
    assert player.sound(player.side).title == "One"
    assert window.results.query_row.is_playing
    player.play_next()
    assert player.sound(player.side).title == "Two"
    qtbot.waitUntil(lambda: window.services.open_library.overview is not None)
    assert not window.services.open_library.overview.folders


def test_what_is_not_there_at_the_start_is_told(qtbot, open_window, tmp_path):
    window = open_window(folders=[tmp_path / "gone.mp3"])
    told = "gone.mp3 is not there. Was it moved or renamed?"
    qtbot.waitUntil(lambda: window.notice.text.endswith(told))
    assert window.pages.currentWidget() is window.start_page


def test_a_dropped_folder_is_added(qtbot, open_window, music):
    write_songs(music, SONGS[:3])
    window = open_window(index=lambda library, progress, cancel: scan(library, ()))
    drop(window, music)
    qtbot.waitUntil(lambda: len(shown_titles(window)) == 3)


def test_a_dropped_file_without_sound_is_told_and_changes_nothing(qtbot, window, tmp_path):
    find_first(qtbot, window)
    path = tmp_path / "letter.mp3"
    path.write_text("Dear Sir or Madam, " * 100)
    drop(window, path)
    qtbot.waitUntil(lambda: len(window.notice.text) > 20)
    assert window.results.query_row.sound.title == "First light"


def test_a_dropped_song_becomes_the_query(qtbot, window, tmp_path):
    asked = []
    window.services.search._make_searcher = lambda: SimpleNamespace(
        by_file=lambda path, *_, **__: asked.append(path) or nobody_sings()
    )
    drop(window, write_songs(tmp_path, [("Dora", "Song from elsewhere")])[0])
    qtbot.waitUntil(lambda: len(asked) == 2)
    qtbot.waitUntil(lambda: window.results.voices._message.text() == "Nobody sings in it.")
    sound = window.results.query_row.sound
    assert (sound.title, sound.duration_s) == ("Song from elsewhere", 0.5)


def test_a_file_from_elsewhere_is_chosen_by_keyboard(qtbot, window, tmp_path):
    asked = []
    window.services.search._make_searcher = lambda: SimpleNamespace(
        by_file=lambda path, *_, **__: asked.append(path) or nobody_sings()
    )
    path = write_songs(tmp_path, [("Dora", "Song from elsewhere")])[0]
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: asked == [path, path])
    assert window.results.query_row.sound.title == "Song from elsewhere"


def nobody_sings() -> None:
    raise QueryError("Nobody sings in it.")


def test_the_menu_of_a_song(qtbot, window):
    track = window.library.model.track_at(0)
    window.commands.show_track_menu(track, QPoint(5, 5), lambda: None, [track.id])
    (menu,) = [m for m in window.findChildren(QMenu) if m.isVisible()]
    assert [a.text() for a in menu.actions() if a.text()] == [
        "Find similar",
        "Voices like Alma’s",
        "Play",
        "Play next",
        "Add to queue",
        "Radio from this voice",
        "Show in folder",
        "Copy path",
    ]
    menu.actions()[0].trigger()
    menu.close()
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)


def test_a_song_heard_elsewhere_is_not_looked_for_on_this_computer(qtbot, window):
    there = window.library.model.track_at(0)
    track = replace(there, path=Path("s3://songs/first.mp3"))
    window.commands.show_track_menu(track, QPoint(5, 5), lambda: None, [track.id])
    (menu,) = [m for m in window.findChildren(QMenu) if m.isVisible()]
    enabled = {action.text(): action.isEnabled() for action in menu.actions() if action.text()}
    assert not enabled["Show in folder"]
    assert not enabled["Play"]
    assert enabled["Find similar"]
    menu.close()
    window.commands.reveal(track)
    assert window.notice.text.startswith("First light is not on this computer")


# Indexing


def endless(started: threading.Event) -> Callable[..., None]:
    def index(library: Library, progress: ProgressCallback, cancel: CancelToken) -> None:
        with library.lease():
            while True:
                progress(Progress("vocals", 312, 2041, eta_s=4200.0))
                started.set()
                cancel.check()
                threading.Event().wait(0.005)

    return index


def test_indexing_shows_how_far_it_is_and_can_be_paused_and_stopped(qtbot, window):
    started = threading.Event()
    window.services.indexing.index_work = endless(started)
    qtbot.keyClick(window, Qt.Key.Key_F5)
    strip = window.indexing_strip
    qtbot.waitUntil(lambda: "312 of 2,041" in strip._detail.text())
    assert "1 h 10 min left" in strip._detail.text()
    assert strip._headline.text() == "Listening to the voices"
    qtbot.mouseClick(strip._pause, Qt.MouseButton.LeftButton)
    assert strip._headline.text() == "Paused"
    assert window.services.indexing.is_paused
    qtbot.mouseClick(strip._pause, Qt.MouseButton.LeftButton)
    assert not window.services.indexing.is_paused
    qtbot.mouseClick(strip._stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.services.indexing.is_running)
    assert not strip.isVisible()


def test_songs_are_found_while_indexing_goes_on(qtbot, window):
    window.services.indexing.index_work = endless(threading.Event())
    qtbot.keyClick(window, Qt.Key.Key_F5)
    find_first(qtbot, window)
    assert window.services.indexing.is_running


def test_voices_follow_by_themselves_while_they_are_separated(
    qtbot, open_window, library_path, music
):
    write_songs(music, SONGS)
    with Library.open(library_path) as library:
        library.add_folder(music)
        scan(library)
        listen(library, views=("overall",))
    window = open_window()
    qtbot.waitUntil(lambda: shown_titles(window) == [title for _, title in SONGS])
    window.services.indexing.index_work = endless(threading.Event())
    qtbot.keyClick(window, Qt.Key.Key_F5)
    click_song(qtbot, window, 0)
    voices, overall = window.results.voices, window.results.overall
    qtbot.waitUntil(lambda: len(overall.model.neighbours) == 4)
    assert "being separated" in voices._message.text()
    overall.view.setCurrentIndex(overall.model.index(2))
    chosen = overall.view.current()
    listen(window.services.open_library.library)
    window.find_page._look_again.timeout.emit()
    qtbot.waitUntil(lambda: len(voices.model.neighbours) == 4)
    assert overall.view.current().track.id == chosen.track.id
    assert window.results.result_row.sound.title == chosen.track.title
    assert window.services.indexing.is_running


@pytest.mark.parametrize("is_paused", [False, True])
def test_closing_while_indexing_stops_it_and_frees_the_library(
    qtbot, window, library_path, is_paused
):
    started = threading.Event()
    window.services.indexing.index_work = endless(started)
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(started.is_set)
    if is_paused:
        window.services.indexing.pause()
    window.close()
    assert window.has_stopped
    with Library.open(library_path) as library, library.lease():
        assert library.counts().tracks == 5


def test_a_failure_of_indexing_is_told(qtbot, window):
    def index(library: Library, progress: ProgressCallback, cancel: CancelToken) -> None:
        raise LibraryLockedError("Another program is indexing. Wait for it to end.")

    window.services.indexing.index_work = index
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.notice.text.startswith("Another program is indexing"))


def test_settings_are_kept(qtbot, window, open_window):
    window.services.player.set_volume(0.3)
    button = window.results.filter_button
    button.set_filters(replace(button.filters, other_artists=True))
    window.resize(900, 610)
    window.close()
    again = open_window()
    assert again.services.player.volume == pytest.approx(0.3)
    assert again.results.filter_button.filters.other_artists
    assert again.height() == 610


def test_damaged_settings_are_told(open_window, library_path, music):
    make_library(library_path, music)
    library_path.with_name("settings.ini").write_bytes(b"\x00\x01 no ini \xff\n[[[")
    window = open_window()
    assert "damaged" in window.notice.text
