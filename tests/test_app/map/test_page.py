from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from support import app_fixtures
from support.app_fixtures import choose_from_menu
from support.app_window import listen, make_library, write_songs

from app.map.camera import Camera
from app.map.colouring import (
    NO_VALUE,
    Colour,
    aligned,
    by_group,
    by_likeness,
    by_year,
    shade,
    table_of,
)
from app.map.message import count_text
from app.map.names import ABOVE, BESIDE, MAX_NAMES, Names, islands, placed
from app.map.picking import inside, nearest, nearest_towards
from app.map.raster import draw_discs
from app.player.player import Side
from app.player.queue import sound_of_track
from app.ui.palette import DARK, LIGHT, contrast, luminance
from app.ui.top_bar import Page
from engine.evaluation.colours import NUM_COLOURS, colour
from engine.library import Library
from engine.library.heard_tags import put_tags
from engine.library.maps import Labels
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


# Looking


def test_zooming_keeps_the_place_below_the_pointer():
    camera = Camera.fit(800, 600)
    before = camera.place(650, 120)
    nearer = camera.zoomed(4.0, 650, 120)
    assert nearer.scale == pytest.approx(4 * camera.scale)
    assert nearer.place(650, 120) == pytest.approx(before)
    np.testing.assert_allclose(nearer.pixels(np.array(before, np.float32)), [650, 120], atol=0.1)


def test_the_map_cannot_be_lost():
    camera = Camera.fit(800, 600)
    for _ in range(100):
        camera = camera.moved(500, -500).zoomed(0.5, 0, 0)
    assert np.abs([camera.x, camera.y]).max() <= 2.5
    assert camera.scale > 0.4 * Camera.fit(800, 600).scale


def test_all_of_a_wide_map_is_in_sight():
    camera = Camera.fit(1000, 400, tall=0.5)
    corners = camera.pixels(np.array([[-1, -0.5], [1, 0.5]], np.float32))
    assert (corners >= 0).all()
    assert (corners <= [1000, 400]).all()
    assert np.ptp(corners[:, 1]) > 300


# Picking


def test_what_is_meant_by_a_place_and_by_a_direction():
    pixels = np.array([[10, 10], [50, 10], [90, 12], [50, 60]], np.float32)
    assert nearest(pixels, 52, 13, 14) == 1
    assert nearest(pixels, 30, 35, 14) == -1
    assert nearest(np.empty((0, 2), np.float32), 0, 0, 14) == -1
    assert nearest_towards(pixels, 0, 1, 0) == 1
    assert nearest_towards(pixels, 1, 0, 1) == 3
    assert nearest_towards(pixels, 0, -1, 0) == -1


def test_the_inside_of_a_line_is_that_of_a_slow_count():
    random = np.random.default_rng(0)
    pixels = (100 * random.random((300, 2))).astype(np.float32)
    corners = (100 * random.random((9, 2))).astype(np.float32)  # crosses itself

    def is_inside(x: float, y: float) -> bool:
        num_crossed = 0
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, 0), strict=True):
            is_between = min(y0, y1) <= y < max(y0, y1)
            num_crossed += is_between and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        return num_crossed % 2 == 1

    np.testing.assert_array_equal(inside(pixels, corners), [is_inside(x, y) for x, y in pixels])


# Colours


def test_the_largest_groups_have_colours_of_their_own():
    names = ("", *(f"Group {i}" for i in range(12)))
    groups = np.repeat(np.arange(13), [50, *range(1, 13)])
    colouring = by_group(np.append(groups, -1), names)
    assert colouring.names == tuple(f"Group {i}" for i in range(11, 3, -1))
    assert colouring.counts == tuple(range(12, 4, -1))
    assert (colouring.codes[groups.searchsorted(12)] == 1).all()
    assert (colouring.codes[:50] == NO_VALUE).all()  # nameless
    assert colouring.num_others == 50 + 10 + 1


def test_groups_of_one_size_are_in_the_order_of_their_names():
    colouring = by_group(np.array([0, 1, 2, 2]), ("Zoë", "Íris", "Juno"))
    assert colouring.names == ("Juno", "Íris", "Zoë")
    assert colouring.codes.tolist() == [3, 2, 1, 1]


