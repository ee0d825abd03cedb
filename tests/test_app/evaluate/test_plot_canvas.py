from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from support import app_fixtures
from support.app_window import PATIENCE_MS
from support.evaluate_page import BARS, CURVES, HEAT, POINTS

from app.evaluate.plot_canvas import PlotCanvas
from app.jobs import JobRunner
from app.ui.theme import Theme
from engine.evaluation.colours import colour
from engine.evaluation.results import Points
from engine.paths import resources_path

no_leaks_left = app_fixtures.no_leaks_left


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources_path() / "icons", qapp)
    theme.install(qapp, "light")
    return theme


@pytest.fixture
def runner(qapp: QApplication) -> Iterator[JobRunner]:
    runner = JobRunner(close_timeout_ms=PATIENCE_MS)
    yield runner
    assert runner.close()
    runner.deleteLater()


@pytest.fixture
def show(qtbot, theme, runner):
    def show(plot, width=700, models=()):
        canvas = PlotCanvas(plot, theme, runner, models)
        qtbot.addWidget(canvas)
        canvas.resize(width, canvas.heightForWidth(width))
        canvas.show()
        wait(qtbot, canvas)
        return canvas

    return show


def wait(qtbot, canvas) -> None:
    canvas.grab()  # asks for what is missing
    qtbot.waitUntil(lambda: canvas.is_drawn, timeout=20_000)


def pixel(canvas, point) -> str:
    return canvas.grab().toImage().pixelColor(point).name()


def place(mark) -> QRectF:
    return QRectF(*mark[:4])


def middle(mark) -> QPoint:
    return place(mark).center().toPoint()


@pytest.mark.parametrize(
    ("plot", "said"),
    [
        (BARS, ["m · whole songs\n25.0 [10.0, 40.0] %", "n · whole songs\n25.0 [10.0, 40.0] %",
                "n · true vocals\n25.0 [10.0, 40.0] %"]),
        (CURVES, ["m · 1 s\n25.0 [10.0, 40.0] %", "m · 5 s\n25.0 [10.0, 40.0] %",
                  "n · 1 s\n25.0 [10.0, 40.0] %", "n · 5 s\n25.0 [10.0, 40.0] %",
                  "n · 30 s\n50.0 %"]),
        (HEAT, ["m · n\nwhole songs: overall: 50.0 %", "n · m\nwhole songs: overall: 25.0 %"]),
        (POINTS, ["A", "B", "A – <b>one</b>", "A – two", "B – three"]),
    ],
    ids=["bars", "curves", "heat", "points"],
)  # fmt: skip
@pytest.mark.parametrize("width", [240, 700])
def test_everything_in_a_plot_can_be_pointed_at(qtbot, show, plot, said, width):
    canvas = show(plot, width)
    assert sorted(mark.text for mark in canvas.marks) == sorted(said)
    inside = QRectF(canvas.rect())
    for mark in canvas.marks:
        assert inside.contains(place(mark))
    last = canvas.marks[-1]
    qtbot.mouseMove(canvas, middle(last))
    assert canvas.accessibleDescription() == last.text
    qtbot.mouseMove(canvas, QPoint(1, 1))
    canvas.leaveEvent(None)
    assert canvas.accessibleDescription() == ""


def test_arrows_move_from_mark_to_mark(qtbot, show):
    canvas = show(BARS)
    found = []
    for key in ("Right", "Right", "Right", "Right", "Left", "Escape"):
        qtbot.keyClick(canvas, getattr(Qt.Key, f"Key_{key}"))
        found.append(canvas.current)
    assert found == [0, 1, 2, 2, 1, -1]


def test_bars_are_as_high_as_their_figures(show):
    canvas = show(BARS)
    bar, other = (place(mark) for mark in canvas.marks[:2])
    assert pixel(canvas, QPoint(round(bar.left() + 4), round(bar.bottom() - 6))) == colour(0)
    assert pixel(canvas, QPoint(round(bar.left() + 4), round(bar.top() - 10))) != colour(0)
    assert other.height() == pytest.approx(bar.height())


def test_a_model_has_one_colour_in_all_plots_of_a_report(show):
    canvas = show(BARS, models=["x", "n", "m"])
    foot = place(canvas.marks[0]).bottomLeft().toPoint() + QPoint(4, -6)
    assert pixel(canvas, foot) == colour(2)  # m


@pytest.mark.parametrize("num", [1, 400], ids=["few", "many"])
def test_pointing_at_a_song_or_the_legend_picks_out_a_singer(qtbot, show, num):
    plane = np.array([[0.0, 0.0]] * num + [[1.0, 2.0]] * num)
    labels = ("A",) * num + ("B",) * num
    canvas = show(Points("p", "P", "singer", {"mixture: m": (plane, labels)}, {}, 1))
    of_a, of_b = canvas.marks[2], canvas.marks[-1]
    assert [pixel(canvas, middle(mark)) for mark in (of_a, of_b)] == [colour(0), colour(1)]

    def around(mark):
        return canvas.grab(place(mark).adjusted(-3, -3, 3, 3).toRect()).toImage()

    plain = around(of_a), around(of_b)
    qtbot.mouseMove(canvas, middle(of_b))
    assert [around(of_a) == plain[0], around(of_b) == plain[1]] == [True, False]
    qtbot.mouseMove(canvas, middle(canvas.marks[0]))  # A in the legend
    assert [around(of_a) == plain[0], around(of_b) == plain[1]] == [False, True]


def test_a_picture_can_be_copied(qtbot, show, theme):
    canvas = show(HEAT)
    QGuiApplication.clipboard().setImage(QImage())
    qtbot.keyClick(canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not QGuiApplication.clipboard().image().isNull(), timeout=20_000)
    picture = QGuiApplication.clipboard().image()
    assert picture.width() == canvas.width()
    assert picture.pixelColor(2, 2) == QColor(theme.palette.surface)


def test_another_theme_or_width_redraws(qtbot, show, theme):
    canvas = show(BARS)
    at = middle(canvas.marks[0]) - QPoint(12, 0)
    before = pixel(canvas, at)
    theme.choose("dark")
    wait(qtbot, canvas)
    assert pixel(canvas, at) == colour(0, is_dark=True) != before
    theme.choose("light")
    first = canvas.marks[0]
    canvas.resize(300, canvas.heightForWidth(300))
    wait(qtbot, canvas)
    assert place(canvas.marks[0]).right() < place(first).right()
    assert canvas.rect().contains(middle(canvas.marks[-1]))
