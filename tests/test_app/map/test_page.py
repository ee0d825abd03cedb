from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDrag, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton
from support import app_fixtures
from support.app_fixtures import choose_from_menu
from support.app_window import listen, make_library, write_songs

from app.desktop.drag_and_drop import dragged_tracks, dropped_files
from app.map.camera import Camera
from app.map.colouring import (
    NO_VALUE,
    Colour,
)
from app.map.message import count_text
from app.map.names import Names
from app.player.player import Side
from app.player.queue import sound_of_track
from app.ui.top_bar import Page
from engine.library import Library
from engine.library.heard import put_tags
from engine.library.scan.scan import scan
from engine.map.library_map import make_map
from engine.records import HeardTag

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

FOLK, SAD = HeardTag("folk", "genre", 0.9, 0.5), HeardTag("sad", "mood", 0.8, 0.4)
SONGS = tuple((artist, f"Song {i}") for artist in ("Alma", "Bo", "Cleo") for i in range(4))


@pytest.fixture
def on_map(qtbot, open_window, library_path, music):
    """A window that shows the map of twelve songs."""
    make_library(library_path, music, SONGS)
    with Library.open(library_path) as library:
        for space_id, _ in library.spaces():
            make_map(library, space_id)
    window = open_window()
    qtbot.waitUntil(lambda: window.library.model.track_at(0) is not None)
    window.show_page(Page.MAP)
    page = window.map_page
    qtbot.waitUntil(lambda: len(page.view.positions) == len(SONGS))
    return window


def hover(page, row: int) -> QPoint:
    at = page.view.pixel_of(row)
    QTest.mouseMove(page.view, QPoint(2, 2))
    QTest.mouseMove(page.view, at)
    return at


def test_a_map_is_made_when_the_page_is_first_seen(qtbot, open_window, library_path, music):
    make_library(library_path, music, SONGS)
    window = open_window()
    window.show_page(Page.MAP)
    qtbot.waitUntil(lambda: len(window.map_page.view.positions) == len(SONGS), timeout=20_000)
    assert window.map_page.view.isVisible()
    assert not window.map_page.view.grab().isNull()


def test_too_few_songs_are_told(qtbot, open_window, library_path, music):
    make_library(library_path, music, SONGS[:2])
    window = open_window()
    window.show_page(Page.MAP)
    qtbot.waitUntil(lambda: window.map_page.message.isVisible())
    qtbot.waitUntil(lambda: window.map_page.message.heading.text() == "No map yet")


def test_making_can_be_stopped(qtbot, open_window, library_path, music, monkeypatch):
    def slow(library, space_id, progress, cancel):
        while True:
            cancel.check()
            cancel._cancelled.wait(0.01)

    monkeypatch.setattr("engine.map.library_map.make_map", slow)
    make_library(library_path, music, SONGS)
    window = open_window()
    window.show_page(Page.MAP)
    page = window.map_page
    qtbot.waitUntil(lambda: page.source.is_making)
    page.message.stop_requested.emit()
    qtbot.waitUntil(lambda: not page.source.is_making)
    assert page.message._make.isVisible()


def test_the_pointer_shows_a_song_and_lets_it_sound(qtbot, on_map):
    page, player = on_map.map_page, on_map.services.player
    row = int(page.view.positions[:, 0].argmin())
    hover(page, row)
    qtbot.waitUntil(page.card.isVisible)
    track = page.card._track
    assert track.id == page._ids[row]
    assert page.card._title.text() == track.title
    qtbot.waitUntil(lambda: player.is_playing)
    assert player.sound(player.side).track_id == track.id
    page.view.point_to(-1)
    assert not player.is_playing
    assert player.sound(player.side) is None
    assert not page.card.isVisible()


