from __future__ import annotations

import pytest

from training.config import StageSettings, SystemConfig, config_from, load_system, system_names
from training.errors import ConfigError

PAPER = ("cola", "cola-art", "mscol", "cvsm-a", "cvsm-ah", "cvsm-af", "cvsm-art")


def test_every_system_of_the_table_is_there() -> None:
    assert set(system_names()) >= {*PAPER, "singalike"}
    for name in system_names():
        assert load_system(name).name == name


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_systems_have_the_papers_values(name: str) -> None:
    config = load_system(name)
    assert config.optim.num_pairs == 128
    assert config.optim.learning_rate == 1e-3
    assert config.optim.num_batches * 128 == 65_536_000  # 8,000 steps of 64 batches of 128
    assert config.optim.batches_between_validations == 6400  # ten times rarer than there
    assert config.optim.halve_after == 1000 * 64
    assert config.loss.head == "bilinear"
    assert not config.loss.symmetric
    assert config.encoder.excerpt_samples == 16_000
    assert config.encoder.pooling == "max"


def test_the_rows_of_the_table() -> None:
    def row(name: str) -> tuple[str, str, str, float]:
        pairs = load_system(name).pairs
        return pairs.anchor, pairs.positive, pairs.same, pairs.artificial

    assert row("cola") == ("mixture", "mixture", "segment", 0.0)
    assert row("cola-art") == ("mixture", "mixture", "artist", 0.0)
    assert row("mscol") == ("mixture", "vocals", "segment", 0.0)
    assert row("cvsm-a") == ("mixture", "vocals", "segment", 1.0)
    assert row("cvsm-ah") == ("mixture", "vocals", "segment", 0.5)
    assert row("cvsm-af") == ("mixture", "vocals", "segment", 1.0)
    assert row("cvsm-art") == ("mixture", "vocals", "artist", 0.0)
    (stage,) = load_system("cvsm-af").stages
    assert (stage.starts_at, stage.artificial, stage.learning_rate) == (0.75, 0.0, 5e-4)


def test_a_config_survives_being_written_as_json() -> None:
    for name in system_names():
        config = load_system(name)
        assert config_from(config.as_dict()) == config


def test_overrides() -> None:
    config = load_system("cola", ["optim.num_pairs=32", "pairs.same=artist", "seed=7"])
    assert (config.optim.num_pairs, config.pairs.same, config.seed) == (32, "artist", 7)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("optim.lr=0.1", "Unknown key"),
        ("optim.num_pairs=many", "must be int"),
        ("optim.num_pairs=1", "at least 2"),
        ("pairs.same=album", "must be one of"),
        ("pairs.mix_weight=[0.1]", "must have 2 values"),
        ("pairs.mix_weight=0.1", "must be a list"),
        ("optim=3", "must be a table"),
        ("optim.num_pairs", "section.key=value"),
        ("loss.symmetric=1", "must be bool"),
        ("stages.0.starts_at=0.5", "stages has no settings of its own"),
        ("seed.x=1", "seed has no settings of its own"),
    ],
)
def test_bad_settings_are_refused_in_words(override: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_system("cvsm-af", ["seed=0", override])


def test_validations_are_in_proportion_to_the_run_unless_they_are_set() -> None:
    for settings, expected in (
        (["optim.num_batches=20_000"], 250),
        (["optim.num_batches=50"], 100),
        (["optim.validate_every=7"], 7),
    ):
        assert load_system("cola", settings).optim.batches_between_validations == expected


def test_stages_are_set_as_a_whole() -> None:
    text = "stages=[{starts_at=0.5, artificial=0.0, learning_rate=1e-4}]"
    assert load_system("cvsm-af", [text]).stages == (StageSettings(0.5, 0.0, 1e-4),)


def test_unknown_system_and_incomplete_config() -> None:
    with pytest.raises(ConfigError, match="cvsm-ah"):
        load_system("cvsm")
    with pytest.raises(ConfigError, match="It lacks: title"):
        config_from({"name": "x"})
    assert SystemConfig("a", "b").pairs.anchor == "mixture"
