"""A search index is made anew under the library's lease: never beside somebody who listens."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QPushButton
from support import app_fixtures

from app.preferences.dialog import PreferencesDialog
from engine.library.indexes import index_of
from engine.search.index import graph

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


@pytest.fixture
def section(qtbot, tmp_path, monkeypatch, window):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    window.top_bar.preferences.click()
    (dialog,) = window.findChildren(PreferencesDialog)
    dialog.choose("Indexing")
    qtbot.waitUntil(lambda: dialog.indexing._cards.count() == 2)
    yield dialog.indexing
    dialog.close()


def test_while_songs_are_listened_to_the_index_stays_and_it_is_said(qtbot, section, window):
    library = window.services.open_library.library
    space_id = library.spaces()[0][0]
    graph.refresh(library, space_id)
    before = index_of(library.database, space_id)
    assert before is not None
    with library.lease(), qtbot.waitSignal(section.problem) as told:
        section._rebuild(space_id)
    assert "is indexing already" in told.args[0]
    assert "then try again" in told.args[0]
    qtbot.waitUntil(lambda: not section._is_rebuilding)
    assert index_of(library.database, space_id) == before

    def can_be_clicked() -> bool:
        buttons = section._cards.itemAt(0).widget().findChildren(QPushButton)
        return any("search index" in one.text() and one.isEnabled() for one in buttons)

    qtbot.waitUntil(can_be_clicked)


def test_whoever_listens_waits_until_the_index_is_made(qtbot, section, window, monkeypatch):
    library = window.services.open_library.library
    space_id = library.spaces()[0][0]
    seen = []
    monkeypatch.setattr(
        "app.preferences.indexing.graph.refresh",
        lambda library, *rest, **how: seen.extend(library.database.rows("SELECT pid FROM lease")),
    )
    section._rebuild(space_id)
    qtbot.waitUntil(lambda: not section._is_rebuilding)
    assert len(seen) == 1
    assert library.database.rows("SELECT pid FROM lease") == []
