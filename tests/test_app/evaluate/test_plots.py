from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication
from support import app_fixtures
from support.evaluate_page import BARS, CURVES, HEAT, POINTS

from app.evaluate.plots import plot_widget
from app.evaluate.plots.axes import axis_top
from app.evaluate.plots.colours import heat_colour, text_on
from app.ui.palette import DARK, LIGHT, MIN_CONTRAST, contrast
from app.ui.series_colours import tone
from app.ui.theme import Theme
from engine.evaluation.results import Points
from engine.paths import resources_path

no_leaks_left = app_fixtures.no_leaks_left


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources_path() / "icons", qapp)
    theme.install(qapp, "light")
    return theme


def shown(qtbot, plot, theme, width=700):
    widget = plot_widget(plot, theme)
    qtbot.addWidget(widget)
    widget.resize(width, widget.heightForWidth(width))
    widget.show()
    widget.grab()
    return widget


def pixel(widget, point) -> str:
    return widget.grab().toImage().pixelColor(point).name()


@pytest.mark.parametrize(
    ("plot", "said"),
    [
        (BARS, ["m · whole songs\n25.0 % (10.0 to 40.0)", "n · whole songs\n25.0 % (10.0 to 40.0)",
                "n · true vocals\n25.0 % (10.0 to 40.0)"]),
        (CURVES, ["m · 1 s\n25.0 % (10.0 to 40.0)", "m · 5 s\n25.0 % (10.0 to 40.0)",
                  "n · 1 s\n25.0 % (10.0 to 40.0)", "n · 5 s\n25.0 % (10.0 to 40.0)",
                  "n · 30 s\n50.0 %"]),
        (HEAT, ["m · n\nwhole songs: overall: 50.0 %", "n · m\nwhole songs: overall: 25.0 %"]),
        (POINTS, ["A", "B", "A – <b>one</b>", "A – two", "B – three"]),
    ],
    ids=["bars", "curves", "heat", "points"],
)  # fmt: skip
@pytest.mark.parametrize("width", [240, 700])
def test_everything_in_a_plot_can_be_pointed_at(qtbot, theme, plot, said, width):
    widget = shown(qtbot, plot, theme, width)
    assert [mark.text for mark in widget.marks] == said
    inside = widget.rect()
    for mark in widget.marks:
        assert inside.contains(mark.rect.toRect())
    last = widget.marks[-1]
    qtbot.mouseMove(widget, last.rect.center().toPoint())
    assert widget.accessibleDescription() == last.text
    qtbot.mouseMove(widget, QPoint(1, 1))
    widget.leaveEvent(None)
    assert widget.accessibleDescription() == ""


def test_arrows_move_from_mark_to_mark(qtbot, theme):
    widget = shown(qtbot, BARS, theme)
    found = []
    for key in ("Right", "Right", "Right", "Right", "Left", "Home", "End", "Escape"):
        qtbot.keyClick(widget, getattr(Qt.Key, f"Key_{key}"))
        found.append(widget.current)
    assert found == [0, 1, 2, 2, 1, 0, 2, -1]


def test_bars_are_as_high_as_their_figures(qtbot, theme):
    widget = shown(qtbot, BARS, theme)
    bar = widget.marks[0].rect
    colour = tone(theme.palette, 0).name()
    assert pixel(widget, QPoint(round(bar.left() + 4), round(bar.bottom() - 6))) == colour
    assert pixel(widget, QPoint(round(bar.left() + 4), round(bar.top() - 10))) != colour
    # The axis ends at 50 %: a quarter of the data is half of the height.
    other = widget.marks[1].rect
    assert other.height() == pytest.approx(bar.height())


def test_a_model_has_one_colour_in_all_plots_of_a_report(qtbot, theme):
    widget = plot_widget(BARS, theme, ["x", "n", "m"])
    qtbot.addWidget(widget)
    assert widget.colour(0) == tone(theme.palette, 2)  # m
    assert widget.colour(1) == tone(theme.palette, 1)  # n


@pytest.mark.parametrize("num", [1, 400], ids=["few", "many"])
def test_pointing_at_a_song_picks_out_its_singer(qtbot, theme, num):
    plane = np.array([[0.0, 0.0]] * num + [[1.0, 2.0]] * num)
    labels = ("A",) * num + ("B",) * num
    widget = shown(qtbot, Points("p", "P", "singer", {"mixture: m": (plane, labels)}, {}, 1), theme)
    of_a, of_b = (widget.marks[i].rect.center().toPoint() for i in (2, -1))
    colours = [tone(theme.palette, i).name() for i in (0, 1)]
    assert [pixel(widget, of_a), pixel(widget, of_b)] == colours
    widget.point_at(len(widget.marks) - 1)
    assert pixel(widget, of_a) != colours[0]
    assert pixel(widget, of_b) == colours[1]
    widget.point_at(-1)
    legend = widget.marks[0].rect.center().toPoint()
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=legend)
    widget.point_at(-1)
    assert pixel(widget, of_a) == colours[0]  # A stays picked out
    assert pixel(widget, of_b) != colours[1]
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=legend)
    widget.point_at(-1)
    assert pixel(widget, of_b) == colours[1]


def test_a_picture_can_be_copied(qtbot, theme):
    widget = shown(qtbot, HEAT, theme)
    qtbot.keyClick(widget, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    picture = QGuiApplication.clipboard().image()
    assert picture.width() == 2 * widget.width()
    assert picture.pixelColor(2, 2) == QColor(theme.palette.surface)


def test_another_theme_redraws(qtbot, theme):
    widget = shown(qtbot, BARS, theme)
    at = widget.marks[0].rect.center().toPoint() + QPoint(8, 20)
    before = pixel(widget, at)
    theme.choose("dark")
    assert pixel(widget, at) == tone(DARK, 0).name() != before
    theme.choose("light")


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)
def test_cells_can_be_read(palette):
    for value in np.linspace(0, 1, 21):
        for chance in (None, 0.5):
            ground = heat_colour(palette, float(value), chance)
            assert contrast(text_on(ground).name(), ground.name()) >= MIN_CONTRAST
    assert heat_colour(palette, 0.5, 0.5) == heat_colour(palette, 0.0)
    assert heat_colour(palette, 1.0, 0.5).name() == palette.accent
    assert heat_colour(palette, 0.0, 0.5).name() == palette.overall


def test_an_axis_ends_at_a_round_number():
    assert axis_top([0.02, 0.07]) == 0.1
    assert axis_top([0.51]) == 0.6
    assert axis_top([0.99, float("nan")]) == 1.0
    assert axis_top([]) == 1.0
