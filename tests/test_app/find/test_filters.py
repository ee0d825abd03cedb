"""Narrowing the results, blending both views, and asking for an artist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QTreeWidgetItem
from support import app_fixtures
from support.app_fixtures import click_song, find_first, results
from support.app_window import SONGS, make_library

from app.find.filters import NOTHING_FILTERED, FilterSheet, num_active, seconds_of
from app.window import MainWindow
from engine.library import Library
from engine.library.heard import put_tags
from engine.library.scope import Scope
from engine.records import HeardTag

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window

GENRES = ("Pop", "Pop/Rock", "Rock", "<b>Polka</b>", "")
FOLK, SAD = HeardTag("folk", "genre", 0.9, 0.5), HeardTag("sad", "mood", 0.8, 0.4)
YEARS = (1970, 1980, 1990, 2000, None)


@pytest.fixture
def window(qtbot, library_path: Path, music: Path, open_window) -> MainWindow:
    """On five songs with genres, years and lengths; the first is asked for."""
    make_library(library_path, music)
    with Library.open(library_path) as library, library.database.write() as db:
        for track_id, genre, year in zip(library.track_ids(), GENRES, YEARS, strict=True):
            facts = (genre, year, 60.0 * track_id, track_id)
            db.execute("UPDATE track SET genre = ?, year = ?, duration_s = ? WHERE id = ?", facts)
    window = open_window()
    qtbot.waitUntil(lambda: window.library.model.track_at(4) is not None)
    find_first(qtbot, window)
    return window


def open_sheet(qtbot, window: MainWindow) -> FilterSheet:
    button = window.results.filter_button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(button.sheet.genres.items))
    return button.sheet


def genre(sheet: FilterSheet, name: str) -> QTreeWidgetItem:
    return next(item for item in sheet.genres.items if item.text(0).startswith(name))


def test_the_sheet_narrows_both_lists_at_once_and_counts(qtbot, window):
    sheet = open_sheet(qtbot, window)
    button = window.results.filter_button
    assert button.text() == "Filters…"
    told = [item.data(0, Qt.ItemDataRole.AccessibleTextRole) for item in sheet.genres.items]
    assert sorted(told) == ["<b>Polka</b>, 1 song", "Pop, 2 songs", "Rock, 2 songs"]
    genre(sheet, "Rock").setCheckState(0, Qt.CheckState.Checked)
    qtbot.waitUntil(lambda: sorted(results(window)[0]) == ["Second wind", "Third rail"])
    assert sorted(results(window)[1]) == ["Second wind", "Third rail"]
    sheet.other_artists.click()
    qtbot.waitUntil(lambda: results(window)[0] == ["Third rail"])
    assert button.text() == "Filters  2"
    assert button.isChecked()
    qtbot.mouseClick(sheet.reset, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)
    assert button.filters == NOTHING_FILTERED


def test_what_is_heard_narrows_and_is_told_of_query_and_result(qtbot, window, library_path):
    with Library.open(library_path) as library, library.database.write() as db:
        put_tags(db, 1, [FOLK])
        put_tags(db, 2, [FOLK, SAD])
        put_tags(db, 3, [FOLK])
    sheet = open_sheet(qtbot, window)
    qtbot.waitUntil(lambda: bool(sheet.heard.items))
    told = [item.data(0, Qt.ItemDataRole.AccessibleTextRole) for item in sheet.heard.items]
    assert told == ["folk, 3 songs", "sad, 1 song"]
    for item in sheet.heard.items:
        item.setCheckState(0, Qt.CheckState.Checked)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 1)
    assert window.results.filter_button.text() == "Filters  1"
    model = window.results.voices.model
    tip = model.data(model.index(0), Qt.ItemDataRole.ToolTipRole)
    assert "Sounds like folk, sad: heard, not written in the file" in tip
    window.results.voices.view.setCurrentIndex(model.index(0))
    row = window.results.result_row
    names = [one.accessibleName() for one in row.findChildren(QLabel)]
    assert any(name.startswith("Sounds like folk, sad") for name in names)
    qtbot.mouseClick(sheet.reset, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)


def test_words_of_a_saved_search_stay_ticked_though_no_song_has_them(qtbot, window):
    button = window.results.filter_button
    scope = Scope(genres=frozenset({"zydeco"}), sounds_like=frozenset({"jazz"}))
    button.set_filters(replace(NOTHING_FILTERED, scope=scope))
    sheet = open_sheet(qtbot, window)
    qtbot.waitUntil(lambda: len(sheet.genres.items) == 4)
    assert sheet.filters() == button.filters


def test_years_and_lengths_may_be_given_the_wrong_way_round(qtbot, window):
    sheet = open_sheet(qtbot, window)
    assert sheet.years[0].placeholderText() == "1970"
    sheet.years[0].setText("2005")
    sheet.years[1].setText("1975")
    sheet.years[1].editingFinished.emit()
    expected = ["Second wind", "Third rail", "Wallflower"]
    qtbot.waitUntil(lambda: sorted(results(window)[0]) == expected)
    sheet.lengths[1].setText("3:00")
    sheet.lengths[1].editingFinished.emit()
    qtbot.waitUntil(lambda: sorted(results(window)[0]) == expected[:2])


def test_a_folder_is_chosen_from_a_list(qtbot, window, music):
    sheet = open_sheet(qtbot, window)
    row = next(i for i in range(sheet.folder.count()) if "Bo " in sheet.folder.itemText(i))
    sheet.folder.setFocus()
    for _ in range(row):
        qtbot.keyClick(sheet.folder, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: sorted(results(window)[0]) == ["Third rail", "Wallflower"])
    assert window.results.filter_button.filters.scope.folders == {music / "Bo"}


def test_nothing_left_is_said_in_a_sentence(qtbot, window):
    sheet = open_sheet(qtbot, window)
    genre(sheet, "<b>").setCheckState(0, Qt.CheckState.Checked)
    qtbot.waitUntil(lambda: results(window)[0] == ["Wallflower"])
    sheet.years[1].setText("1971")
    sheet.years[1].editingFinished.emit()
    message = window.results.voices._message
    qtbot.waitUntil(lambda: "relax the filters" in message.text())
    assert results(window)[0] == []


def test_the_sheet_closes_by_escape_and_by_a_click_elsewhere(qtbot, window):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.library.view.setFocus()
    sheet = open_sheet(qtbot, window)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    qtbot.waitUntil(window.library.view.hasFocus)  # where the keyboard was before
    open_sheet(qtbot, window)
    before = window.results.query_row.sound
    corner = window.library.view.viewport()
    place = corner.mapTo(window, QPoint(40, 60))
    qtbot.mouseClick(window.windowHandle(), Qt.MouseButton.LeftButton, pos=place)
    assert not sheet.isVisible()
    assert window.results.query_row.sound == before  # the click did nothing else


def test_one_song_of_each_artist_is_remembered_and_a_genre_is_not(
    qtbot, window, open_window, library_path
):
    sheet = open_sheet(qtbot, window)
    sheet.one_per_artist.click()
    genre(sheet, "Pop").setCheckState(0, Qt.CheckState.Checked)
    qtbot.waitUntil(lambda: results(window)[0] == ["Second wind"])
    sheet.hide()
    window.close()
    again = open_window()
    assert again.results.filter_button.filters == replace(NOTHING_FILTERED, one_per_artist=True)


def test_a_blend_is_one_list_that_the_slider_moves(qtbot, window):
    bar, panel = window.results.blend_bar, window.results
    qtbot.mouseClick(bar.segments.segment("one"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.shown_lists() == [panel.blended])
    qtbot.waitUntil(lambda: len(panel.blended.model.neighbours) == 4)
    with qtbot.waitSignal(window.services.search.answered) as answered:
        bar._slider.setValue(0)
    assert window.services.search.options.blend == 1.0  # the voice alone
    assert set(answered.args[0].lists) == {"blend"}
    alone = [n.track.id for n in panel.blended.model.neighbours]
    qtbot.mouseClick(bar.segments.segment("both"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.shown_lists() == [panel.voices, panel.overall])
    qtbot.waitUntil(lambda: [n.track.id for n in panel.voices.model.neighbours] == alone)


def test_the_voices_like_an_artists(qtbot, window):
    click_song(qtbot, window, 2)  # by Bo
    window.services.search.find_artist("Bo")
    qtbot.waitUntil(lambda: window.results.query_row.sound is not None)
    qtbot.waitUntil(lambda: window.results.query_row.sound.title == "Bo")
    assert len(results(window)[0]) == 3
    assert not {"Third rail", "Wallflower"} & set(results(window)[0])
    assert "typical" in window.results.query_row.sound.artist
    qtbot.mouseClick(window.top_bar.back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.results.query_row.sound.title == "Third rail")
    qtbot.mouseClick(window.top_bar.forward, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.results.query_row.sound is not None)
    qtbot.waitUntil(lambda: window.results.query_row.sound.title == "Bo")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2:30", 150), ("4", 240), ("1:02:03", 3723), ("", None), ("a:b", None), ("-1", None)],
)
def test_lengths_as_people_write_them(text: str, seconds: float | None):
    assert seconds_of(text) == seconds


def test_there_are_as_many_songs_as_facts():
    assert len(SONGS) == len(GENRES) == len(YEARS)


def chips(window) -> dict[str, QPushButton]:
    """Those shown, by what they say."""
    row = window.results.filter_chips
    found = row.findChildren(QPushButton)
    return {one.text().removesuffix("  ×"): one for one in found if one.isVisible()}


def test_each_filter_in_force_can_be_taken_away_alone(qtbot, window):
    button = window.results.filter_button
    assert not window.results.filter_chips.isVisible()
    everything = sorted(results(window)[0])
    scope = Scope(
        frozenset({"rock"}),
        1980,
        None,
        frozenset({Path("/Music/Soul & Funk")}),
        60.0,
        300.0,
        45,
        64,
        frozenset({"jazz"}),
    )
    button.set_filters(
        replace(
            NOTHING_FILTERED,
            other_artists=True,
            one_per_artist=True,
            hide_duplicates=False,
            scope=scope,
        )
    )
    assert list(chips(window)) == [
        "Other artists only",
        "One song of each artist",
        "rock",
        "sounds like jazz",
        "from 1980",
        "1:00–5:00",
        "A2–E4",
        "Soul && Funk",
    ]
    assert len(chips(window)) == num_active(button.filters)
    for left in range(7, -1, -1):
        qtbot.mouseClick(next(iter(chips(window).values())), Qt.MouseButton.LeftButton)
        assert len(chips(window)) == num_active(button.filters) == left
    assert button.filters == replace(NOTHING_FILTERED, hide_duplicates=False)
    assert not window.results.filter_chips.isVisible()
    qtbot.waitUntil(lambda: sorted(results(window)[0]) == everything)


def test_a_genre_without_end_is_cut_on_its_chip(qtbot, window):
    scope = Scope(frozenset({"x" * 900}), last_year=1999)
    window.results.filter_button.set_filters(replace(NOTHING_FILTERED, scope=scope))
    long, years = chips(window).values()
    assert len(long.text()) < 40
    assert len(long.toolTip()) > 900
    assert years.text().startswith("up to 1999")


def test_what_is_not_as_asked_is_told_below_the_results(qtbot, window, library_path):
    result, rough = window.results.voices, "heard through the whole song"
    assert rough not in result.told
    with Library.open(library_path) as library, library.database.write() as db:
        db.execute("UPDATE embedding SET from_mixture = 1")
    window.services.search.ask_again()
    qtbot.waitUntil(lambda: rough in result.told)
    result.show_message("Nobody sings.")
    assert result.told == ""