def test_a_song_hovered_over_is_not_taken_for_a_result(qtbot, on_map):
    page, results = on_map.map_page, on_map.results
    track = on_map.library.model.track_at(0)
    on_map.services.search.find_track(track)
    qtbot.waitUntil(lambda: bool(results.voices.model.neighbours))
    on_map.show_page(Page.MAP)
    neighbour = results.voices.model.neighbours[-1]
    hover(page, int(np.flatnonzero(page._ids == neighbour.track.id)[0]))
    qtbot.waitUntil(lambda: on_map.services.player.is_playing)
    assert results.result_row.sound is None
    assert results.voices.view.current() is None


def test_hovering_is_silent_when_it_is_switched_off_or_something_plays(qtbot, on_map):
    page, player = on_map.map_page, on_map.services.player
    page.tools.preview.setChecked(False)
    hover(page, 0)
    qtbot.waitUntil(page.card.isVisible)
    assert not page.preview._rest.isActive()
    page.tools.preview.setChecked(True)
    track = page.card._track
    on_map.comparison.play_track(track)
    hover(page, 5)
    page.preview._start()
    page.view.point_to(-1)
    assert player.is_playing
    assert player.sound(Side.QUERY).track_id == track.id


def test_what_was_paused_and_what_comes_next_are_there_again_after_hovering(qtbot, on_map):
    page, player = on_map.map_page, on_map.services.player
    first, second = (on_map.library.model.track_at(row) for row in (0, 1))
    on_map.comparison.play_track(first, [second])
    player.load(Side.RESULT, sound_of_track(second), 0.3)
    player.seek(Side.QUERY, 0.2)
    player.pause()
    for row in (5, 7):  # from one song to another
        hover(page, row)
        qtbot.waitUntil(lambda row=row: _sounds(player, int(page._ids[row])))
        assert not on_map.player_bar._next.isEnabled()
    page.view.point_to(-1)
    assert not player.is_playing
    assert [player.sound(side).track_id for side in Side] == [first.id, second.id]
    assert [player.position_s(side) for side in Side] == pytest.approx([0.2, 0.3])
    player.play_next()
    assert player.sound(Side.QUERY).track_id == second.id


def _sounds(player, track_id: int) -> bool:
    return player.playing is not None and player.playing.track_id == track_id


def test_hovering_without_a_sound_device_says_nothing(qtbot, on_map):
    page, player = on_map.map_page, on_map.services.player
    player.device.reason = "No sound can be played: no device."
    with qtbot.waitSignal(player.problem):
        hover(page, 3)
    assert on_map.notice.text == ""
    page.view.point_to(-1)
    with qtbot.waitSignal(player.problem):
        on_map.comparison.play_track(on_map.library.model.track_at(0))
    qtbot.waitUntil(lambda: on_map.notice.text == player.device.reason)


def test_a_click_asks_for_songs_like_it(qtbot, on_map):
    page = on_map.map_page
    at = hover(page, 3)
    qtbot.mouseClick(page.view, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: on_map.page == Page.LIBRARY)
    assert on_map.services.search.question.track.id == int(page._ids[3])
    on_map.show_page(Page.MAP)
    qtbot.waitUntil(lambda: page.view.query_row == 3)


def test_a_drag_moves_the_map_and_asks_nothing(qtbot, on_map):
    view = on_map.map_page.view
    at = hover(on_map.map_page, 3)
    before = view.camera
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=at)
    for step in range(1, 6):
        QTest.mouseMove(view, at + QPoint(12 * step, 5 * step))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at)
    assert view.camera != before
    assert on_map.services.search.question is None


def test_a_line_around_songs_selects_them(qtbot, on_map):
    page, view = on_map.map_page, on_map.map_page.view
    view.set_lasso(True)
    assert page.tools.lasso.isChecked()
    middle = view.positions[:, 0].mean()
    left = np.flatnonzero(view.positions[:, 0] < middle)
    edge = round(float(view.camera.pixels(np.array([middle, 0], np.float32))[0]))
    corners = [QPoint(1, 1), QPoint(edge, 1), QPoint(edge, view.height() - 1)]
    corners.append(QPoint(1, view.height() - 1))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=corners[0])
    for corner in corners[1:]:
        QTest.mouseMove(view, corner)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=corners[-1])
    assert sorted(page.selected_ids) == sorted(page._ids[left].tolist())
    assert page.selection.isVisible()
    assert not page.tools.lasso.isChecked()
    with qtbot.waitSignal(page.playlist_requested) as asked:
        page.playlist_requested.emit(page.selected_ids)
    assert asked.args[0] == page.selected_ids
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert not page.selection.isVisible()


