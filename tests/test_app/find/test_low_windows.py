"""Results in low windows, and with large letters."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from PySide6.QtWidgets import QApplication, QPushButton
from support import app_fixtures
from support.app_window import make_library

from app.library.table_model import Column
from app.library.table_view import TITLE_PX
from app.ui.language import ENGLISH, LANGUAGES, Translation
from engine.paths import resources_path

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window

SONGS = tuple((artist, f"Song {i}") for artist in ("Alma", "Bo", "Cleo") for i in range(4))


@pytest.fixture
def large_letters(qapp: QApplication):
    """As the preferences' largest size; rows of a window made meanwhile are so high."""
    before = qapp.font()
    large = qapp.font()
    large.setPointSizeF(1.5 * large.pointSizeF())
    qapp.setFont(large)
    yield
    qapp.setFont(before)


def ask(qtbot, window):
    """Results for the first song, in a window as low as many screens ask for."""
    window.resize(860, 560)
    qtbot.waitUntil(lambda: window.library.model.track_at(0) is not None)
    window.services.search.find_track(window.library.model.track_at(0))
    voices = window.results.voices
    qtbot.waitUntil(lambda: bool(voices.model.neighbours))
    qtbot.waitUntil(lambda: voices.view.visualRect(voices.model.index(0)).height() > 0)
    return voices


def num_seen(results) -> int:
    view, model = results.view, results.model
    rooms = [view.visualRect(model.index(row)) for row in range(model.rowCount())]
    return sum(view.viewport().rect().contains(room) for room in rooms)


def test_four_results_are_seen_in_a_low_window(qtbot, open_window, library_path, music):
    make_library(library_path, music, SONGS)
    voices = ask(qtbot, open_window())
    qtbot.waitUntil(lambda: num_seen(voices) >= 4)
    low = voices.view.visualRect(voices.model.index(0)).height()
    voices.window().resize(1200, 900)
    qtbot.waitUntil(lambda: voices.view.visualRect(voices.model.index(0)).height() > low)


def test_four_results_are_seen_with_large_letters(
    qtbot, large_letters, open_window, library_path, music
):
    make_library(library_path, music, SONGS)
    voices = ask(qtbot, open_window())
    qtbot.waitUntil(lambda: num_seen(voices) >= 4)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != ENGLISH])
def test_no_button_is_cut_with_large_letters_in_any_language(
    qtbot, qapp, large_letters, open_window, library_path, music, code
):
    make_library(library_path, music, SONGS)
    translation = Translation(resources_path() / "languages", code, qapp)
    qapp.installTranslator(translation)
    try:
        window = ask(qtbot, open_window()).window()
    finally:
        qapp.removeTranslator(translation)
    shown = [one for one in window.findChildren(QPushButton) if one.isVisible() and one.text()]
    switches = [one for one in shown if one.property("kind") in ("segment", "toggle")]
    assert len(switches) >= 10
    blend_bar = window.results.blend_bar

    def cut() -> list[str]:
        room = {one: one.fontMetrics().horizontalAdvance(one.text()) + 2 for one in switches}
        return [one.text() for one in switches if one.width() < room[one]]

    qtbot.waitUntil(lambda: cut() == [])
    blend_bar.toggle()
    qtbot.waitUntil(blend_bar.weighing.isVisible)
    qtbot.waitUntil(lambda: cut() == [])


def test_the_length_gives_way_to_the_title_and_comes_back(
    qtbot, large_letters, open_window, library_path, music
):
    make_library(library_path, music, SONGS)
    window = ask(qtbot, open_window()).window()
    view, header = window.library.view, window.library.view.horizontalHeader()
    qtbot.waitUntil(lambda: header.isSectionHidden(Column.LENGTH))
    assert header.sectionSize(Column.TITLE) >= TITLE_PX - 2
    assert view.is_wanted(Column.LENGTH)
    window.close()  # it is not remembered as hidden
    window = open_window()
    window.resize(1600, 700)
    header = window.library.view.horizontalHeader()
    qtbot.waitUntil(lambda: not header.isSectionHidden(Column.LENGTH))
    window.library.view.show_column(Column.LENGTH, False)
    window.resize(1640, 700)
    assert header.isSectionHidden(Column.LENGTH)


def test_parts_of_a_low_row_do_not_overlap(qtbot, open_window, library_path, music):
    make_library(library_path, music, SONGS)
    voices = ask(qtbot, open_window())
    delegate, rect = voices.view.itemDelegate(), voices.view.visualRect(voices.model.index(0))
    qtbot.waitUntil(lambda: delegate.is_compact)
    for width in (240, 400, 640):
        rect.setWidth(width)
        for parts in ((), (("vocals", 100), ("overall", 100))) if width >= 400 else ((),):
            neighbour = replace(voices.model.neighbours[0], parts=parts)
            layout = delegate.layout(rect, neighbour)
            others = (layout.cover, layout.title, layout.artist, layout.score, layout.bar)
            for chip in (*layout.chips, *([layout.parts] if parts else [])):
                assert not any(chip.intersects(other) for other in others)
                assert rect.contains(chip)
            assert not any(chip.intersects(layout.parts) for chip in layout.chips)
    assert layout.chips


@pytest.mark.parametrize("width", [240, 400, 640])
def test_parts_of_a_high_row_do_not_overlap(qtbot, open_window, library_path, music, width):
    make_library(library_path, music, SONGS)
    voices = ask(qtbot, open_window())
    voices.window().resize(1200, 900)
    qtbot.waitUntil(lambda: not voices.view.itemDelegate().is_compact)
    rect = voices.view.visualRect(voices.model.index(0))
    rect.setWidth(width)
    for alone in ((), (("vocals", 100), ("overall", 100))):
        neighbour = replace(voices.model.neighbours[0], parts=alone)
        layout = voices.view.itemDelegate().layout(rect, neighbour)
        parts = (layout.cover, layout.title, layout.artist, layout.score, layout.bar)
        parts += (*layout.chips, *([layout.parts] if alone else []))
        assert all(rect.contains(part) for part in parts)
        assert not any(one.intersects(other) for one, other in combinations(parts, 2))
    assert layout.chips or width < 640


def test_titles_have_room_beside_the_queue(qtbot, open_window, library_path, music):
    make_library(library_path, music, SONGS)
    voices = ask(qtbot, open_window())
    window = voices.window()
    window.resize(1200, 780)
    window.queueing.toggle()
    qtbot.waitUntil(lambda: window.results.width() < 600)
    rect = voices.view.visualRect(voices.model.index(0))
    layout = voices.view.itemDelegate().layout(rect, voices.model.neighbours[0])
    assert layout.title.width() > 0.6 * rect.width()


def test_nothing_jumps_when_a_result_is_chosen(qtbot, open_window, library_path, music):
    make_library(library_path, music, SONGS)
    voices = ask(qtbot, open_window())
    before = voices.view.mapTo(voices.window(), voices.view.rect().topLeft())
    voices.view.setCurrentIndex(voices.model.index(2))
    qtbot.waitUntil(lambda: voices.window().results.result_row.sound is not None)
    QApplication.processEvents()
    assert voices.view.mapTo(voices.window(), voices.view.rect().topLeft()) == before
