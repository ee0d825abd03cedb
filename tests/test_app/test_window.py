from __future__ import annotations

import sys
import threading
import time
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractButton,
    QFileDialog,
    QLabel,
    QMenu,
    QPushButton,
)
from support import app_fixtures
from support.app_fixtures import MAIN_PAGE, click_song, find_first, results, shown_titles
from support.app_window import SONGS, listen, make_library, write_songs

from app.library.table_model import Column, TrackRole, TrackState, state_of
from app.library.table_view import TITLE_PX
from engine.library import Library
from engine.library.scan.scan import scan
from engine.progress import CancelToken, Progress, ProgressCallback

pytestmark = pytest.mark.linux


no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

NASTY = (
    ("<b>Bold</b>", "<img src=x onerror=alert(1)>"),
    ("שלום", "\u202eעולם"),
    ("🎤👩‍🎤", "naïve café 🎶"),
    ("Long", "la" * 100),
    ("Plain", "song"),
)


# First start


def test_a_newcomer_is_welcomed_and_a_folder_is_all_it_takes(qtbot, open_window, music):
    write_songs(music, SONGS)
    indexed = threading.Event()

    def index(library: Library, progress: ProgressCallback, cancel: CancelToken) -> None:
        scan(library, (), progress, cancel)
        listen(library)
        indexed.set()

    window = open_window(index=index)
    assert window.pages.currentWidget() is window.start_page
    texts = " ".join(label.text() for label in window.start_page.findChildren(QLabel))
    assert "Nothing leaves this computer" in texts
    choose = next(
        b for b in window.start_page.findChildren(QAbstractButton) if "folder" in b.text()
    )
    qtbot.mouseClick(choose, Qt.MouseButton.LeftButton)
    (dialog,) = window.findChildren(QFileDialog)
    assert not dialog.testAttribute(Qt.WidgetAttribute.WA_ShowModal) or dialog.isVisible()
    dialog.fileSelected.emit(str(music))
    dialog.close()
    qtbot.waitUntil(lambda: window.pages.currentIndex() == MAIN_PAGE)
    qtbot.waitUntil(indexed.is_set)
    qtbot.waitUntil(lambda: len(shown_titles(window)) == len(SONGS))
    qtbot.waitUntil(lambda: not window.services.indexing.is_running)


def test_folders_given_at_the_start_are_added(qtbot, open_window, music):
    write_songs(music, SONGS[:2])
    window = open_window(
        folders=[music], index=lambda library, progress, cancel: scan(library, (), progress, cancel)
    )
    qtbot.waitUntil(lambda: len(shown_titles(window)) == 2)


def test_the_demo_is_made_and_added(qtbot, open_window, monkeypatch):
    def make(folder, progress, cancel):
        progress(Progress("demo", 1, 2))
        return write_songs(folder, SONGS)

    monkeypatch.setitem(sys.modules, "engine.demo", SimpleNamespace(make_demo_library=make))
    window = open_window(index=lambda library, progress, cancel: scan(library, ()))
    window.start_page.demo_requested.emit()
    qtbot.waitUntil(lambda: len(shown_titles(window)) == len(SONGS))
    assert window.pages.currentIndex() == MAIN_PAGE


def test_making_the_demo_is_stopped(qtbot, open_window, monkeypatch):
    has_begun = threading.Event()

    def make(folder, progress, cancel):
        progress(Progress("demo", 1, 2))
        has_begun.set()
        while True:
            cancel.check()
            time.sleep(0.005)

    monkeypatch.setitem(sys.modules, "engine.demo", SimpleNamespace(make_demo_library=make))
    window = open_window()
    page = window.start_page
    qtbot.mouseClick(page._demo, Qt.MouseButton.LeftButton)
    assert not page._demo.isEnabled()
    qtbot.waitUntil(has_begun.is_set)
    qtbot.mouseClick(page._stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page._demo.isEnabled)
    assert not page._stop.isVisible()
    assert window.pages.currentWidget() is page