def test_the_keyboard_goes_from_song_to_song(qtbot, on_map):
    page, view = on_map.map_page, on_map.map_page.view
    page.tools.preview.setChecked(False)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    first = view.row
    assert first >= 0
    seen = {first}
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up) * 2:
        qtbot.keyClick(view, key)
        seen.add(view.row)
    assert len(seen) > 2
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.camera.scale > Camera.fit(view.width(), view.height(), view.camera.tall).scale
    qtbot.keyClick(view, Qt.Key.Key_0)
    qtbot.waitUntil(page.card.isVisible)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: on_map.page == Page.LIBRARY)


def test_colours_and_their_legend(qtbot, on_map):
    page = on_map.map_page
    assert page._colouring.names == ("Alma", "Bo", "Cleo")
    assert page.legend.isVisible()
    page.legend._rows[2].click()
    assert page.view._is_meant.sum() == 4
    page.legend._rows[2].click()
    assert page.view._is_meant is None
    page.tools.choose_colour(Colour.YEAR)
    page._colour()
    assert not page.legend._rows
    page.tools.choose_colour(Colour.LIKENESS)
    on_map.services.search.find_track(on_map.library.model.track_at(0))
    on_map.show_page(Page.MAP)
    qtbot.waitUntil(lambda: page._colouring.is_graded)
    assert page.legend.height() >= page.legend.sizeHint().height() > 40
    query = int(np.flatnonzero(page._ids == on_map.services.search.question.track.id)[0])
    assert page._colouring.codes[query] == page._colouring.codes.max()


def test_what_is_heard_colours_the_map(qtbot, on_map):
    page = on_map.map_page
    with on_map.services.open_library.library.database.write() as db:
        for track_id, tag in ((1, FOLK), (2, FOLK), (3, SAD)):
            put_tags(db, track_id, [tag])
    page._open()
    qtbot.waitUntil(lambda: "folk" in page._opened.labels.heard["genre"][0])
    page.tools.choose_colour(Colour.HEARD)
    page._colour()
    assert page._colouring.names == ("folk",)  # a mood is no kind of music
    assert page._colouring.counts == (2,)
    assert page.legend._rows[1].accessibleName() == "folk: 2 songs"
    page.tools.choose_colour(Colour.MOOD)
    page._colour()
    assert (page._colouring.names, page._colouring.counts) == (("sad",), (1,))
    page.tools.choose_colour(Colour.INSTRUMENTS)  # of which nothing is heard
    page._colour()
    assert page._colouring.names == ()


def test_what_is_searched_for_stands_out(qtbot, on_map):
    page = on_map.map_page
    on_map.top_bar.search.setText("bo")
    qtbot.waitUntil(lambda: page.view._is_meant is not None)
    assert page.view._is_meant.sum() == 4
    on_map.top_bar.search.clear()
    qtbot.waitUntil(lambda: page.view._is_meant is None)


def test_the_other_view_has_a_map_of_its_own(qtbot, on_map):
    page = on_map.map_page
    before = page.view.positions
    page.tools.views.segment("overall").click()
    qtbot.waitUntil(lambda: page.view.positions is not before)
    assert page._opened.view == "overall"


