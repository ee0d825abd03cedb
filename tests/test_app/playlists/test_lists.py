"""Favourites, playlists and marks in the whole window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QInputDialog, QPushButton
from support import app_fixtures
from support.app_fixtures import (
    choose_from_menu,
    click_song,
    find_first,
    results,
    shown_titles,
)

from app.desktop.drag_and_drop import files_as_mime_data
from app.find.filters import NOTHING_FILTERED
from app.services.kept import Kind, SongList
from app.ui.top_bar import Page
from app.window import MainWindow
from engine.library import Library
from engine.library.kept.marks import favourites, marks
from engine.library.kept.playlists import playlist_named, songs_of

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

ALL = ["First light", "Second wind", "Third rail", "Wallflower", "Fifth wheel"]


def ids_of(window: MainWindow, *titles: str) -> list[int]:
    by_title = dict(zip(ALL, sorted(window.services.open_library.library.track_ids()), strict=True))
    return [by_title[title] for title in titles]


def made(qtbot, window: MainWindow, *titles: str, name: str = "Evenings") -> SongList:
    kept = window.services.kept
    num = len(kept.playlists)
    kept.create(name, ids_of(window, *titles))
    qtbot.waitUntil(lambda: len(kept.playlists) == num + 1)
    return next(one for one in kept.playlists if one.name == name)


def shows(qtbot, window: MainWindow, *titles: str) -> None:
    qtbot.waitUntil(lambda: shown_titles(window) == list(titles))


def choose(qtbot, window: MainWindow, one: SongList, *titles: str) -> None:
    window.find_page.keeping.chooser.choose(one)
    shows(qtbot, window, *titles)


def select(window: MainWindow, row: int) -> None:
    window.library.view.setFocus()
    window.library.view.selectRow(row)


def drop(qtbot, window: MainWindow, row: int, data: QMimeData) -> None:
    """On a row of the lists, as the mouse would."""
    chooser = window.find_page.keeping.chooser
    place = chooser.view.visualItemRect(chooser.view.item(row)).center()
    place = chooser.view.viewport().mapTo(chooser, place)
    button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    chooser.dragEnterEvent(QDragEnterEvent(place, Qt.DropAction.CopyAction, data, button, keys))
    chooser.dropEvent(QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, button, keys))


def test_h_gives_a_heart_and_takes_it(qtbot, window):
    kept = window.services.kept
    select(window, 2)
    qtbot.keyClick(window.library.view, Qt.Key.Key_H)
    qtbot.waitUntil(lambda: kept.favourites == tuple(ids_of(window, "Third rail")))
    choose(qtbot, window, window.find_page.keeping.chooser.lists()[1], "Third rail")
    select(window, 0)
    qtbot.keyClick(window.library.view, Qt.Key.Key_H)
    shows(qtbot, window)
    choose(qtbot, window, window.find_page.keeping.chooser.lists()[0], *ALL)
    assert favourites(window.services.open_library.library.database) == []


def test_a_playlist_is_shown_in_its_order_until_a_column_is_clicked(qtbot, window):
    one = made(qtbot, window, "Wallflower", "First light", "Fifth wheel")
    choose(qtbot, window, one, "Wallflower", "First light", "Fifth wheel")
    window.top_bar.search.setText("li")
    shows(qtbot, window, "First light")
    window.top_bar.search.clear()
    window.library.set_sort("title", False)
    shows(qtbot, window, "Fifth wheel", "First light", "Wallflower")
    window.library.show_all()
    shows(qtbot, window, *sorted(ALL))
    assert window.find_page.keeping.chooser.current.kind == Kind.ALL


def test_words_are_searched_in_the_playlist_on_show_and_with_one_step_in_everything(qtbot, window):
    search, bar = window.top_bar.search, window.library.bar
    one = made(qtbot, window, "First light", "Fifth wheel")
    choose(qtbot, window, one, "First light", "Fifth wheel")
    assert search.placeholderText() == "Search in “Evenings”"
    assert bar.isHidden()
    window.show_page(Page.MAP)  # which shows all songs
    assert search.placeholderText() == "Search library"
    assert window.top_bar._count.isHidden()
    window.show_page(Page.LIBRARY)
    assert window.top_bar._count.isVisible()
    search.setText("wallf")
    shows(qtbot, window)
    assert window.library._bar_text.text() == "0 songs in “Evenings”"
    search.setText("li")
    shows(qtbot, window, "First light")
    assert window.library._bar_text.text() == "1 song in “Evenings”"
    search.setText("wallf")
    everywhere = next(b for b in bar.findChildren(QPushButton) if b.isVisible())
    assert everywhere.text() == "Search all songs"
    everywhere.click()
    shows(qtbot, window, "Wallflower")
    assert (search.text(), search.placeholderText()) == ("wallf", "Search library")
    assert bar.isHidden()


def test_delete_takes_a_song_out_and_undo_brings_it_back_to_its_place(qtbot, window):
    one = made(qtbot, window, "Wallflower", "First light", "Wallflower")
    choose(qtbot, window, one, "Wallflower", "First light", "Wallflower")
    select(window, 0)
    qtbot.keyClick(window.library.view, Qt.Key.Key_Delete)
    shows(qtbot, window, "First light", "Wallflower")
    qtbot.waitUntil(lambda: "taken out of “Evenings”" in window.notice.text)
    window.notice._undo.click()
    shows(qtbot, window, "Wallflower", "First light", "Wallflower")
    assert window.notice.text == ""


def test_rows_are_moved_within_a_playlist(qtbot, window):
    one = made(qtbot, window, "Wallflower", "First light", "Fifth wheel")
    choose(qtbot, window, one, "Wallflower", "First light", "Fifth wheel")
    window.library.view.moved.emit([0], 3)
    shows(qtbot, window, "First light", "Fifth wheel", "Wallflower")
    window.library.view.moved.emit([1, 2], 0)
    shows(qtbot, window, "Fifth wheel", "Wallflower", "First light")


def test_songs_are_dropped_on_a_playlist_and_on_the_favourites(qtbot, window):
    made(qtbot, window, "Wallflower")
    chooser, ids = window.find_page.keeping.chooser, window.library.model.ids
    chooser.set_open(True)
    data = files_as_mime_data([], [ids[0], ids[2]])
    drop(qtbot, window, 2, data)
    drop(qtbot, window, 1, data)
    drop(qtbot, window, 0, data)  # all songs: they are there already
    kept = window.services.kept
    qtbot.waitUntil(lambda: [one.num_songs for one in kept.playlists] == [3])
    qtbot.waitUntil(lambda: len(kept.favourites) == 2)
    assert not chooser.view.isHidden()  # it was open before
    database = window.services.open_library.library.database
    songs = songs_of(database, playlist_named(database, "Evenings").id)
    assert [song.title for song in songs] == ["Wallflower", "First light", "Third rail"]


def test_a_playlist_is_made_renamed_deleted_and_brought_back(qtbot, window):
    chooser, kept = window.find_page.keeping.chooser, window.services.kept
    chooser.ask_new(ids_of(window, "Third rail"))
    (dialog,) = window.findChildren(QInputDialog)
    dialog.setTextValue("Nights")
    dialog.accept()
    qtbot.waitUntil(lambda: [one.name for one in kept.playlists] == ["Nights"])
    choose(qtbot, window, kept.playlists[0], "Third rail")
    kept.rename(kept.playlists[0], "Days")
    qtbot.waitUntil(lambda: chooser.current.name == "Days")
    kept.delete(kept.playlists[0])
    shows(qtbot, window, *ALL)
    qtbot.waitUntil(lambda: "“Days” is deleted" in window.notice.text)
    window.notice._undo.click()
    qtbot.waitUntil(lambda: [(one.name, one.num_songs) for one in kept.playlists] == [("Days", 1)])
    kept.create("days", [])
    qtbot.waitUntil(lambda: [one.name for one in kept.playlists] == ["Days", "days 2"])


def test_a_click_for_a_menu_chooses_nothing(qtbot, window):
    made(qtbot, window, "First light")
    chooser = window.find_page.keeping.chooser
    chooser.set_open(True)
    last = chooser.view.item(chooser.view.count() - 1)
    place = chooser.view.visualItemRect(last).center()
    qtbot.mouseClick(chooser.view.viewport(), Qt.MouseButton.RightButton, pos=place)
    assert chooser.view.currentItem() is last
    at = chooser.view.viewport().mapToGlobal(place)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, at)
    QApplication.sendEvent(chooser.view.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert [one.text() for one in menu.actions()][-1] == "Delete playlist"
    menu.close()
    assert chooser.view.currentRow() == 0  # all songs, which the table shows
    assert len(shown_titles(window)) == 5


def test_an_imported_playlist_says_what_the_library_does_not_hold(qtbot, window, music):
    (song,) = [t.path for t in window.services.open_library.library.tracks([1])]
    (music / "list.m3u8").write_text(f"{song.relative_to(music)}\nnowhere.mp3\n", "utf-8")
    kept = window.services.kept
    kept.import_files([music / "list.m3u8"])
    qtbot.waitUntil(lambda: "1 of them are not in the library" in window.notice.text)
    qtbot.waitUntil(lambda: [one.num_songs for one in kept.playlists] == [2])
    window.find_page.keeping.chooser.choose(kept.playlists[0])
    qtbot.waitUntil(lambda: len(shown_titles(window)) == 1)
    assert "1 not in the library" in window.find_page.keeping.chooser.opener.text()


def test_not_this_one_leaves_the_list_and_undo_brings_it_back(qtbot, window):
    find_first(qtbot, window)
    by_voice, overall = results(window)
    view = window.results.voices.view
    view.setFocus()
    view.setCurrentIndex(window.results.voices.model.index(1))
    qtbot.keyClick(view, Qt.Key.Key_D)
    gone = by_voice[1]
    qtbot.waitUntil(lambda: gone not in results(window)[0])
    assert results(window)[1] == overall  # it is a word on voices alone
    qtbot.waitUntil(lambda: gone in window.notice.text)
    database = window.services.open_library.library.database
    assert [mark.is_same for mark in marks(database)] == [False]
    window.notice._undo.click()
    qtbot.waitUntil(lambda: results(window)[0] == by_voice)
    assert marks(database) == []


def test_the_same_voice_stays_and_all_marks_become_a_table(qtbot, window, music):
    find_first(qtbot, window)
    keeping = window.find_page.keeping
    found = window.results.voices.model.neighbours[:1]
    (entry,) = [entry for entry in keeping.mark_entries(found) if entry.icon == "same"]
    entry.action()
    qtbot.waitUntil(lambda: window.services.kept.num_marks == 1)
    window.services.kept.export_marks(music / "marks.csv")
    qtbot.waitUntil(lambda: "marks.csv" in window.notice.text)
    assert (music / "marks.csv").read_text().splitlines()[1].startswith("1,")
    assert len(results(window)[0]) == 4


def test_several_songs_are_one_question(qtbot, window):
    asked = ids_of(window, "First light", "Third rail")
    (entry, *_) = window.find_page.keeping.entries(asked)
    assert entry.text == "Find songs like these 2"
    entry.action()
    qtbot.waitUntil(lambda: len(results(window)[0]) == 3)
    assert not {"First light", "Third rail"} & set(results(window)[0])
    assert window.results.query_row.sound.title == "2 songs"


def test_results_become_a_playlist(qtbot, window):
    find_first(qtbot, window)
    ids = [one.track.id for one in window.results.voices.model.neighbours]
    window.find_page.keeping.show_playlists(ids, "Like First light")
    choose_from_menu(qtbot, "New playlist…")
    (dialog,) = window.findChildren(QInputDialog)
    assert dialog.textValue() == "Like First light"
    dialog.accept()
    qtbot.waitUntil(lambda: [one.num_songs for one in window.services.kept.playlists] == [4])


def test_what_is_kept_is_there_at_the_next_start(qtbot, window, open_window, library_path: Path):
    made(qtbot, window, "Wallflower")
    window.close()
    again = open_window()
    qtbot.waitUntil(lambda: [one.name for one in again.services.kept.playlists] == ["Evenings"])
    with Library.open(library_path) as library:
        assert len(songs_of(library.database, 1)) == 1


def test_a_search_is_saved_and_asked_again_as_it_was(qtbot, window):
    find_first(qtbot, window)
    button = window.results.filter_button
    button.set_filters(replace(NOTHING_FILTERED, other_artists=True, hide_duplicates=False))
    window.find_page.keeping.ask_to_save("Like First light")
    (dialog,) = window.findChildren(QInputDialog)
    dialog.accept()
    kept = window.services.kept
    qtbot.waitUntil(lambda: [one.name for one in kept.searches] == ["Like First light"])
    button.set_filters(NOTHING_FILTERED)
    click_song(qtbot, window, 4)
    window.find_page.keeping.chooser.choose(kept.searches[0])
    question = window.services.search.question
    qtbot.waitUntil(lambda: window.services.search.question.track.title == "First light")
    assert question is not window.services.search.question
    assert button.filters == replace(NOTHING_FILTERED, other_artists=True, hide_duplicates=False)
    qtbot.waitUntil(lambda: "Second wind" not in results(window)[0])
    assert window.find_page.keeping.chooser.current.kind == Kind.ALL
    kept.delete_search("Like First light")
    qtbot.waitUntil(lambda: "is deleted" in window.notice.text and not kept.searches)
    window.notice._undo.click()
    qtbot.waitUntil(lambda: len(kept.searches) == 1)