def test_a_library_that_cannot_be_opened_is_told_and_tried_again(
    qtbot, open_window, library_path, music
):
    library_path.write_bytes(b"this is no database" * 100)
    window = open_window()
    assert window.pages.currentWidget() is window.problem_page
    texts = [label.text() for label in window.problem_page.findChildren(QLabel)]
    assert any(str(library_path.name) in text for text in texts)
    library_path.unlink()
    make_library(library_path, music)
    window.problem_page.findChild(QPushButton).click()
    qtbot.waitUntil(lambda: window.pages.currentIndex() == MAIN_PAGE)


# The table


def test_the_table_is_searched_while_typing(qtbot, window):
    qtbot.keyClicks(window.top_bar.search, "third bo")
    qtbot.waitUntil(lambda: shown_titles(window) == ["Third rail"])
    qtbot.keyClick(window.top_bar.search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(shown_titles(window)) == 5)
    qtbot.keyClicks(window.top_bar.search, "zzz")
    qtbot.waitUntil(lambda: shown_titles(window) == [])
    assert "zzz" in window.library._empty.text()


def test_the_table_is_sorted_by_a_click_and_remembers_it(qtbot, window, open_window, library_path):
    window.library.view.sortByColumn(Column.TITLE, Qt.SortOrder.DescendingOrder)
    expected = sorted((title for _, title in SONGS), reverse=True)
    qtbot.waitUntil(lambda: shown_titles(window) == expected)
    window.close()
    again = open_window()
    qtbot.waitUntil(lambda: shown_titles(again) == expected)


def test_the_player_is_on_a_screen_of_1366_by_768_at_150_percent(qtbot, window):
    find_first(qtbot, window)
    window.resize(910, 482)  # what is left of it between the desktop's own bars
    for page in window.sections:
        window.show_page(page)
        qtbot.waitUntil(lambda: window.player_bar.isVisible())
        assert window.height() == 482
        bar = window.player_bar
        assert bar.mapTo(window, bar.rect().bottomRight()).y() < window.height()


def test_the_menu_of_the_header_says_what_the_dots_mean(window):
    panel = window.library
    panel._columns_menu(QPoint(5, 5))
    menu = panel.findChild(QMenu)
    (legend,) = [action.menu() for action in menu.actions() if action.menu() is not None]
    assert [action.text() for action in legend.actions()] == list(panel.model.state_texts.values())
    pictures = [action.icon().pixmap(14).toImage() for action in legend.actions()]
    assert all(a != b for i, a in enumerate(pictures) for b in pictures[:i])
    menu.close()


def test_columns_give_way_to_the_title_and_come_back(qtbot, window, open_window):
    view, header = window.library.view, window.library.view.horizontalHeader()
    window.find_page.setSizes([440, 700])
    header.resizeSection(Column.ARTIST, 120)
    view.show_column(Column.ALBUM, True)
    assert header.sectionSize(Column.TITLE) >= TITLE_PX - 2
    shrunk = header.sectionSize(Column.ALBUM)
    assert header.sectionSize(Column.ARTIST) < 120
    window.close()  # cramped columns are not what is remembered
    window = open_window()
    window.resize(1900, 780)
    window.find_page.setSizes([900, 1000])
    header = window.library.view.horizontalHeader()
    qtbot.waitUntil(lambda: header.sectionSize(Column.ARTIST) == 120)
    assert header.sectionSize(Column.ALBUM) > shrunk


def test_columns_are_wide_enough_for_their_names_in_large_letters(qtbot, window):
    view, header = window.library.view, window.library.view.horizontalHeader()
    window.resize(1900, 780)  # where nothing has to give way
    window.find_page.setSizes([900, 1000])
    before = header.sectionSize(Column.LENGTH)
    font = header.font()
    font.setPointSizeF(3 * font.pointSizeF())
    header.setFont(font)
    view.make_room()
    assert header.sectionSize(Column.LENGTH) > before
    assert header.sectionSize(Column.LENGTH) >= header.sectionSizeHint(Column.LENGTH)


