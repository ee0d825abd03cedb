"""What a teacher hears in songs, as targets of songs or of singers, in a space or as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support.training_data import write_dataset

from engine.models import load
from training.config import AugmentSettings, DistilSettings, load_system
from training.data.data_set import Dataset
from training.errors import ConfigError
from training.targets import Space, make_space, teacher_network, teacher_targets
from training.trainer import RunOptions, Trainer

CPU = torch.device("cpu")
NO_SPEEDS = AugmentSettings()
GE2E = DistilSettings(teacher="ge2e", match=1.0)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six artists with two songs each; the first four train."""
    return write_dataset(tmp_path_factory.mktemp("data"))


def test_songs_have_targets_of_their_own_and_validation_has_none(dataset: Dataset) -> None:
    targets = teacher_targets(dataset, GE2E, NO_SPEEDS, CPU).numpy()
    assert targets.shape == (12, 1, 256)
    np.testing.assert_allclose(np.linalg.norm(targets[:8, 0], axis=1), 1, atol=1e-5)
    assert not targets[8:].any()
    assert np.abs(targets[0] - targets[1]).max() > 1e-3


def test_songs_of_a_singer_share_the_target_of_the_singer(dataset: Dataset) -> None:
    settings = DistilSettings(teacher="ge2e", target="singer")
    targets = teacher_targets(dataset, settings, NO_SPEEDS, CPU).numpy()[:8, 0]
    np.testing.assert_array_equal(targets[::2], targets[1::2])
    assert len(np.unique(targets.round(5), axis=0)) == 4


def test_a_space_is_that_in_which_the_model_compares_vocals(dataset: Dataset) -> None:
    space = Space("singalike-2")
    embeddings = torch.randn(3, 256)
    expected = load("singalike-2").geometry("vocals").place(embeddings.numpy())
    np.testing.assert_allclose(space(embeddings).numpy(), expected, atol=1e-4)
    assert not list(space.parameters())
    assert not space.state_dict()
    plain = teacher_targets(dataset, GE2E, NO_SPEEDS, CPU)
    placed = teacher_targets(dataset, GE2E, NO_SPEEDS, CPU, space=space)[:8]
    assert (plain[:8] - placed).abs().max() > 1e-3
    torch.testing.assert_close(placed.norm(dim=-1), torch.ones(8, 1))


def test_a_space_of_other_size_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="256 numbers, but the network that is trained has 1280"):
        make_space(DistilSettings(teacher="ge2e", space="singalike-2"), 1280)
    assert make_space(DistilSettings(space="singalike-2"), 1280) is None  # without a teacher unused


def test_losses_compare_in_the_space(dataset: Dataset) -> None:
    overrides = ["distil.space=singalike-2", "distil.target=singer", "distil.match=1"]
    overrides += ["optim.num_pairs=4", "augment.voice_steps=0"]
    config = load_system("singalike-ge2e", overrides)
    trainer = Trainer(config, dataset, RunOptions("cpu"))
    assert not list(trainer.target_map.parameters())
    clean = torch.randn(4, trainer.excerpt_samples) / 280
    network, _ = teacher_network("ge2e", CPU)
    with torch.no_grad():
        heard = network(clean)
        moved = heard + trainer.space.centre  # type: ignore[operator]
        inside = trainer._denoise(moved, clean)
    expected = torch.cosine_similarity(trainer.space(moved), trainer.space(heard)).mean()
    torch.testing.assert_close(inside, 1 - expected)
    assert abs(float(inside) - float(1 - torch.cosine_similarity(moved, heard).mean())) > 1e-3
    parts = trainer.step()
    assert np.isfinite([float(parts["match"]), float(parts["denoise"])]).all()


@pytest.mark.parametrize(
    "override", ["distil.target=band", "optim.average=2", "distil.space=3", "distil.spaces=x"]
)
def test_impossible_settings_are_named(override: str) -> None:
    with pytest.raises(ConfigError, match=override.partition("=")[0].partition(".")[2]):
        load_system("singalike", [override])


def test_a_missing_teacher_is_named(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="nowhere"):
        teacher_targets(dataset, DistilSettings(teacher=str(tmp_path / "nowhere")), NO_SPEEDS, CPU)
