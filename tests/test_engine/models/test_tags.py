"""Tags that are heard: words with strengths, and nothing about a person."""

import json

import numpy as np
from support.sound import write_wav
from typer.testing import CliRunner

from engine.cli.commands import app
from engine.models import load
from engine.models.tags import heard_tags, shown_names
from engine.records import KEPT_CHANCE

NAMES = ("rock", "Hip-Hop", "female vocalists", "80s")
TYPICAL = np.array([0.3, 0.03, 0.1, 0.05])


def test_strength_is_how_likely_it_fits_if_that_was_as_likely_as_not():
    chances = np.array([[0.3, 0.30, 0.9, 0.0], [0.3, 0.30, 0.9, 0.1]])
    rock, hip_hop, eighties = sorted(
        heard_tags(chances, NAMES, TYPICAL), key=lambda tag: (tag.kind != "genre", tag.strength)
    )
    assert (rock.name, rock.kind, rock.chance) == ("rock", "genre", 0.3)
    assert rock.strength == 0.5
    assert (hip_hop.name, eighties.name, eighties.kind) == ("hip-hop", "80s", "era")
    odds = (0.3 / 0.7) / (0.03 / 0.97)
    np.testing.assert_allclose(hip_hop.strength, odds / (1 + odds))
    np.testing.assert_allclose(eighties.chance, 0.05)


def test_only_what_stands_out_is_kept():
    shown = {
        t.name for t in heard_tags(np.array([[0.3, 0.3, 0.9, 0.04]]), NAMES, TYPICAL) if t.is_kept
    }
    assert shown == {"hip-hop"}  # rock is no more than usual, 80s too unlikely
    assert KEPT_CHANCE > 0.04


def test_the_likeliest_come_first():
    tags = heard_tags(np.array([[0.1, 0.2, 0.9, 0.3]]), NAMES, TYPICAL)
    assert [tag.name for tag in tags] == ["80s", "hip-hop", "rock"]


def test_the_command_says_what_is_heard_in_a_file(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(16_000 * 6).astype(np.float32)
    path = write_wav(tmp_path / "noise.wav", 0.1 * noise, 16_000)
    result = CliRunner().invoke(app, ["tags", str(path), "--all", "--json"])
    assert result.exit_code == 0, result.output
    tags = json.loads(result.stdout)
    assert {tag["name"] for tag in tags} == set(shown_names())
    assert tags == sorted(tags, key=lambda tag: -tag["chance"])
    silent = write_wav(tmp_path / "silent.wav", 0 * noise, 16_000)
    result = CliRunner().invoke(app, ["tags", str(silent)])
    assert result.stdout == "Nothing stands out.\n"
    assert CliRunner().invoke(app, ["tags", str(tmp_path / "none.wav")]).exit_code != 0


def test_the_networks_tags_of_gender_are_the_only_ones_left_out():
    model = load("musicnn")
    typical = model.typical_chances()
    names = [tag.name for tag in heard_tags(typical[None], model.tag_names, typical)]
    assert sorted(names) == sorted(shown_names())
    gone = {"female vocalists", "female vocalist", "male vocalists"}
    assert len(names) == len(model.tag_names) - len(gone)
    assert gone < set(model.tag_names)
    assert not gone & set(names)
