from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QApplication
from support.contrast import MIN_CONTRAST, contrast, luminance

import app
from app.ui.palette import DARK, LIGHT, Palette, tile_colours
from app.ui.style_sheet import stylesheet
from app.ui.theme import Theme, base_font
from engine.paths import resources_path

ICONS = resources_path() / "icons"
SOURCES = sorted(Path(app.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)
def test_all_text_can_be_read(palette: Palette):
    colours = palette.colours()
    low = [
        (text, ground, round(contrast(colours[text], colours[ground]), 2))
        for text, ground in palette.text_pairs()
        if contrast(colours[text], colours[ground]) < MIN_CONTRAST
    ]
    assert low == []


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert luminance("#ff0000") == pytest.approx(0.2126)


def test_colours_are_written_down_in_one_place_only():
    found = {
        path.name: hits
        for path in SOURCES
        if path.name != "palette.py"
        and (hits := set(re.findall(r"#[0-9a-fA-F]{6}", path.read_text("utf-8"))) - {"#000000"})
    }
    assert found == {}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)
def test_the_style_sheet_is_filled_in(palette):
    assert "$" not in stylesheet(palette)
    assert palette.accent in stylesheet(palette)


def test_tiles_are_the_same_for_the_same_album_and_belong_to_the_theme():
    assert tile_colours(LIGHT, "Alma|Album") == tile_colours(LIGHT, "Alma|Album")
    assert tile_colours(LIGHT, "a") != tile_colours(DARK, "a")
    assert len({tile_colours(DARK, str(i)) for i in range(100)}) > 12


def test_choosing_a_theme_changes_the_program(qapp: QApplication):
    theme = Theme(ICONS, qapp)
    changes = []
    theme.changed.connect(lambda: changes.append(theme.palette.name))
    theme.choose("dark")
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK.window
    theme.choose("light")
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT.window
    theme.choose("no such theme")
    assert theme.choice == "system"
    assert changes[:2] == ["dark", "light"]


# How wide a dot is in a table, as its state is shown there: of a row, and of a selected one.
DOTS = """
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QTableWidget, QTableWidgetItem
from app.ui.theme import Theme
from engine.paths import resources_path
application = QApplication([])
theme, table = Theme(resources_path() / "icons"), QTableWidget(2, 1)
theme.install(application, "light")
table.setIconSize(QSize(26, 26))
for row in (0, 1):
    table.setItem(row, 0, QTableWidgetItem(theme.icon("dot", "good", 14), ""))
table.selectRow(1)
table.show()
picture, colour = table.viewport().grab().toImage(), theme.colour("good").rgb()
for row in (0, 1):
    y = round(picture.devicePixelRatio() * table.visualItemRect(table.item(row, 0)).center().y())
    print(sum(picture.pixel(x, y) == colour for x in range(picture.width())))
"""


def test_dots_are_as_large_on_every_screen_and_look_the_same_when_selected():
    def widths(scale: int) -> list[int]:
        given = {"QT_SCALE_FACTOR": str(scale), "PYTHONPATH": str(Path(__file__).parents[3])}
        done = subprocess.run(
            [sys.executable, "-c", DOTS],
            env=os.environ | given,
            check=True,
            capture_output=True,
            text=True,
        )
        return [int(line) for line in done.stdout.split()]

    usual, double = widths(1), widths(2)
    assert usual[0] == usual[1] >= 7
    assert double == pytest.approx([2 * width for width in usual], abs=2)


def test_every_icon_can_be_drawn_in_both_themes(qapp):
    theme = Theme(ICONS, qapp)
    names = [path.stem for path in ICONS.glob("*.svg")]
    assert len(names) > 20
    for palette in (LIGHT, DARK):
        theme.palette = palette
        for name in names:
            image = theme.pixmap(name, "text", 24, 2.0).toImage()
            assert image.width() == 48
            assert any(
                image.pixelColor(x, y).alpha() for x in range(0, 48, 2) for y in range(0, 48, 2)
            ), name


def test_every_icon_that_is_named_is_there_and_none_is_left_over():
    text = "\n".join(path.read_text("utf-8") for path in SOURCES)
    names = {path.stem for path in ICONS.glob("*.svg")}
    assert {name for name in names if f'"{name}"' not in text} <= {"singalike"}


def test_a_nameless_desktop_font_is_replaced_and_a_named_one_kept(qapp):
    assert base_font(QFont("Sans Serif", 8)).pointSizeF() == 10
    assert base_font(QFont("Helvetica Neue", 13)).family() == "Helvetica Neue"
