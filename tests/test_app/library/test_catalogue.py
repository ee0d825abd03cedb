"""A catalogue in the place of the library, in the whole window: read only, and back again."""

from __future__ import annotations

from pathlib import Path

import lancedb  # noqa: F401, before a test counts threads
import numpy as np
import pytest
from PySide6.QtCore import Qt
from support import app_fixtures
from support.app_fixtures import shown_titles
from support.app_window import SONGS
from support.catalogue import QUIET, catalogue_of

from app.find.journey_dialog import JourneyDialog
from app.library.dialogs import CatalogueDialog
from app.ui.top_bar import Page
from catalogue.upkeep import index
from engine.library import Library

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


@pytest.fixture
def place(window, library_path, tmp_path: Path) -> str:
    """A catalogue of what the library has heard, but with other titles."""
    with Library.open(library_path) as library:
        table = catalogue_of(library, tmp_path / "catalogue")
    table.songs.update(values_sql={"title": "concat('Archived ', title)"})
    index(table, *QUIET)
    return table.place


def open_catalogue(qtbot, window, place: str) -> None:
    window.commands.open_catalogue()
    (dialog,) = window.findChildren(CatalogueDialog)
    dialog.place.setText(place)
    qtbot.mouseClick(dialog._open, Qt.MouseButton.LeftButton)


def test_its_songs_are_searched_like_the_librarys(qtbot, window, place: str) -> None:
    titles = [f"Archived {title}" for _, title in SONGS]
    window.services.search.find_track(window.library.model.track_at(0))
    qtbot.waitUntil(lambda: len(window.results.voices.model.neighbours) > 0)
    expected = window.results.voices.model.neighbours
    open_catalogue(qtbot, window, place)
    qtbot.waitUntil(lambda: shown_titles(window) == titles)
    assert window.services.search.question is None  # other songs: nothing was asked of them
    assert not window.top_bar.pages.segment(Page.MAP).isEnabled()
    window.show_page(Page.MAP)
    assert window.page is Page.LIBRARY

    first = window.library.model.track_at(0)
    window.services.search.find_track(first)
    of_library = {n.track.id for n in expected}
    results = window.results.voices.model
    qtbot.waitUntil(lambda: not of_library & {n.track.id for n in results.neighbours})
    qtbot.waitUntil(lambda: len(results.neighbours) == len(expected))
    found = results.neighbours
    assert [n.track.path for n in found] == [n.track.path for n in expected]
    np.testing.assert_allclose(
        [n.similarity for n in found], [n.similarity for n in expected], atol=1e-2
    )
    assert found[0].moments

    window.results.filter_button.open_sheet()
    sheet = window.results.filter_button.sheet
    sheet.other_artists.click()
    sheet.close()
    qtbot.waitUntil(lambda: 0 < len(window.results.voices.model.neighbours) < len(found))
    window.find_page.show_journey(first, found[-1].track, "vocals")
    (dialog,) = window.findChildren(JourneyDialog)
    qtbot.waitUntil(lambda: len(dialog.model.neighbours) >= 2)
    dialog.close()
    window.services.search.find_artist("Bo")
    qtbot.waitUntil(
        lambda: {n.track.artist for n in window.results.voices.model.neighbours} != {"Bo"}
    )
    window.top_bar.search.setText("wall")
    qtbot.waitUntil(lambda: shown_titles(window) == ["Archived Wallflower"])


def test_nothing_in_it_is_changed_and_the_library_comes_back(qtbot, window, place: str) -> None:
    open_catalogue(qtbot, window, place)
    qtbot.waitUntil(lambda: shown_titles(window)[:1] == ["Archived First light"])
    with qtbot.waitSignal(window.services.open_library.problem) as told:
        window.services.open_library.forget_folder(Path(place))
    assert "nothing can be changed" in told.args[0]
    window.commands.open_catalogue()  # a second time: back
    qtbot.waitUntil(lambda: shown_titles(window) == [title for _, title in SONGS])
    assert window.top_bar.pages.segment(Page.MAP).isEnabled()


def test_what_is_no_catalogue_is_told(qtbot, window, tmp_path: Path) -> None:
    with qtbot.waitSignal(window.services.open_library.problem) as told:
        open_catalogue(qtbot, window, str(tmp_path / "nowhere"))
    assert "There is no catalogue at" in told.args[0]
    assert window.services.open_library.catalogue is None
