"""``singalike playlist``, ``favourite`` and ``mark``, and several songs as one question."""

import json

import pytest
from support.libraries import OVERALL, VOCALS, add_tracks, put_vectors
from typer.testing import CliRunner

from engine.cli.common import new_commands
from engine.cli.kept import favourite, mark, playlist, saved
from engine.cli.similar import similar
from engine.library import Library, Tags

SONGS = ("Moths", "Compass", "Bells", "Better")


@pytest.fixture
def run(tmp_path):
    with Library.open(tmp_path / "library.db") as library:
        tags = [Tags(title=title, artist=f"The {title} Band") for title in SONGS]
        ids = add_tracks(library, tmp_path / "music", tags)
        for key in (VOCALS, OVERALL):
            put_vectors(library, key, {one: [5, n] + [0] * 14 for n, one in enumerate(ids)})
    question = new_commands()
    question.command()(similar)
    groups = {
        "playlist": playlist,
        "favourite": favourite,
        "mark": mark,
        "similar": question,
        "saved": saved,
    }

    def run(line: str, *more: str, code: int = 0):
        name, *words = (*line.split(), *more)
        done = CliRunner().invoke(groups[name], [*words, "--library", str(tmp_path / "library.db")])
        assert done.exit_code == code, f"{done.output} {done.exception!r}"
        return json.loads(done.stdout) if "--json" in words else done.stdout

    return run


def titles(rows: list[dict]) -> list[str]:
    return [row["title"] for row in rows]


def test_a_playlist_from_its_making_to_its_end(run):
    run("playlist create Evenings moths bells")
    run("playlist add Evenings compass")
    assert titles(run("playlist show evenings --json")) == ["Moths", "Bells", "Compass"]
    run("playlist remove Evenings 2")
    run("playlist rename Evenings Nights")
    assert run("playlist --json") == [{"name": "Nights", "num_songs": 2}]
    assert run("playlist show Nights").split("\n")[1].endswith("The Compass Band – Compass")
    run("playlist delete Nights")
    assert run("playlist --json") == []


def test_a_place_that_a_playlist_does_not_have(run):
    run("playlist create Evenings moths")
    run("playlist remove Evenings 2", code=2)
    assert len(run("playlist show Evenings --json")) == 1


def test_what_is_exported_can_be_imported(run, tmp_path):
    run("playlist create Evenings moths bells")
    for options in ((), ("--absolute",)):
        run("playlist export Evenings", str(tmp_path / "out" / ".." / "list.m3u8"), *options)
        with (tmp_path / "list.m3u8").open("a") as file:
            file.write("#EXTINF:9,Somebody - Stranger\nelsewhere.mp3\n")
        run("playlist import", str(tmp_path / "list.m3u8"))
    assert [row["name"] for row in run("playlist --json")] == ["Evenings", "list", "list 2"]
    assert run("playlist show", "list 2", "--json") == run("playlist show list --json")
    found = run("playlist show list --json")
    assert titles(found) == ["Moths", "Bells", "Somebody - Stranger"]
    assert [row["in_library"] for row in found] == [True, True, False]
    assert "not in the library" in run("playlist show list")


def test_hearts(run):
    run("favourite add moths bells")
    run("favourite remove bells")
    assert titles(run("favourite --json")) == ["Moths"]


def test_what_is_marked_as_different_is_not_found_any_more(run, tmp_path):
    assert "Compass" in titles(run("similar moths --json")["neighbours"])
    run("mark different moths compass")
    run("mark same moths better")
    assert "Compass" not in titles(run("similar moths --json")["neighbours"])
    assert "Compass" in titles(run("similar moths --by overall --json")["neighbours"])
    (apart, same) = run("mark --json")
    assert (apart["title"], apart["other_title"], apart["is_same"]) == ("Moths", "Compass", 0)
    assert (same["other_title"], same["is_same"]) == ("Better", 1)
    run("mark export", str(tmp_path / "pairs.csv"))
    header, *rows = (tmp_path / "pairs.csv").read_text().splitlines()
    assert header.startswith("is_same,track_id,path")
    assert [row[0] for row in rows] == ["0", "1"]
    run("mark remove compass moths")
    assert "Compass" in titles(run("similar moths --json")["neighbours"])


def test_several_songs_are_one_question(run):
    found = run("similar moths better --json")
    assert titles(found["query"]["songs"]) == ["Moths", "Better"]
    assert sorted(titles(found["neighbours"])) == ["Bells", "Compass"]
    assert run("similar moths better").startswith("Nearest voices to 2 songs, above all The")
    run("similar moths better --at 0:01-0:02", code=2)


def test_a_search_is_saved_and_run_again(run):
    first = run(
        "similar moths --other-artists --by overall -k 2 --years 1900-2100 --save", "Near me"
    )
    assert [one["name"] for one in run("saved --json")] == ["Near me"]
    assert run("saved run", "near me") == first
    run("similar moths better --save", "Near me")
    assert run("saved run", "Near me").startswith("Nearest voices to 2 songs")
    run("saved delete", "Near me")
    assert run("saved --json") == []
    run("similar --artist compass --save", "Hers")
    assert run("saved run Hers").startswith("Nearest voices to The Compass Band")


def test_a_search_that_is_not_there(run):
    assert isinstance(run("saved run Nothing", code=1), str)
