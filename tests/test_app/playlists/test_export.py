"""Taking songs away: playlists, journeys, dragging."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtWidgets import QFileDialog, QMenu
from support import app_fixtures
from support.app_fixtures import choose_from_menu, find_first

from app.desktop.drag_and_drop import files_as_mime_data
from app.find.journey_dialog import JourneyDialog
from app.library.table_model import Column
from app.player.player import Side
from app.playlists.song_export import file_name
from app.settings import LAST_SAVED
from app.window import MainWindow

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


def save_as(qtbot, window: MainWindow, target: Path, starts_with: str = "Playlist that") -> None:
    qtbot.waitUntil(lambda: bool(window.findChildren(QFileDialog)))
    (dialog,) = window.findChildren(QFileDialog)
    chosen = next(name for name in dialog.nameFilters() if name.startswith(starts_with))
    dialog.selectNameFilter(chosen)
    dialog.fileSelected.emit(str(target))
    dialog.close()
    qtbot.waitUntil(lambda: target.name in window.notice.text)
    qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]


def choose_rows(view, model, *rows: int) -> None:
    for row in rows:
        view.selectionModel().select(
            model.index(row, 0),
            QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
        )


def test_all_results_become_a_playlist_beside_the_songs(qtbot, window, music):
    find_first(qtbot, window)
    window.results.voices.view.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = window.findChildren(QFileDialog)
    assert dialog.selectedFiles()[0].endswith("Like First light.m3u8")
    save_as(qtbot, window, music / "list.m3u8")
    found = window.results.voices.model.neighbours
    assert lines(music / "list.m3u8") == [str(n.track.path.relative_to(music)) for n in found]
    assert window.services.settings.get(LAST_SAVED) == str(music)


def test_selected_results_only_with_full_paths_or_as_a_table(qtbot, window, tmp_path):
    find_first(qtbot, window)
    voices = window.results.voices
    choose_rows(voices.view, voices.model, 2, 0)
    qtbot.mouseClick(window.results.save_button, Qt.MouseButton.LeftButton)
    menu = window.findChildren(QMenu)[-1]
    texts = [action.text() for action in menu.actions()]
    assert texts == [
        "By voice: 2 selected songs…",
        "By voice: all 4 songs…",
        "By voice: keep as playlist…",
        "Overall: all 4 songs…",
        "Overall: keep as playlist…",
        "",
        "Save this search…",
    ]
    menu.actions()[0].trigger()
    menu.close()
    save_as(qtbot, window, tmp_path / "some.m3u8", "Playlist with full")
    found = voices.model.neighbours
    assert lines(tmp_path / "some.m3u8") == [str(found[i].track.path) for i in (0, 2)]


def test_the_chosen_format_decides_where_the_name_does_not(qtbot, window, tmp_path):
    find_first(qtbot, window)
    window.find_page.keeping.save_selected()
    (dialog,) = window.findChildren(QFileDialog)
    dialog.selectNameFilter(next(n for n in dialog.nameFilters() if n.startswith("JSON")))
    dialog.fileSelected.emit(str(tmp_path / "Dr. Songs"))
    dialog.close()
    target = tmp_path / "Dr. Songs.json"
    qtbot.waitUntil(target.exists)
    assert [row["rank"] for row in json.loads(target.read_text())] == [1, 2, 3, 4]


def test_a_place_that_cannot_be_written_is_told(qtbot, window, tmp_path):
    find_first(qtbot, window)
    window.find_page.keeping.save_selected()
    save_as(qtbot, window, tmp_path / "nowhere" / "list.m3u8")
    assert "cannot be written" in window.notice.text


def test_songs_of_the_table_are_selected_without_searching(qtbot, window, tmp_path):
    find_first(qtbot, window)
    before = window.results.query_row.sound
    view, model = window.library.view, window.library.model
    for row in (2, 3):
        place = view.visualRect(model.index(row, Column.TITLE)).center()
        qtbot.mouseClick(
            view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, place
        )
    assert window.results.query_row.sound == before
    assert view.selected_ids() == [model.ids[row] for row in (0, 2, 3)]
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    save_as(qtbot, window, tmp_path / "table.csv", "Table")
    assert (tmp_path / "table.csv").read_text("utf-8").count("\n") == 4


def test_a_journey_is_shown_heard_and_saved(qtbot, window, music):
    find_first(qtbot, window)
    goal = window.results.voices.model.neighbours[-1].track
    voices = window.results.voices
    voices.view.menu_requested.emit(voices.model.neighbours[-1], QPoint(5, 5))
    menu = window.findChildren(QMenu)[-1]
    journey = next(action for action in menu.actions() if action.text().startswith("Journey"))
    assert journey.text() == "Journey from “First light” to here…"
    journey.trigger()
    menu.close()
    (dialog,) = window.findChildren(JourneyDialog)
    qtbot.waitUntil(lambda: len(dialog.model.neighbours) >= 2)
    titles = [one.track.title for one in dialog.model.neighbours]
    assert (titles[0], titles[-1]) == ("First light", goal.title)
    with qtbot.waitSignal(dialog.model.modelReset):
        dialog._others.click()
    assert _changes_artist(dialog)
    qtbot.mouseClick(dialog._play, Qt.MouseButton.LeftButton)
    player = window.services.player
    assert player.sound(Side.RESULT).title == "First light"
    assert player.queue.has_next
    qtbot.mouseClick(dialog._save, Qt.MouseButton.LeftButton)
    choose_from_menu(qtbot, "Save for other programs…")
    num = len(dialog.model.neighbours)
    save_as(qtbot, window, music / "journey.m3u8")
    assert len(lines(music / "journey.m3u8")) == num
    dialog.close()


def _changes_artist(dialog: JourneyDialog) -> bool:
    artists = [one.track.artist for one in dialog.model.neighbours]
    return all(one != other for one, other in pairwise(artists))


def test_a_journey_that_is_impossible_says_why(qtbot, window, library_path):
    find_first(qtbot, window)
    track = window.results.query_row.sound
    start = window.services.search.question.track
    assert track.track_id == start.id
    window.find_page.show_journey(start, start, "vocals")
    (dialog,) = window.findChildren(JourneyDialog)
    qtbot.waitUntil(lambda: "two different songs" in dialog._message.text())
    assert not dialog._save.isEnabled()
    dialog.close()


def test_results_are_dragged_as_files(qtbot, window):
    find_first(qtbot, window)
    voices = window.results.voices.model
    data = voices.mimeData([voices.index(1), voices.index(0)])
    paths = [url.toLocalFile() for url in data.urls()]
    assert paths == [str(n.track.path) for n in voices.neighbours[:2]]


def test_a_name_that_is_no_text_is_dragged_by_its_bytes():
    path = Path(os.fsdecode(b"/music/\xff a\nb.mp3"))
    data = files_as_mime_data([path])
    assert bytes(data.data("text/uri-list")) == b"file:///music/%FF%20a%0Ab.mp3\r\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Like AC/DC: <b>?", "Like AC DC b"),
        ("..", "Singalike"),
        ("x" * 300, "x" * 80),
        ("שלום 🎤", "שלום 🎤"),
    ],
)
def test_names_of_files_suit_every_system(name: str, expected: str):
    assert file_name(name) == expected
