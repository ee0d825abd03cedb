from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QWidget,
)
from support.app_window import SONGS, listen, make_library, make_window, no_leaks, write_songs

from app.dialogs import HelpSheet
from app.list_dialogs import FailedDialog, FoldersDialog
from app.player import Side
from app.shortcuts import Keys
from app.track_model import Column, State, StateRole
from app.window import MainWindow
from engine.errors import LibraryLockedError, QueryError
from engine.library import Library, scan
from engine.progress import CancelToken, Progress, ProgressCallback

MAIN_PAGE = 2
NASTY = (
    ("<b>Bold</b>", "<img src=x onerror=alert(1)>"),
    ("שלום", "\u202eעולם"),
    ("🎤👩‍🎤", "naïve café 🎶"),
    ("Long", "la" * 100),
    ("Plain", "song"),
)


@pytest.fixture(autouse=True)
def _no_leaks(qapp: object) -> Iterator[None]:
    with no_leaks():
        yield


@pytest.fixture
def library_path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    return tmp_path / "music"


@pytest.fixture
def open_window(qtbot, library_path) -> Iterator[Callable[..., MainWindow]]:
    windows: list[MainWindow] = []

    def open_one(**options: object) -> MainWindow:
        window = make_window(qtbot, library_path, **options)  # type: ignore[arg-type]
        windows.append(window)
        qtbot.waitUntil(lambda: window.pages.currentIndex() != 0)
        return window

    yield open_one
    for window in windows:
        window.close()
        assert window.has_stopped


@pytest.fixture
def window(qtbot, library_path, music, open_window) -> MainWindow:
    """On a library of five songs that have been listened to."""
    make_library(library_path, music)
    window = open_window()
    qtbot.waitUntil(lambda: shown_titles(window) == [title for _, title in SONGS])
    return window


def shown_titles(window: MainWindow) -> list[str]:
    model = window.library.model
    rows = range(model.rowCount())
    return [model.data(model.index(row, Column.TITLE)) for row in rows]


def results(window: MainWindow) -> tuple[list[str], list[str]]:
    lists = (window.results.voices, window.results.overall)
    by_voice, overall = ([n.track.title for n in one.model.neighbours] for one in lists)
    return by_voice, overall


def click_song(qtbot, window: MainWindow, row: int) -> None:
    view = window.library.view
    place = view.visualRect(window.library.model.index(row, Column.TITLE)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def find_first(qtbot, window: MainWindow) -> None:
    click_song(qtbot, window, 0)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)


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
    qtbot.waitUntil(lambda: not window.parts.indexing.is_running)


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
    window.problem_page.retry_requested.emit()
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
    states = [model.data(model.index(row, Column.STATE), StateRole) for row in range(5)]
    assert states == [State.NO_VOICE, State.FAILED, State.READY, State.READY, State.READY]


# Finding


def test_a_click_on_a_song_finds_the_voices_and_the_sounds_like_it(qtbot, window):
    find_first(qtbot, window)
    by_voice, overall = results(window)
    assert by_voice[0] == "Second wind"  # by the same singer
    assert len(overall) == 4
    assert "First light" not in by_voice + overall
    assert window.results.query_row.sound.title == "First light"
    qtbot.waitUntil(lambda: len(window.results.query_row.waveform._bars) > 0)


def test_other_artists_only(qtbot, window):
    find_first(qtbot, window)
    window.results.other_artists.click()
    qtbot.waitUntil(lambda: len(results(window)[0]) == 3)
    assert "Second wind" not in results(window)[0]


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
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
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
    strip = window.index_strip
    qtbot.waitUntil(lambda: strip._failed.text() == "2 failed…")
    qtbot.mouseClick(strip._failed, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.findChildren(FailedDialog)))
    (dialog,) = window.findChildren(FailedDialog)
    assert dialog.list.count() == 2
    assert "damaged" in dialog.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert not dialog._retry.isEnabled()
    assert not dialog.grab().isNull()
    dialog._retry_all()
    qtbot.waitUntil(asked_again.is_set)
    qtbot.waitUntil(lambda: not strip.isVisible())


