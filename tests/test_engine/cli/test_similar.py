"""What ``singalike similar`` prints of a result."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.cli.similar import show
from engine.library.records import Tags, Track, TrackStatus
from engine.search.records import Neighbour, Query, SearchResult


def neighbour(rank: int, percent: int) -> Neighbour:
    path = Path(f"/music/{rank}.mp3")
    indexed = TrackStatus.INDEXED
    track = Track(rank, 1, path, Tags("Song", "Singer"), 1, 1, "hash", 9.0, indexed, None, True)
    return Neighbour(rank, track, percent / 100, percent, ())


def test_only_chances_are_called_very_similar(capsys: pytest.CaptureFixture[str]) -> None:
    query = Query(None, Path("/music/query.mp3"))
    found = tuple(neighbour(rank, percent) for rank, percent in enumerate((91, 80, 79), start=1))
    result = SearchResult(query, "vocals", {"vocals": "model"}, True, found, None)
    show(result)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.endswith("(very similar)") for line in lines] == [True, True, False]
    show(replace(result, is_calibrated=False))
    assert "similar" not in capsys.readouterr().out
