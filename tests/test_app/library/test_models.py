from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStyleOptionViewItem
from pytestqt.modeltest import ModelTester

from app.find.result_model import ResultModel
from app.library.table_model import (
    Column,
    TrackModel,
    TrackRole,
    TrackState,
    state_of,
)
from app.library.table_view import TrackView
from app.ui.text_format import clock, duration, one_line, title_of
from app.ui.theme import Theme
from engine.library import Tags, Track, TrackStatus
from engine.paths import resources_path
from engine.search import Neighbour
from engine.search.moments import Moment

HTML = "<b>bold</b><img src='file:///etc/passwd'>"
RTL = "שלום \u202eעולם"
EMOJI = "🎤👩‍🎤 naïve"
LONG = "la" * 250
JUNK = "one\0two\nthree\t \x1b[31m\udcff"


def track(track_id: int = 1, **changes: object) -> Track:
    tags = changes.pop("tags", Tags("Title", "Artist", "Album", year=1999))
    facts = {
        "path": Path(f"/music/{track_id}.mp3"),
        "status": TrackStatus.INDEXED,
        "error": None,
        "has_vocals": True,
        "duration_s": 209.0,
    }
    facts |= changes
    return Track(
        id=track_id,
        folder_id=1,
        tags=tags,
        size_bytes=1,
        mtime_ns=1,
        audio_hash=None,
        **facts,  # type: ignore[arg-type]
    )


@pytest.fixture
def model(qapp: object) -> TrackModel:
    return TrackModel()


def test_it_keeps_the_contract_of_qt(model):
    tester = ModelTester(type("Config", (), {"getini": lambda *_: "WARNING"})())
    tester.check(model)
    model.set_ids([3, 1, 2])
    model.put([track(3), track(1), track(2)])
    model.set_ids([])
    tester._cleanup()


def test_rows_are_fetched_when_they_are_looked_at_in_one_go(model, qtbot):
    model.set_ids(list(range(100_000)))
    assert model.rowCount() == 100_000
    with qtbot.waitSignal(model.rows_needed) as asked:
        for row in range(50_000, 50_030):
            assert model.data(model.index(row, 0)) is None
    (ids,) = asked.args
    assert 50_000 in ids
    assert 50_029 in ids
    assert len(ids) < 200
    with qtbot.assertNotEmitted(model.rows_needed, wait=20):
        model.data(model.index(50_001, 0))  # is on its way
    model.put([track(i) for i in ids])
    assert model.data(model.index(50_001, Column.TITLE)) == "Title"
    assert model.data(model.index(50_001, Column.TITLE), TrackRole).id == 50_001


def test_what_its_columns_say(model):
    tags = Tags("Title", "Artist", genre="Folk\nRock", year=1999, track_number=7)
    model.set_ids([1, 2])
    model.put([track(1, tags=tags, added_s=0.0), track(2, tags=Tags())])
    columns = (Column.GENRE, Column.YEAR, Column.TRACK)
    assert [model.data(model.index(0, one)) for one in columns] == ["Folk Rock", "1999", "7"]
    assert "70" in model.data(model.index(0, Column.ADDED))
    assert [model.data(model.index(1, one)) for one in (*columns, Column.ADDED)] == [""] * 4


def test_what_is_heard_is_set_apart_from_what_files_say(qapp, model, qtbot):
    table = TrackView(model, Theme(resources_path() / "icons", qapp))
    qtbot.addWidget(table)
    assert table.isColumnHidden(Column.HEARD)
    model.set_ids([1, 2])
    model.put([track(1, heard=("R&B", "60s")), track(2)])
    index = model.index(0, Column.HEARD)
    assert model.data(index) == "R&B, 60s"
    assert "not written in the file" in model.data(index, Qt.ItemDataRole.ToolTipRole)
    assert model.data(model.index(1, Column.HEARD)) == ""
    assert model.data(model.index(1, Column.HEARD), Qt.ItemDataRole.AccessibleTextRole) == ""
    option = QStyleOptionViewItem()
    table.itemDelegateForColumn(Column.HEARD).initStyleOption(option, index)
    assert option.font.italic()


def test_only_so_many_rows_are_kept(model, qtbot):
    model.set_ids(list(range(10_000)))
    model.put([track(i) for i in range(10_000)])
    assert model.track_at(9_999) is not None
    assert model.track_at(0) is None


def test_another_list_keeps_the_rows_that_are_known(model):
    model.set_ids([1, 2])
    model.put([track(1), track(2)])
    model.set_ids([2])
    assert model.track_at(0).id == 2
    assert model.row_of(2) == 0
    assert model.row_of(1) == -1