def test_years_and_likeness_are_shades():
    years = by_year(np.array([0, 1960, 1990, 2020]))
    assert years.codes[0] == NO_VALUE
    assert (np.diff(years.codes[1:].astype(int)) > 0).all()
    assert by_year(np.zeros(3, int)).codes.tolist() == [0, 0, 0]
    likeness = by_likeness(np.array([np.nan, 0.2, 0.9, 0.21]), "unlike", "alike")
    assert likeness.codes.tolist() == [0, 1, 64, 9]
    assert aligned(np.array([7, 3]), np.array([1, 3])).tolist() == [-1, 1]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)
def test_shades_move_away_from_the_ground(palette):
    ground = luminance(palette.window)
    away = [abs(luminance(shade(palette, i / 20).name()) - ground) for i in range(21)]
    assert (np.diff(away) > 0).all()


@pytest.mark.parametrize("size", [(1024, 560), (700, 560), (1400, 500)])
def test_nothing_of_the_map_lies_below_the_legend(size):
    covered = 238
    camera = Camera.fit(*size, covered=covered)
    corners = camera.pixels(np.array([[-1, -1], [1, 1]], np.float32))
    assert (corners >= 0).all()
    assert (corners <= [size[0] - covered, size[1]]).all()
    assert camera.resized(900, 400) == Camera.fit(900, 400, covered=covered)
    assert camera.beside(0) == Camera.fit(*size)
    nearer = camera.zoomed(3.0, 100, 100)
    assert nearer.beside(0).pixels(corners) == pytest.approx(nearer.pixels(corners))


# Vision without red, green or blue cones: Machado, Oliveira and Fernandes 2009, severity 1.
VISIONS = {
    "all": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def lab(colour: QColor, vision: np.ndarray) -> np.ndarray:
    """CIE Lab of a colour as somebody sees it."""
    rgb = np.array(colour.getRgbF()[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(vision @ linear, 0, 1)
    xyz = (
        np.array(
            [
                [0.4124564, 0.3575761, 0.1804375],
                [0.2126729, 0.7151522, 0.0721750],
                [0.0193339, 0.1191920, 0.9503041],
            ]
        )
        @ seen
        / [0.95047, 1.0, 1.08883]
    )
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)
def test_groups_can_be_told_apart_by_any_colour_vision(palette, vision):
    table = table_of(palette, is_graded=False)[1:]
    is_dark = palette is DARK
    as_in_reports = [colour(number, is_dark=is_dark) for number in range(NUM_COLOURS)]
    assert [own.name() for own in table] == as_in_reports
    assert min(contrast(own.name(), palette.window) for own in table) >= 3  # WCAG 1.4.11
    colours = [lab(own, VISIONS[vision]) for own in table]
    apart = [
        (round(float(np.linalg.norm(a - b)), 1), i, j)
        for i, a in enumerate(colours)
        for j, b in enumerate(colours[:i])
    ]
    assert min(apart)[0] > 10  # a difference that is seen at a glance: 2.3 is just noticeable


# Drawing


def test_discs_lie_where_they_should_and_later_ones_on_top():
    table = np.array([0xFFFF0000, 0xFF00FF00], np.uint32)
    pixels = np.array([[10, 10], [13, 10], [-1, 20], [500, 5]], np.float32)
    codes = np.array([0, 1, 0, 0], np.uint8)
    layers = np.array([0, 1, 1, 1])
    image = draw_discs((40, 30), 0xFF101010, pixels, codes, table, 3.0, layers)
    assert (image.width(), image.height()) == (40, 30)
    assert image.pixelColor(9, 10) == QColor(255, 0, 0)
    assert image.pixelColor(11, 10) == QColor(0, 255, 0)
    assert image.pixelColor(0, 20) == QColor(255, 0, 0)  # cut off, not left out
    assert image.pixelColor(30, 20) == QColor(16, 16, 16)
    edge = image.pixelColor(10, 13)
    assert 16 < edge.red() <= 255


# The page


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
    qtbot.waitUntil(lambda: window.map_page.message._heading.text() == "No map yet")


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
    track = page.pointing.tracks[int(page._ids[row])]
    assert page.card._title.text() == track.title
    qtbot.waitUntil(lambda: player.is_playing)
    assert player.sound(player.side).track_id == track.id
    page.view.point_to(-1)
    assert not player.is_playing
    assert player.sound(player.side) is None
    assert not page.card.isVisible()


def test_the_card_of_a_song_leaves_the_legend_free(qtbot, on_map):
    page = on_map.map_page
    on_map.resize(1100, 700)
    qtbot.waitUntil(lambda: page.legend.isVisible() and page.view.camera.covered > 0)
    rightmost = int(page.view.camera.pixels(page.view.positions)[:, 0].argmax())
    hover(page, rightmost)
    qtbot.waitUntil(page.card.isVisible)
    assert not page.card.geometry().intersects(page.legend.geometry())


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
    track = page.pointing.tracks[int(page._ids[0])]
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
        page.selection.playlist_requested.emit()
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
    qtbot.waitUntil(lambda: "folk" in page._opened.labels.heard)
    page.tools.choose_colour(Colour.HEARD)
    page._colour()
    assert page._colouring.names == ("folk",)  # a mood is no kind of music
    assert page._colouring.counts == (2,)
    assert page.legend._rows[1].accessibleName() == "folk: 2 songs"


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
    page.view.encircled.emit(np.array([0, 1, 2]))
    chosen = page.selected_ids
    page.legend._rows[2].click()
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
    assert page.selection._count.text() == "3 songs"
    assert page.legend._rows[2].isChecked()
    assert page._picked == page._colouring.names[1]
    after = dict(zip(page._ids, page._colouring.codes, strict=True))
    assert {i: after[i] for i in colours} == colours
    page.tools.views.segment("overall").click()  # the same songs, on the other map
    qtbot.waitUntil(lambda: page._opened.view == "overall" and len(page._ids) > 0)
    assert sorted(page.selected_ids) == sorted(chosen)
    page.view.encircled.emit(np.empty(0, np.int64))
    assert page.selection.isHidden()


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
    page.selection.playlist_requested.emit()
    choose_from_menu(qtbot, "Save for other programs…")
    qtbot.waitUntil(lambda: bool(on_map.findChildren(QFileDialog)))
    (dialog,) = on_map.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "voices.m3u8"))
    dialog.close()
    qtbot.waitUntil((tmp_path / "voices.m3u8").exists)
    lines = (tmp_path / "voices.m3u8").read_text("utf-8").splitlines()
    assert sum(line.endswith(".wav") for line in lines) == 3
    page.selection.list_requested.emit()
    assert on_map.page == Page.LIBRARY
    qtbot.waitUntil(lambda: len(on_map.library.model.ids) == 3)
    assert on_map.library._only_bar.isVisible()
    on_map.library.show_all()
    qtbot.waitUntil(lambda: len(on_map.library.model.ids) == len(SONGS))


