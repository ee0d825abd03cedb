"""Songs pulled out of the table, and artists out of their list, by real moves of the pointer."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPoint, Qt
from PySide6.QtGui import QDrag, QDragLeaveEvent, QDragMoveEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView
from support import app_fixtures

from app.desktop.drag_and_drop import dragged_tracks, dropped_files, files_as_mime_data
from app.window import MainWindow

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

LEFT = Qt.MouseButton.LeftButton


class Pointer:
    """With a button, which the window system would tell of, and what was dragged by it."""

    def __init__(self) -> None:
        self.buttons = Qt.MouseButton.NoButton
        self.dragged: list[QMimeData] = []

    def pull(self, view: QAbstractItemView, row: int) -> None:
        """Down on a row, and a good way on, past other rows."""
        at = view.visualRect(view.model().index(row, 0)).center()
        QTest.mousePress(view.viewport(), LEFT, pos=at)
        self.buttons = LEFT
        for way in (4, 30, 45, 60, 75):
            QTest.mouseMove(view.viewport(), at + QPoint(0, way))

    def let_go(self, view: QAbstractItemView) -> None:
        self.buttons = Qt.MouseButton.NoButton
        QTest.mouseRelease(view.viewport(), LEFT, pos=QPoint(60, 60))


@pytest.fixture
def pointer(monkeypatch) -> Pointer:
    one = Pointer()
    monkeypatch.setattr(QGuiApplication, "mouseButtons", staticmethod(lambda: one.buttons))

    def drop(drag: QDrag, actions: Qt.DropAction) -> None:
        assert not drag.pixmap().isNull()
        one.dragged.append(drag.mimeData())

    monkeypatch.setattr(QDrag, "exec", drop)
    return one


def fetched(qtbot, window: MainWindow) -> None:
    """All that was asked of the library until now."""
    done: list[object] = []
    window.services.open_library.fetch_tracks([], done.append)
    qtbot.waitUntil(lambda: bool(done))


@pytest.fixture
def artists(qtbot, window) -> QAbstractItemView:
    view = window.library.groups_view
    window.library.ways.segment("artists").click()
    qtbot.waitUntil(lambda: view.isVisible() and view.model().rowCount() == 3)
    return view


def test_all_songs_selected_are_dragged_those_out_of_sight_as_well(qtbot, window, pointer):
    """The table knows of a long library only what was in sight lately."""
    table, model = window.library.view, window.library.model
    fetched(qtbot, window)
    ids = model.ids
    model.set_ids([])
    model.set_ids(ids)
    table.selectAll()
    pointer.pull(table, 1)
    assert table.selected_ids() == ids  # moves on the way select nothing else
    qtbot.waitUntil(lambda: len(pointer.dragged) == 1)
    assert dragged_tracks(pointer.dragged[0]) == ids
    names = [path.name for path in dropped_files(pointer.dragged[0])]
    assert len(names) == 5
    assert names[0] == "First light.wav"
    pointer.let_go(table)
    fetched(qtbot, window)
    assert len(pointer.dragged) == 1
    assert window.services.search.question is None  # the release was no click


def test_a_song_let_go_before_it_was_fetched_stays(qtbot, window, pointer):
    table = window.library.view
    pointer.pull(table, 0)
    pointer.let_go(table)
    fetched(qtbot, window)
    assert pointer.dragged == []
    assert window.services.search.question is None
    qtbot.mouseClick(table.viewport(), LEFT, pos=QPoint(60, 10))
    assert window.services.search.question is not None


def test_an_artist_is_dragged_with_all_songs_and_files(qtbot, window, artists, pointer):
    pointer.pull(artists, 0)
    qtbot.waitUntil(lambda: len(pointer.dragged) == 1)
    (data,) = pointer.dragged
    assert len(dragged_tracks(data)) == len(dropped_files(data)) == 2
    pointer.let_go(artists)
    assert artists.isVisible()
    with qtbot.waitSignal(artists.entered):  # what lies below the pointer is told again
        below = artists.visualRect(artists.model().index(1, 0))
        QTest.mouseMove(artists.viewport(), below.center())
    queue = window.services.player.queue
    model = window.queueing.panel.model
    model.dropMimeData(data, Qt.DropAction.CopyAction, -1, -1, QModelIndex())
    qtbot.waitUntil(lambda: len(queue.entries) == 2)
    assert [one.sound.artist for one in queue.entries] == ["Alma", "Alma"]


def test_the_table_scrolls_while_rows_are_dragged_to_its_edge(qtbot, window):
    table, data = window.library.view, files_as_mime_data([], window.library.model.ids[:1])
    table.set_movable(True)
    table.setFixedHeight(120)
    bar = table.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    edge = QPoint(40, table.viewport().height() - 4)
    no_keys = Qt.KeyboardModifier.NoModifier
    table.dragMoveEvent(QDragMoveEvent(edge, Qt.DropAction.CopyAction, data, LEFT, no_keys))
    qtbot.waitUntil(lambda: bar.value() > 0)
    table.dragLeaveEvent(QDragLeaveEvent())
