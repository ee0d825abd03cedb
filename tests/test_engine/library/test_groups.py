"""Artists and albums as a way to look at a library."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.libraries import add_tracks

from engine.library import Library, Tags
from engine.library.groups import Group, groups

SONGS = [
    Tags("Second", "Buena Pregunta", "Uno", year=2001, track_number=2),
    Tags("First", "Buena-Pregunta", "Uno", year=2001, track_number=1),
    Tags("Guest", "Buena Pregunta feat. Ann", "Dos", year=2003),
    Tags("Alone", "ann", "Greatest Hits"),
    Tags("Hit", "Bob", "Greatest Hits"),
    Tags("Loose", "Bob"),
    Tags("Nobody's", ""),
]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path / "music", SONGS)
        yield library


def told(found: list[Group]) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(one.name, one.artist, one.track_ids) for one in found]


def test_an_artist_is_one_however_spelt_and_with_guests(library: Library) -> None:
    found = groups(library.database, "artists")
    assert [(one.name, one.track_ids) for one in found] == [
        ("ann", (4,)),
        ("Bob", (6, 5)),  # what is on no album comes first
        ("Buena Pregunta", (3, 2, 1)),  # by album, and there by number
    ]
    assert found[2].path == library.track(1).path


def test_albums_of_one_name_are_told_apart_by_their_artists(library: Library) -> None:
    assert told(groups(library.database, "albums")) == [
        ("Dos", "Buena Pregunta", (3,)),
        ("Greatest Hits", "ann", (4,)),
        ("Greatest Hits", "Bob", (5,)),
        ("Uno", "Buena Pregunta", (2, 1)),
    ]
    assert groups(library.database, "albums")[-1].year == 2001


@pytest.mark.parametrize("album_artist", ["", "Various Artists"])
def test_an_album_by_several_is_one(tmp_path: Path, album_artist: str) -> None:
    singers = ("Ann", "Bob", "Cid")
    tags = [Tags(one, one, "Hits", album_artist, track_number=i) for i, one in enumerate(singers)]
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path / "music", tags)
        with library.database.write() as db:  # all in one folder
            db.execute("UPDATE track SET rel_path = CAST('Hits/' || id AS BLOB)")
        assert told(groups(library.database, "albums")) == [("Hits", album_artist, (1, 2, 3))]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["ann", "Bob", "Buena Pregunta"]),
        ("PREGÚNTA buen", ["Buena Pregunta"]),
        ("second", []),
        ("%", []),
    ],
)
def test_words_are_looked_for_in_names(library: Library, text: str, names: list[str]) -> None:
    assert [one.name for one in groups(library.database, "artists", text)] == names


def test_words_of_artists_find_albums(library: Library) -> None:
    found = groups(library.database, "albums", "greatest bob")
    assert told(found) == [("Greatest Hits", "Bob", (5,))]


def test_what_changed_is_seen(library: Library, tmp_path: Path) -> None:
    assert len(groups(library.database, "artists")) == 3
    add_tracks(library, tmp_path / "music", [Tags("New", "Cid")])
    assert [one.name for one in groups(library.database, "artists")][-1] == "Cid"


def test_tracks_know_when_they_were_added(library: Library) -> None:
    added_s = library.track(1).added_s
    assert added_s is not None
    assert 0 <= time.time() - added_s < 600