# Names


def test_islands_are_artists_whose_songs_lie_together():
    labels = Labels(
        np.arange(1, 10),
        ("Alma", "", "Bo", "Cleo"),
        np.array([0, 0, 0, 1, 2, 2, 3, 3, 3], np.int32),
        (),
        np.empty(0, np.int32),
        np.empty(0, np.int32),
    )
    positions = np.array(
        [[0.1, 0], [0.2, 0], [0.9, 0.9], [0, 0], [-0.5, -0.5], [-0.4, -0.5]], np.float32
    )
    scattered = np.array([[-1, -1], [1, 1], [-1, 1], [7, 7]], np.float32)
    found = islands(
        np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 77]), np.concatenate([positions, scattered]), labels
    )
    assert found.names == ("Alma", "Bo")  # Cleo's songs lie everywhere
    np.testing.assert_allclose(found.centres[0], [0.2, 0])  # one song far away draws nothing along
    assert found.rows.tolist() == [0, 0, 0, -1, 1, 1, -1, -1, -1, -1]


def test_names_lie_on_the_map_and_never_over_each_other(qtbot):
    metrics = QFontMetricsF(QApplication.font())
    random = np.random.default_rng(1)
    names = [(f"Somebody {i}", *(600 * random.random(2)).tolist()) for i in range(120)]
    rooms = [room for _, room in placed(names, metrics, (600, 500), ABOVE)]
    assert 10 < len(rooms) <= MAX_NAMES
    assert all(QRectF(0, 0, 600, 500).contains(room) for room in rooms)
    assert not any(a.intersects(b) for i, a in enumerate(rooms) for b in rooms[:i])
    assert placed([("x" * 5000, 300, 300)], metrics, (600, 500), BESIDE)[0][1].width() < 300


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
    page.view.go_to(x, y, 4.0)
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