def test_the_table_marks_the_song_asked_for_and_the_one_that_sounds(qtbot, window):
    view = window.library.view
    accent = window.services.theme.colour("accent")

    def left_edge(row: int) -> QColor:
        place = view.visualRect(window.library.model.index(row, Column.TITLE))
        return view.viewport().grab().toImage().pixelColor(1, place.top() + 8)

    find_first(qtbot, window)
    view.setCurrentIndex(window.library.model.index(2, 0))
    view.clearFocus()  # its frame has the same colour
    assert left_edge(0) == accent
    assert left_edge(2) != accent
    silent = view.grab().toImage()
    window.services.player.toggle()
    assert window.services.player.playing is not None
    qtbot.waitUntil(lambda: view.grab().toImage() != silent)


def test_the_selected_song_stays_selected_when_the_list_changes(qtbot, window):
    view = window.library.view
    view.setCurrentIndex(window.library.model.index(3, 0))
    chosen = view.current_track()
    window.top_bar.search.setText("bo")
    qtbot.waitUntil(lambda: len(shown_titles(window)) == 2)
    assert view.current_track() == chosen


def test_each_row_shows_its_state(qtbot, open_window, library_path, music):
    write_songs(music, SONGS)
    with Library.open(library_path) as library:
        library.add_folder(music)
        scan(library)
        ids = library.track_ids()
        listen(library, without_voice=ids[:1])
        library.put_failure(ids[1], "The file is damaged.")
    window = open_window()
    qtbot.waitUntil(lambda: [*shown_titles(window), None].index(None) == 5)
    model = window.library.model
    states = [state_of(model.data(model.index(row, Column.STATE), TrackRole)) for row in range(5)]
    assert states == [
        TrackState.NO_VOICE,
        TrackState.FAILED,
        TrackState.READY,
        TrackState.READY,
        TrackState.READY,
    ]


# Finding


def test_a_click_on_a_song_finds_the_voices_and_the_sounds_like_it(qtbot, window):
    find_first(qtbot, window)
    by_voice, overall = results(window)
    assert by_voice[0] == "Second wind"  # by the same singer
    assert len(overall) == 4
    assert "First light" not in by_voice + overall
    assert window.results.query_row.sound.title == "First light"
    qtbot.waitUntil(lambda: len(window.results.query_row.waveform._bars) > 0)


def test_back_and_forward(qtbot, window):
    find_first(qtbot, window)
    click_song(qtbot, window, 2)
    qtbot.waitUntil(lambda: "First light" in results(window)[0])
    qtbot.mouseClick(window.top_bar.back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: results(window)[0][:1] == ["Second wind"])
    assert window.results.query_row.sound.title == "First light"
    assert not window.top_bar.back.isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: window.results.query_row.sound.title == "Third rail")


def test_a_song_without_voice_says_so_and_still_has_overall_results(
    qtbot, open_window, library_path, music
):
    write_songs(music, SONGS)
    with Library.open(library_path) as library:
        library.add_folder(music)
        scan(library)
        listen(library, without_voice=library.track_ids()[:1])
    window = open_window()
    qtbot.waitUntil(lambda: None not in shown_titles(window) and len(shown_titles(window)) == 5)
    click_song(qtbot, window, 0)
    qtbot.waitUntil(lambda: len(results(window)[1]) == 4)
    assert results(window)[0] == []
    assert len(window.results.voices._message.text()) > 20


def test_the_latest_song_is_the_one_that_is_shown(qtbot, window):
    for row in (0, 1, 2, 3, 4):
        click_song(qtbot, window, row)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)
    assert "Fifth wheel" not in results(window)[0]
    assert window.results.query_row.sound.title == "Fifth wheel"


def test_tags_are_plain_text_everywhere(qtbot, open_window, library_path, music):
    names = [(artist.replace("/", "-"), title.replace("/", "-")) for artist, title in NASTY]
    make_library(library_path, music, names)
    window = open_window()
    qtbot.waitUntil(lambda: None not in shown_titles(window) and len(shown_titles(window)) == 5)
    for row in range(5):
        click_song(qtbot, window, row)
        qtbot.waitUntil(lambda: len(results(window)[0]) == 4)
        window.results.voices.view.setCurrentIndex(window.results.voices.model.index(0))
    for label in window.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText or not label.text()
    window.resize(1024, 700)
    assert window.width() == 1024
    assert not window.grab().isNull()