@pytest.mark.parametrize(
    ("column", "key"),
    [
        (Column.TITLE, "title"),
        (Column.TRACK, "track"),
        (Column.HEARD, "heard"),
        (Column.ADDED, "added"),
        (Column.STATE, "status"),
    ],
)
def test_sorting_is_asked_for(model, qtbot, column, key):
    with qtbot.waitSignal(model.sort_requested) as asked:
        model.sort(column, Qt.SortOrder.DescendingOrder)
    assert asked.args == [key, True]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": TrackStatus.NEW, "has_vocals": None}, TrackState.WAITING),
        ({"has_vocals": None}, TrackState.OVERALL),
        ({"has_vocals": True}, TrackState.READY),
        ({"has_vocals": True, "is_from_mixture": True}, TrackState.WHOLE_SONG),
        ({"has_vocals": False}, TrackState.NO_VOICE),
        ({"status": TrackStatus.FAILED}, TrackState.FAILED),
        ({"status": TrackStatus.MISSING}, TrackState.MISSING),
    ],
)
def test_each_state_is_shown_and_explained(model, changes, state):
    one = track(**changes)
    assert state_of(one) is state
    model.set_ids([1])
    model.put([one])
    index = model.index(0, Column.STATE)
    assert state_of(model.data(index, TrackRole)) is state
    assert len(model.data(index, Qt.ItemDataRole.AccessibleTextRole)) > 4


def test_a_failure_tells_its_reason(model):
    model.set_ids([1])
    model.put([track(status=TrackStatus.FAILED, error="The file is <empty>.")])
    index = model.index(0, Column.STATE)
    assert "The file is <empty>." in model.data(index, Qt.ItemDataRole.AccessibleTextRole)
    assert "&lt;empty&gt;" in model.data(index, Qt.ItemDataRole.ToolTipRole)


@pytest.mark.parametrize("text", [HTML, RTL, EMOJI, LONG])
def test_tags_are_shown_as_they_are(model, text):
    model.set_ids([1])
    model.put([track(tags=Tags(title=text, artist=text))])
    assert model.data(model.index(0, Column.TITLE)) == text
    tip = model.data(model.index(0, Column.TITLE), Qt.ItemDataRole.ToolTipRole)
    assert "<b>" not in tip
    assert "<img" not in tip
    assert len(tip) < 400


def test_junk_becomes_one_line_that_can_be_drawn():
    text = one_line(JUNK)
    assert "\n" not in text
    assert "\0" not in text
    text.encode("utf-8")


def test_a_song_without_title_has_the_name_of_its_file():
    assert title_of(track(tags=Tags(), path=Path("/m/03 Some\udcff song.mp3"))) == "03 Some? song"


def test_a_result_is_told_in_words(qapp):
    model = ResultModel()
    moments = (Moment(1.0, 2.0, 0.9),)
    model.set_items(
        [Neighbour(1, track(), 0.876, 88, moments), Neighbour(2, track(2), -0.3, 0, ())]
    )
    assert model.data(model.index(0)) == "Title by Artist, 88 % alike"
    assert model.data(model.index(1)) == "Title by Artist, 0 % alike"
    assert model.data(model.index(0), Qt.ItemDataRole.DecorationRole) is None


def test_a_voice_from_the_whole_song_is_told(qapp):
    model = ResultModel()
    model.set_items([Neighbour(1, track(), 0.9, 90, (), True), Neighbour(2, track(2), 0.8, 80, ())])
    said = [model.data(model.index(row), Qt.ItemDataRole.AccessibleTextRole) for row in range(2)]
    tips = [model.data(model.index(row), Qt.ItemDataRole.ToolTipRole) for row in range(2)]
    assert said[0] == "Title by Artist, 90 % alike, voice from the whole song"
    assert "Voice from the whole song." in tips[0]
    assert "whole song" not in said[1] + tips[1]


def test_a_blend_tells_both_percentages(qapp):
    model = ResultModel()
    parts = (("vocals", 71), ("overall", 34))
    model.set_items([Neighbour(1, track(), 0.5, 52, (), parts=parts)])
    said = "voice 71 %, whole sound 34 %"
    assert model.data(model.index(0)) == f"Title by Artist, 52 % alike, {said}"
    assert said in model.data(model.index(0), Qt.ItemDataRole.ToolTipRole)


def test_a_chance_has_a_name_and_a_bare_percentage_has_none(qapp):
    model = ResultModel()
    near, fair, far, none = (
        Neighbour(i, track(i), 0.5, p, ()) for i, p in enumerate((80, 79, 49, -1))
    )
    model.is_calibrated = True
    model.set_items([near, fair, far, none])
    assert model.has_grey
    names = [model.likeness(one) for one in (near, fair, far, none)]
    assert names == ["very similar", "similar", "", None]
    tips = [model.data(model.index(row), Qt.ItemDataRole.ToolTipRole) for row in range(4)]
    assert "one of a hundred" in tips[0]
    assert "two singers" in tips[2]
    assert "singers" not in tips[3]
    model.is_calibrated = False
    assert model.likeness(near) is None
    assert not model.has_grey


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "—"), (0, "0:00"), (59.9, "0:59"), (209, "3:29"), (3723, "1:02:03"), (-1, "0:00")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 s"),
        (42, "42 s"),
        (61, "1 min"),
        (4200, "1 h 10 min"),
        (7200, "2 h"),
        (400_000, "5 days"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
