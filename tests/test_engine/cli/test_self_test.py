"""``singalike self-test`` tells the truth: of a whole installation, and of broken ones."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import sounddevice
from typer.testing import CliRunner

from app.player.self_test import playback
from engine.cli import self_test
from engine.cli.commands import app
from engine.cli.self_test import CHECKS, CheckError, outcome_of
from engine.errors import SingalikeError


@pytest.fixture
def run(monkeypatch):
    """The command with these checks only: (exit code, stdout, stderr)."""

    def call(checks, *arguments):
        monkeypatch.setattr(self_test, "all_checks", lambda: checks)
        done = CliRunner().invoke(app, ["self-test", *arguments], catch_exceptions=False)
        return done.exit_code, done.stdout, done.stderr

    return call


def test_the_whole_way_works_here(tmp_path):
    found = {name: outcome_of(check, tmp_path) for name, check in CHECKS.items()}
    assert list(found) == ["index", "search"]
    assert [outcome["text"] for outcome in found.values() if not outcome["is_ok"]] == []
    assert "singer's own" in found["search"]["text"]


def test_nothing_is_left_behind_and_no_library_of_ones_own_is_touched(run, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: list[Path] = []

    def check(folder):
        (folder / "library.db").write_bytes(b"")
        seen.append(folder)
        return "written"

    assert run({"index": check})[0] == 0
    assert seen[0].is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_lines_for_people(run):
    code, out, err = run({"decode": lambda folder: "fine", "embed": lambda folder: "fine too"})
    assert code == 0
    assert out.splitlines() == ["decode    ok      fine", "embed     ok      fine too"]
    assert "Everything works" in err


def test_a_failure_has_its_sentence_the_others_go_on_and_the_exit_code_is_1(run):
    def broken(folder):
        raise SingalikeError("The model is damaged. Install it again.")

    def worse(folder):
        raise ImportError("libfoo.so: no such file")

    checks = {"embed": broken, "index": worse, "search": lambda folder: "fine"}
    code, out, err = run(checks)
    assert code == 1
    first, second, third = out.splitlines()
    assert first == "embed     FAILED  The model is damaged. Install it again."
    assert second.startswith("index     FAILED  ImportError: libfoo.so: no such file. Install")
    assert third == "search    ok      fine"
    assert "2 of 3 checks failed" in err


def test_as_json(run):
    def broken(folder):
        raise CheckError("Something is wrong.")

    code, out, _ = run({"decode": lambda folder: "fine", "embed": broken}, "--json")
    told = json.loads(out)
    assert (code, told["is_ok"], told["is_bundle"]) == (1, False, False)
    assert [(c["name"], c["is_ok"], c["text"]) for c in told["checks"]] == [
        ("decode", True, "fine"),
        ("embed", False, "Something is wrong."),
    ]


def test_a_damaged_model_is_noticed(tmp_path, monkeypatch):
    """One flipped byte in the weights of a real model."""
    from engine import models
    from engine.paths import resources_path

    name = models.default_model_name("vocals")
    own = tmp_path / "resources"
    for part in ("checkpoints", "models"):
        (own / part).mkdir(parents=True)
        for one in (resources_path() / part).iterdir():
            (own / part / one.name).symlink_to(one)
    [folder] = own.glob(f"*/{name}")
    folder.unlink()
    shutil.copytree(resources_path() / folder.relative_to(own), folder)
    weights = folder / "weights.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    weights.write_bytes(damaged)
    monkeypatch.setattr("engine.models.resources_path", lambda: own)
    outcome = outcome_of(CHECKS["index"], tmp_path)
    assert not outcome["is_ok"]
    assert "again" in outcome["text"]


def test_searching_without_a_library_says_so(tmp_path):
    outcome = outcome_of(CHECKS["search"], tmp_path)
    assert not outcome["is_ok"]
    assert "see the check before" in outcome["text"]


def test_playback_is_one_of_the_checks():
    assert "playback" in self_test.all_checks()


def test_playback_lists_what_can_play(monkeypatch):
    speakers = {"name": "Speakers", "index": 0, "hostapi": 0, "max_output_channels": 2}
    listed = [speakers, {**speakers, "name": "Headphones", "index": 1}]
    monkeypatch.setattr(sounddevice, "query_devices", _devices(listed))
    assert playback() == "2 devices: Speakers, Headphones"
    monkeypatch.setattr(sounddevice, "query_devices", _devices(listed[:1]))
    assert playback() == "on Speakers"
    monkeypatch.setattr(sounddevice, "query_devices", _devices([]))
    assert "no sound device" in playback()


def _devices(listed):
    def query(device=None, kind=None):
        if kind is None:
            return listed
        if not listed:
            raise sounddevice.PortAudioError("Error querying device -1")
        return listed[0]

    return query


def test_playback_without_portaudio_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)  # importing it fails
    with pytest.raises(SingalikeError, match="libportaudio2"):
        playback()
