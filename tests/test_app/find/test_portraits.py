"""Why two voices sound alike: in words, on scales, and as a filter by notes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from support import app_fixtures
from support.app_fixtures import find_first, results
from support.app_window import make_library

from app.find.portrait import ASPECTS, PortraitView, explanation, sentence
from app.window import MainWindow
from engine.library import Library
from engine.library.heard import put_portrait
from engine.records import VoicePortrait

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window

TENOR = VoicePortrait(48.0, 57.0, 67.0, 5.5, 50.0, 0.6, 28.0, -5.0, 500.0, 0.6)


@pytest.fixture
def window(qtbot, library_path: Path, music: Path, open_window) -> MainWindow:
    """Five songs; the voices of the first four were measured, each a whole tone higher."""
    make_library(library_path, music)
    with Library.open(library_path) as library, library.database.write() as db:
        for number, track_id in enumerate(library.track_ids()[:4]):
            higher = [note + 2 * number for note in (48.0, 57.0, 67.0)]
            notes = dict(zip(("lowest_note", "usual_note", "highest_note"), higher, strict=True))
            put_portrait(db, track_id, replace(TENOR, **notes))
    window = open_window()
    window.resize(1200, 900)
    qtbot.waitUntil(lambda: window.library.model.track_at(4) is not None)
    find_first(qtbot, window)
    return window


def test_likenesses_and_differences_are_told_in_words() -> None:
    assert sentence(TENOR, TENOR) == "Alike: notes, vibrato, breath, roughness, brightness."
    other = replace(
        TENOR, usual_note=62.0, vibrato_hz=None, vibrato_cents=None, vibrato_share=0.0,
        clearness_db=20.0, brightness_hz=None,
    )  # fmt: skip
    assert sentence(TENOR, other) == (
        "Alike: roughness. The result: higher, less vibrato, breathier."
    )
    told = [explanation(aspect, (TENOR, other)) for aspect in ASPECTS]
    assert told[0] == "Notes: C3 to G4, mostly around A3 / C3 to G4, mostly around D4"
    assert told[1] == "Vibrato: 5.5 Hz, ± 50 cents, in 60 % of the long notes / none"
    assert told[4] == "Brightness: 500 Hz / cannot be told"


def test_every_scale_holds_every_voice() -> None:
    extreme = VoicePortrait(20.0, 20.0, 120.0, 8.0, 290.0, 1.0, 60.0, 30.0, 7000.0, 1.0)
    for aspect in ASPECTS:
        for portrait in (TENOR, extreme):
            place = aspect.place(portrait)
            assert place is not None
            assert 0 <= place <= 1


def test_the_chosen_result_is_described_beside_the_song_asked_for(qtbot, window) -> None:
    view = window.results.portraits
    qtbot.waitUntil(view.isVisible)
    assert view.text == ""  # one voice alone is like no other
    voices = window.results.voices
    voices.view.setCurrentIndex(voices.model.index(0))
    QTest.mouseClick(
        voices.view.viewport(),
        Qt.MouseButton.LeftButton,
        pos=voices.view.visualRect(voices.model.index(0)).center() + QPoint(40, 0),
    )
    qtbot.waitUntil(lambda: view.text.startswith("Alike: "))
    assert "Notes: C3 to G4" in view.accessibleDescription()
    window.resize(860, 560)
    qtbot.waitUntil(lambda: not view.isVisible())


def test_where_the_ends_of_a_scale_would_meet_they_are_not_written(qtbot, window) -> None:
    view = PortraitView(window.services.theme)
    qtbot.addWidget(view)
    scales = view._scales
    scales.resize(900, scales.sizeHint().height())
    below = scales.height() - scales.fontMetrics().height()

    def written() -> int:
        image = scales.grab().toImage()
        ground = image.pixel(image.width() - 1, 0)
        return sum(
            image.pixel(x, y) != ground
            for y in range(below, image.height())
            for x in range(image.width())
        )

    assert written() > 0
    scales.resize(180, scales.height())
    assert written() == 0


def test_voices_can_be_narrowed_to_notes_and_to_ones_own(qtbot, window) -> None:
    button = window.results.filter_button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    sheet = button.sheet
    assert not sheet.my_range.isEnabled()
    before = sorted(results(window)[0])
    for field, text in zip(sheet.notes, ("Bb4", "C3"), strict=True):  # the wrong way round
        field.setText(text)
        field.editingFinished.emit()
    qtbot.waitUntil(lambda: sorted(results(window)[0]) != before)
    scope = button.filters.scope
    assert (scope.lowest_note, scope.highest_note) == (48, 70)
    assert "Filters  1" in button.text()
    sheet.close()
    sheet.set_my_range((50.2, 74.9))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(sheet.my_range, Qt.MouseButton.LeftButton)
    scope = button.filters.scope
    assert (scope.lowest_note, scope.highest_note) == (50, 75)