def test_a_folder_is_seen_and_removed(qtbot, window):
    window.commands.show_folders()
    (dialog,) = window.findChildren(FoldersDialog)
    assert "5 songs" in dialog.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    dialog.list.setCurrentRow(0)
    dialog._remove.click()
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.start_page)
    dialog.close()


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    actions, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    modifiers = Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(10, 10), actions, data, buttons, modifiers))


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
    window.parts.finder._make_searcher = lambda: SimpleNamespace(
        by_file=lambda path, options, progress, cancel: asked.append(path) or nobody_sings()
    )
    drop(window, write_songs(tmp_path, [("Dora", "Song from elsewhere")])[0])
    qtbot.waitUntil(lambda: len(asked) == 2)
    qtbot.waitUntil(lambda: window.results.voices._message.text() == "Nobody sings in it.")
    sound = window.results.query_row.sound
    assert (sound.title, sound.duration_s) == ("Song from elsewhere", 0.5)


def nobody_sings() -> None:
    raise QueryError("Nobody sings in it.")


def test_the_menu_of_a_song(qtbot, window):
    track = window.library.model.track_at(0)
    window.commands.show_track_menu(track, QPoint(5, 5))
    (menu,) = [m for m in window.findChildren(QMenu) if m.isVisible()]
    assert [a.text() for a in menu.actions() if a.text()] == [
        "Find similar",
        "Play",
        "Show in folder",
        "Copy path",
    ]
    menu.actions()[0].trigger()
    menu.close()
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)


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
    window.parts.indexing._index = endless(started)
    qtbot.keyClick(window, Qt.Key.Key_F5)
    strip = window.index_strip
    qtbot.waitUntil(lambda: "312 of 2,041" in strip._detail.text())
    assert "1 h 10 min left" in strip._detail.text()
    assert strip._headline.text() == "Listening to the voices"
    qtbot.mouseClick(strip._pause, Qt.MouseButton.LeftButton)
    assert strip._headline.text() == "Paused"
    assert window.parts.indexing.is_paused
    qtbot.mouseClick(strip._pause, Qt.MouseButton.LeftButton)
    assert not window.parts.indexing.is_paused
    qtbot.mouseClick(strip._stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.parts.indexing.is_running)
    assert not strip.isVisible()


def test_songs_are_found_while_indexing_goes_on(qtbot, window):
    window.parts.indexing._index = endless(threading.Event())
    qtbot.keyClick(window, Qt.Key.Key_F5)
    find_first(qtbot, window)
    assert window.parts.indexing.is_running


@pytest.mark.parametrize("is_paused", [False, True])
def test_closing_while_indexing_stops_it_and_frees_the_library(
    qtbot, window, library_path, is_paused
):
    started = threading.Event()
    window.parts.indexing._index = endless(started)
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(started.is_set)
    if is_paused:
        window.parts.indexing.pause()
    window.close()
    assert window.has_stopped
    with Library.open(library_path) as library, library.lease():
        assert library.counts().tracks == 5


def test_a_failure_of_indexing_is_told(qtbot, window):
    def index(library: Library, progress: ProgressCallback, cancel: CancelToken) -> None:
        raise LibraryLockedError("Another program is indexing. Wait for it to end.")

    window.parts.indexing._index = index
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.notice.text.startswith("Another program is indexing"))


def test_settings_are_kept(qtbot, window, open_window):
    window.parts.player.set_volume(0.3)
    window.results.other_artists.setChecked(True)
    window.resize(900, 610)
    window.close()
    again = open_window()
    assert again.parts.player.volume == pytest.approx(0.3)
    assert again.results.other_artists.isChecked()
    assert again.height() == 610


def test_damaged_settings_are_told(open_window, library_path, music):
    make_library(library_path, music)
    library_path.with_name("settings.ini").write_bytes(b"\x00\x01 no ini \xff\n[[[")
    window = open_window()
    assert "damaged" in window.notice.text
