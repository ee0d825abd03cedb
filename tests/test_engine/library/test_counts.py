from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.libraries import OVERALL, VOCALS, embedding, write_song

from engine.library import Library, filenames
from engine.library.counts import tally
from engine.library.scan.scan import scan

FILES = ("a/1.wav", "a/2.wav", "a/b/3.wav", "c/4.wav", "c/5.wav")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Track 1 has vocals, 2 none in one ear but in another, 3 none, 4 failed, 5 is missing."""
    for number, name in enumerate(FILES):
        write_song(tmp_path / name, 200 + 100 * number)
    with Library.open(tmp_path / "library.db") as library:
        scan(library, [tmp_path / "a", tmp_path / "c"])
        spaces = {key: library.space_id(key) for key in (OVERALL, VOCALS)}
        by_name = {track.path.name[0]: track.id for track in library.tracks(library.track_ids())}
        assert [by_name[name] for name in "12345"] == [1, 2, 3, 4, 5]
        for track_id in (2, 3):
            library.put_embedding(
                track_id, spaces[VOCALS], None, audio_hash=f"{track_id}", duration_s=9
            )
        for track_id, key in ((1, VOCALS), (2, VOCALS), (3, OVERALL)):
            library.put_embedding(
                track_id, spaces[key], embedding(), audio_hash=f"{track_id}", duration_s=9
            )
        with library.database.write() as db:
            db.execute("INSERT OR IGNORE INTO no_vocals VALUES (2, ?)", (spaces[VOCALS],))
        library.put_failure(4, "It is no music.")
        library.put_missing(5)
        yield library


def test_all_folders(library: Library) -> None:
    assert tally(library.database, [], []) == (4, 1, 1, set())
    asked_for = tally(library.database, [], [1, 2, 4, 5, 99])[3]
    assert asked_for == {1, 2}  # neither failed nor missing ones, nor those that never were
    silent = [track.id for track in library.tracks(range(1, 5)) if track.has_vocals is False]
    assert silent == [3]


def test_some_folders(library: Library, tmp_path: Path) -> None:
    assert tally(library.database, [tmp_path / "a"], [1, 4]) == (3, 0, 1, {1})
    assert tally(library.database, [tmp_path / "a/b"], [1]) == (1, 0, 1, set())
    assert tally(library.database, [tmp_path / "a/b", tmp_path / "c"], [4])[0] == 2
    assert tally(library.database, [tmp_path], [])[0] == 4
    assert tally(library.database, [tmp_path / "nowhere"], [1]) == (0, 0, 0, set())


def test_a_drive_that_is_not_there(library: Library, tmp_path: Path) -> None:
    with library.database.write() as db:
        db.execute("UPDATE folder SET is_available = 0 WHERE id = 1")
    assert tally(library.database, [], [1]) == (1, 1, 0, set())


@pytest.mark.linux
@pytest.mark.parametrize("folder", [Path("/music"), Path("/"), Path("/a folder/é")])
def test_places_in_a_folder_as_bytes(folder: Path) -> None:
    for name in ("song.mp3", "Ann/First/song.mp3", os.fsdecode(b"caf\xe9/\xff.mp3")):
        place = folder / name
        below = filenames.below(os.fspath(place), os.fspath(folder))
        assert below == filenames.relative_bytes(place, folder)
        assert filenames.join(filenames.to_bytes(folder), below) == place
