"""Portraits of voices: made by the second pass, kept with the sound, asked for by command."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.libraries import ToyModel, WholeMixture
from support.sung_notes import write_voice
from typer.testing import CliRunner

from engine.cli.commands import app
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library
from engine.library.heard import portraits

FINE = IndexOptions(voices="fine", num_workers=1)


class ThroughMixtures(ToyModel):
    hears_voices_in_mixtures = True


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.load", lambda name: ThroughMixtures())
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")
    monkeypatch.setattr("engine.separation.load", lambda name: WholeMixture())


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        yield library


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_voice(tmp_path / "music" / "Singer" / "Song.wav", 50, 57, 57)


def ranges(library: Library) -> list[tuple[int, int]]:
    """Of the tracks that have a portrait: lowest and highest note."""
    found = portraits(library.database, library.track_ids(sort="added")).values()
    return [(round(one.lowest_note), round(one.highest_note)) for one in found]


def test_a_separated_voice_has_a_portrait_and_so_has_its_copy(library: Library, song: Path) -> None:
    index_folders(library, [song.parent], IndexOptions(voices="fast", num_workers=1))
    assert ranges(library) == []
    index_folders(library, [song.parent], FINE)
    assert ranges(library) == [(50, 57)]
    (song.parent / "copy.wav").write_bytes(song.read_bytes())
    index_folders(library, [song.parent], FINE)
    assert ranges(library) == [(50, 57), (50, 57)]


def test_another_sound_in_the_file_has_another_portrait(library: Library, song: Path) -> None:
    index_folders(library, [song.parent], FINE)
    write_voice(song, 60, 64, 69)
    index_folders(library, [song.parent], IndexOptions(voices="fast", num_workers=1))
    assert ranges(library) == []
    index_folders(library, [song.parent], FINE)
    assert ranges(library) == [(60, 69)]


def test_the_command_tells_of_tracks_and_of_files(
    library: Library, song: Path, tmp_path: Path
) -> None:
    index_folders(library, [song.parent], FINE)
    of_track = CliRunner().invoke(app, ["portrait", "Song", "--library", str(library.path)])
    assert of_track.output.splitlines()[0] == "notes       D3 to A3, mostly around A3"
    recording = write_voice(tmp_path / "sung.wav", 45)
    of_file = CliRunner().invoke(app, ["portrait", str(recording), "--voice-alone", "--json"])
    assert json.loads(of_file.output)["usual_note"] == pytest.approx(45, abs=0.3)


def test_what_was_not_measured_is_said(library: Library, song: Path) -> None:
    index_folders(library, [song.parent], IndexOptions(voices="fast", num_workers=1))
    asked = CliRunner().invoke(app, ["portrait", "Song", "--library", str(library.path)])
    assert "not measured yet" in str(asked.exception)


def test_a_portrait_goes_with_the_voice(library: Library, song: Path) -> None:
    """As when better ears find that nobody sings, or a new separator leaves too little to tell."""
    index_folders(library, [song.parent], FINE)
    (track_id,) = library.track_ids()
    ((space_id, _),) = [space for space in library.spaces() if space[1].view == "vocals"]
    embedding = library.embedding(space_id, track_id)
    assert embedding is not None
    rough = replace(embedding, from_mixture=True, portrait=None)
    library.put_embedding(track_id, space_id, rough, audio_hash="hash", duration_s=15.0)
    library.put_embedding(track_id, space_id, embedding, audio_hash="hash", duration_s=15.0)
    assert ranges(library) == [(50, 57)]
    library.put_embedding(track_id, space_id, rough, audio_hash="hash", duration_s=15.0)
    assert ranges(library) == [(50, 57)]  # it is to be separated yet
    mute = replace(embedding, portrait=None)
    library.put_embedding(track_id, space_id, mute, audio_hash="hash", duration_s=15.0)
    assert ranges(library) == []
    library.put_embedding(track_id, space_id, embedding, audio_hash="hash", duration_s=15.0)
    library.put_embedding(track_id, space_id, None, audio_hash="hash", duration_s=15.0)
    assert ranges(library) == []
