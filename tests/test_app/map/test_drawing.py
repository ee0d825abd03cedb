"""What a map looks like: the camera, what is pointed at, colours, discs and names."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFontMetricsF
from PySide6.QtWidgets import QApplication
from support.contrast import contrast, luminance

from app.map.camera import Camera
from app.map.colouring import (
    NO_VALUE,
    aligned,
    by_group,
    by_likeness,
    by_year,
    shade,
    table_of,
)
from app.map.names import ABOVE, BESIDE, MAX_NAMES, islands, placed
from app.map.picking import inside, nearest, nearest_towards
from app.map.raster import draw_discs
from app.ui.palette import DARK, LIGHT
from engine.evaluation.colours import NUM_COLOURS, colour
from engine.library.maps import Labels

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


def test_most_of_a_small_library_is_an_island_though_it_lies_far_apart():
    num = 12
    artist_of = np.repeat(np.array([0, 1], np.int32), num)
    none = np.empty(0, np.int32)
    labels = Labels(np.arange(2 * num), ("Alma", "Bo"), artist_of, (), none, none)
    angles = np.linspace(0, 2 * np.pi, num, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    found = islands(labels.track_ids, np.concatenate([0.4 * ring, 0.9 * ring]), labels)
    assert found.names == ("Alma",)


def test_names_lie_on_the_map_and_never_over_each_other(qtbot):
    metrics = QFontMetricsF(QApplication.font())
    random = np.random.default_rng(1)
    names = [(f"Somebody {i}", *(600 * random.random(2)).tolist()) for i in range(120)]
    rooms = [room for _, room in placed(names, metrics, (600, 500), ABOVE)]
    assert 10 < len(rooms) <= MAX_NAMES
    assert all(QRectF(0, 0, 600, 500).contains(room) for room in rooms)
    assert not any(a.intersects(b) for i, a in enumerate(rooms) for b in rooms[:i])
    assert placed([("x" * 5000, 300, 300)], metrics, (600, 500), BESIDE)[0][1].width() < 300