def test_songs_that_come_in_leave_zoom_selection_and_colours_as_they_are(
    qtbot, on_map, library_path, music
):
    page = on_map.map_page
    page.view.encircled.emit(np.array([0, 4, 5]))
    page.legend._rows[2].click()
    chosen = page.selected_ids
    assert len(chosen) == 2  # of Bo's, who stands out
    page.view.zoom(2.0, QPointF(100, 100))
    camera, colours = page.view.camera, dict(zip(page._ids, page._colouring.codes, strict=True))
    write_songs(music, [("Alma", "Late")])
    with Library.open(library_path) as library:
        scan(library)
        listen(library)
    page._open()
    qtbot.waitUntil(lambda: len(page._ids) == len(SONGS) + 1)
    assert page.view.camera == camera
    assert page.selected_ids == chosen
    assert page.selection.count.text() == "2 songs"
    assert page.legend._rows[2].isChecked()
    assert page._picked == page._colouring.names[1]
    after = dict(zip(page._ids, page._colouring.codes, strict=True))
    assert {i: after[i] for i in colours} == colours
    page.tools.views.segment("overall").click()  # the same songs, on the other map
    qtbot.waitUntil(lambda: page._opened.view == "overall" and len(page._ids) > 0)
    assert sorted(page.selected_ids) == sorted(chosen)
    page.view.encircled.emit(np.empty(0, np.int64))
    assert page.selection.isHidden()


def test_the_bar_counts_what_its_buttons_act_on(qtbot, on_map):
    page = on_map.map_page
    page.view.encircled.emit(np.array([0, 1, 2]))
    on_map.top_bar.search.setText("no such song")
    qtbot.waitUntil(page.selection.isHidden)
    assert page.selected_ids == []
    on_map.top_bar.search.setText("Song 0")
    qtbot.waitUntil(page.selection.isVisible)
    assert page.selection.count.text() == "1 song"
    with qtbot.waitSignal(page.play_requested) as asked:
        next(b for b in page.selection.findChildren(QPushButton) if "Play" in b.text()).click()
    assert asked.args[0] == page.selected_ids == [int(page._ids[0])]
    on_map.top_bar.search.clear()
    qtbot.waitUntil(lambda: page.selection.count.text() == "3 songs")


def test_the_maps_keys_serve_wherever_the_focus_is(qtbot, on_map):
    page = on_map.map_page
    qtbot.mouseClick(page.tools.whole, Qt.MouseButton.LeftButton)
    page.tools.whole.setFocus()
    scale = page.view.camera.scale
    qtbot.keyClick(page.tools.whole, Qt.Key.Key_Plus)
    assert page.view.camera.scale > scale
    qtbot.keyClick(page.tools.whole, Qt.Key.Key_L)
    assert page.tools.lasso.isChecked()


def test_no_sentence_of_the_page_is_cut(qtbot, on_map):
    page = on_map.map_page
    on_map.resize(860, 480)
    page.tools.choose_colour(Colour.LIKENESS)
    page._colour()
    page._say("No map yet", "The map shows which voices sound alike. " * 4)
    for widget in (page.legend, page.message):
        for text in widget.findChildren(QLabel):
            QApplication.processEvents()
            assert text.heightForWidth(text.width()) <= text.height() or not text.wordWrap()
            assert text.wordWrap() or text.sizeHint().width() <= text.width()


def test_a_map_that_moves_is_drawn_anew(qtbot, on_map):
    view = on_map.map_page.view
    view.grab()
    for zoom in (1.0, 1.5):
        view.zoom(zoom, QPointF(100, 100))
        view.look(view.camera.centred_on(*view.positions[0].tolist()))
        seen = view.grab().toImage()
        assert seen.pixelColor(view.pixel_of(0)) != seen.pixelColor(1, 1)


