"""Words for what is heard, in the library: apart from files' own tags, gone with their sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.libraries import OVERALL, VOCALS, add_tracks, at, vector_embedding
from typer.testing import CliRunner

from engine.cli.commands import app
from engine.library import Library, Tags
from engine.library.heard import strongest, tag_counts, tags_of
from engine.library.maps import labels
from engine.library.scope import Scope, facets, ids_within
from engine.library.upkeep.salvage import salvage
from engine.records import HeardTag, TrackEmbedding
from engine.search.saved import saved_question

JAZZ, SAD = HeardTag("jazz", "genre", 0.9, 0.3), HeardTag("sad", "mood", 0.6, 0.1)
BLUES, WEAK = HeardTag("blues", "genre", 0.7, 0.2), HeardTag("rock", "genre", 0.5, 0.4)


def heard(*tags: HeardTag) -> TrackEmbedding:
    return replace(vector_embedding(at(0)), tags=tags)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path, [Tags(title=f"Song {n}", artist="Ann") for n in range(3)])
        space_id = library.space_id(OVERALL)
        for track_id, tags in ((1, (SAD, JAZZ, BLUES, WEAK)), (2, (JAZZ,)), (3, ())):
            library.put_embedding(
                track_id, space_id, heard(*tags), audio_hash=f"sound {track_id}", duration_s=200
            )
        yield library


def names(library: Library, *ids: int) -> dict[int, list[str]]:
    return {i: [tag.name for tag in tags] for i, tags in tags_of(library.database, ids).items()}


def test_what_stands_out_is_kept_the_strongest_first(library: Library) -> None:
    assert names(library, 1, 2, 3) == {1: ["jazz", "blues", "sad"], 2: ["jazz"]}
    assert tags_of(library.database, [1])[1][0] == JAZZ
    assert tag_counts(library.database) == (
        ("jazz", "genre", 2), ("blues", "genre", 1), ("sad", "mood", 1),
    )  # fmt: skip
    assert facets(library.database).heard == tag_counts(library.database)
    most = strongest(library.database)
    assert most == {
        "genre": {1: "jazz", 2: "jazz"},
        "mood": {1: "sad"},
        "instruments": {},
        "era": {},
    }
    assert [one.heard for one in library.tracks([1, 3])] == [("jazz", "blues", "sad"), ()]
    assert library.track_ids(sort="heard")[-2:] == [1, 2]
    words, of = labels(library.database).heard["mood"]
    assert [words[i] for i in of] == ["sad", "", ""]


def test_songs_that_sound_like_it_are_a_part_of_the_library(library: Library) -> None:
    def within(*tags: str) -> list[int]:
        return ids_within(library.database, Scope(sounds_like=frozenset(tags))).tolist()

    assert within("jazz") == [1, 2]
    assert within("jazz", "sad") == [1]
    assert within("house") == []
    assert Scope(sounds_like=frozenset({"jazz"})).num_conditions == 1


def test_another_sound_and_another_hearing_take_their_place(library: Library) -> None:
    space_id = library.space_id(OVERALL)
    library.put_embedding(2, space_id, heard(BLUES), audio_hash="sound 2", duration_s=200)
    assert names(library, 2) == {2: ["blues"]}
    # a model that knows no tags leaves them
    silent = library.space_id(VOCALS)
    library.put_embedding(2, silent, None, audio_hash="sound 2", duration_s=200)
    library.put_embedding(2, space_id, vector_embedding(at(1)), audio_hash="sound 2", duration_s=9)
    assert names(library, 2) == {2: ["blues"]}
    library.put_embedding(2, silent, None, audio_hash="new sound", duration_s=200)
    assert names(library, 2) == {}


def test_a_copy_sounds_like_its_original(library: Library) -> None:
    known = library.heard("sound 1", library.space_id(OVERALL))
    assert known is not None
    assert known[0] is not None
    assert known[0].tags == (JAZZ, BLUES, SAD)


def test_they_are_saved_from_a_damaged_library(library: Library) -> None:
    library.close()
    _, num_rows = salvage(library.path)
    assert (num_rows["tag"], num_rows["heard_tag"]) == (3, 4)
    with Library.open(library.path) as saved:
        assert names(saved, 1, 2) == {1: ["jazz", "blues", "sad"], 2: ["jazz"]}


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_commands_know_them(library: Library, tmp_path: Path) -> None:
    place = ("--library", str(library.path))
    assert run("tags", "Song 0", *place).splitlines()[:2] == [
        " 90%  jazz  (genre)",
        " 70%  blues  (genre)",
    ]
    assert "heard most: jazz 2, blues 1, sad 1" in run("status", *place)
    asked = ("similar", "Song 0", "--by", "overall", "--sounds-like", "Jazz")
    found = run(*asked, "--save", "Jazz", *place)
    assert saved_question(library, "jazz").options.scope.sounds_like == {"jazz"}
    assert "Song 1" in found
    assert "Song 2" not in found
    run("export", str(tmp_path / "sad.csv"), "--sounds-like", "sad", *place)
    exported = (tmp_path / "sad.csv").read_text(encoding="utf-8")
    assert "Song 0" in exported
    assert "Song 1" not in exported
    result = CliRunner().invoke(app, ["similar", "Song 0", "--sounds-like", "male", *place])
    assert result.exit_code == 2
    assert "Known are rock" in " ".join(result.output.split()).replace("│ ", "")
