"""Asking with a stretch of a song, marked on its waveform."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from support import app_fixtures
from support.app_fixtures import find_first

from app.find.song_row import SongRow
from app.window import MainWindow

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window
LENGTH_S = 60.0


def drag_with_shift(qtbot, row: SongRow, start: float, end: float) -> None:
    """Between two places of a waveform, as shares of its width."""
    waveform = row.waveform
    waveform.set_duration(LENGTH_S)
    first, last = (QPoint(round(share * waveform.width()), 30) for share in (start, end))
    button, shift = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
    qtbot.mousePress(waveform, button, shift, first)
    qtbot.mouseMove(waveform, last)
    qtbot.mouseRelease(waveform, button, shift, last)


def part_of(window: MainWindow) -> tuple[float, float]:
    question = window.services.search.question
    assert question is not None
    assert question.part_s is not None
    return question.part_s


def test_a_stretch_is_marked_by_a_drag_with_shift_and_asked_with(qtbot, window):
    find_first(qtbot, window)
    row, player = window.results.query_row, window.services.player
    drag_with_shift(qtbot, row, 0.5, 0.25)  # backwards
    assert row.waveform.stretch_s == pytest.approx((15, 30), abs=1)
    assert not row.ask.isHidden()
    assert row.ask.text().startswith("Voices like 0:1")
    assert player.sound(player.side) is None  # a mark is no seek
    qtbot.mouseClick(row.ask, Qt.MouseButton.LeftButton)
    assert part_of(window) == pytest.approx((15, 30), abs=1)
    assert window.services.search.question.track.title == "First light"
    assert row.ask.isHidden()
    window.services.search.go(-1)
    assert row.waveform.stretch_s is None


def test_less_than_a_voice_needs_is_no_stretch(qtbot, window):
    find_first(qtbot, window)
    row = window.results.query_row
    drag_with_shift(qtbot, row, 0.5, 0.51)
    assert row.waveform.stretch_s is None
    assert row.ask.isHidden()


def test_a_stretch_of_a_result_is_a_question_too(qtbot, window):
    find_first(qtbot, window)
    view = window.results.voices.view
    view.setCurrentIndex(window.results.voices.model.index(0))
    chosen = view.current().track
    drag_with_shift(qtbot, window.results.result_row, 0.1, 0.3)
    qtbot.mouseClick(window.results.result_row.ask, Qt.MouseButton.LeftButton)
    assert part_of(window) == pytest.approx((6, 18), abs=1)
    assert window.services.search.question.track.id == chosen.id


def test_i_and_o_mark_the_ends_where_the_song_is(qtbot, window):
    find_first(qtbot, window)
    waveform = window.results.query_row.waveform
    waveform.set_duration(LENGTH_S)
    waveform.set_stretch((10, 40))
    qtbot.keyClick(window, Qt.Key.Key_I)  # nothing has been played: the song is at its beginning
    assert waveform.stretch_s == (0, 40)
    assert window.results.query_row.ask.text() == "Voices like 0:00–0:40"
    qtbot.keyClick(window, Qt.Key.Key_O)
    assert waveform.stretch_s is None
    assert window.results.query_row.ask.isHidden()