def test_encircled_songs_are_saved_and_listed(qtbot, on_map, tmp_path):
    page = on_map.map_page
    page.view.encircled.emit(np.array([0, 1, 2]))
    page.playlist_requested.emit(page.selected_ids)
    choose_from_menu(qtbot, "Save for other programs…")
    qtbot.waitUntil(lambda: bool(on_map.findChildren(QFileDialog)))
    (dialog,) = on_map.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "voices.m3u8"))
    dialog.close()
    qtbot.waitUntil((tmp_path / "voices.m3u8").exists)
    lines = (tmp_path / "voices.m3u8").read_text("utf-8").splitlines()
    assert sum(line.endswith(".wav") for line in lines) == 3
    page.list_requested.emit(page.selected_ids)
    assert on_map.page == Page.LIBRARY
    qtbot.waitUntil(lambda: len(on_map.library.model.ids) == 3)
    assert on_map.library.bar.isVisible()
    on_map.library.show_all()
    qtbot.waitUntil(lambda: len(on_map.library.model.ids) == len(SONGS))


# Names


def test_encircled_songs_are_dragged_by_their_number(qtbot, on_map, monkeypatch):
    page = on_map.map_page
    page.view.encircled.emit(np.arange(3))
    bar, left = page.selection, Qt.MouseButton.LeftButton
    dragged = []
    monkeypatch.setattr(QDrag, "exec", lambda drag, actions: dragged.append(drag.mimeData()))
    monkeypatch.setattr(QGuiApplication, "mouseButtons", staticmethod(lambda: left))
    start = bar.count.geometry().center()
    qtbot.mousePress(bar, left, pos=start)
    qtbot.mouseMove(bar, start + QPoint(2, 0))
    qtbot.mouseMove(bar, start + QPoint(40, 0))
    qtbot.mouseRelease(bar, left, pos=start)
    qtbot.waitUntil(lambda: len(dragged) == 1)
    assert sorted(dragged_tracks(dragged[0])) == sorted(page.selected_ids)
    assert len(dropped_files(dragged[0])) == 3


def named(page) -> list[str]:
    """The names on the map as it is drawn now."""
    drawn: list[str] = []
    names, paint = page.view._names, Names._paint_name
    names._paint_name = lambda painter, text, room: (
        drawn.append(text),
        paint(names, painter, text, room),
    )
    page.view._draw()
    del names._paint_name
    return drawn


def test_artists_are_named_from_afar_and_songs_from_near_or_when_they_are_searched(qtbot, on_map):
    page = on_map.map_page
    assert set(named(page)) <= {"Alma", "Bo", "Cleo"}
    assert named(page)
    on_map.top_bar.search.setText("Bo")
    qtbot.waitUntil(lambda: page.view._is_meant is not None)
    qtbot.waitUntil(lambda: bool(named(page)))
    assert set(named(page)) <= {f"Song {i}" for i in range(4)}
    on_map.top_bar.search.clear()
    qtbot.waitUntil(lambda: page.view._is_meant is None)
    x, y = page.view.positions[3].tolist()
    page.view.look(page.view.camera.centred_on(x, y))
    page.view.zoom(4.0)
    qtbot.waitUntil(lambda: "Song 3" in named(page))


def test_songs_that_are_searched_are_bright_even_without_a_colour_of_their_own(qtbot, on_map):
    page = on_map.map_page
    page.tools.colour_chosen.emit(Colour.YEAR)  # of which these know none
    page.tools.choose_colour(Colour.YEAR)
    page._colour()
    row = int(np.flatnonzero(page._colouring.codes == NO_VALUE)[0])
    page.show_matches([int(page._ids[row])])
    page.view._draw()
    at, ratio = page.view.pixel_of(row), page.view.devicePixelRatioF()
    shown = page.view._image.pixelColor(round(at.x() * ratio), round(at.y() * ratio))
    assert shown.name() == page.view._theme.colour("text").name()


def test_songs_that_are_not_on_the_map_are_explained(on_map):
    page = on_map.map_page
    assert page._note.text() == "12 songs"
    assert count_text(page, "vocals", 29, 31) == (
        "29 of 31 songs: 2 not listened to yet, or nobody sings"
    )
    assert count_text(page, "overall", 30, 31) == "30 of 31 songs: 1 not listened to yet"
