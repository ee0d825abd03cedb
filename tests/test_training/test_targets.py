"""What a teacher hears in songs, as targets; in a space, or as networks give it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support.training_data import write_dataset

from engine.models import load
from training.config import AugmentSettings, DistilSettings, load_system
from training.data.data_set import Dataset
from training.errors import ConfigError, DataError
from training.targets import Space, make_space, save_targets, teacher_network, teacher_targets
from training.trainer import RunOptions, Trainer

CPU = torch.device("cpu")
NO_SPEEDS = AugmentSettings()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six artists with two songs each; the first four train."""
    return write_dataset(tmp_path_factory.mktemp("data"))


def test_songs_have_targets_of_their_own_and_validation_has_none(dataset: Dataset) -> None:
    targets = teacher_targets(dataset, "ge2e", NO_SPEEDS, CPU).numpy()
    assert targets.shape == (12, 1, 256)
    np.testing.assert_allclose(np.linalg.norm(targets[:8, 0], axis=1), 1, atol=1e-5)
    assert not targets[8:].any()
    assert np.abs(targets[0] - targets[1]).max() > 1e-3


def test_a_teacher_of_whole_segments_hears_faster_voices_as_long_as_they_are(
    tmp_path: Path,
) -> None:
    dataset = write_dataset(tmp_path, 3, 1)
    targets = teacher_targets(dataset, "campp", AugmentSettings(voice_steps=1), CPU)
    assert targets.shape == (3, 3, 192)
    torch.testing.assert_close(targets[:2].norm(dim=-1), torch.ones(2, 3))


def test_torn_targets_are_made_again(dataset: Dataset) -> None:
    expected = teacher_targets(dataset, "ge2e", NO_SPEEDS, CPU)
    (path,) = dataset.path.glob("targets-*.npy")
    path.write_bytes(path.read_bytes()[:200])
    torch.testing.assert_close(teacher_targets(dataset, "ge2e", NO_SPEEDS, CPU), expected)
    path.write_bytes(b"")
    torch.testing.assert_close(teacher_targets(dataset, "ge2e", NO_SPEEDS, CPU), expected)
    assert [found.name for found in dataset.path.glob("*targets*")] == [path.name]


def test_targets_that_cannot_be_kept_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be kept"):
        save_targets(tmp_path / "gone" / "targets.npy", np.zeros(3))


def test_a_space_is_that_in_which_the_model_compares_vocals(dataset: Dataset) -> None:
    space = Space("singalike-2")
    embeddings = torch.randn(3, 256)
    expected = load("singalike-2").geometry("vocals").place(embeddings.numpy())
    np.testing.assert_allclose(space(embeddings).numpy(), expected, atol=1e-4)
    assert not list(space.parameters())
    assert not space.state_dict()
    plain = teacher_targets(dataset, "ge2e", NO_SPEEDS, CPU)
    placed = teacher_targets(dataset, "ge2e", NO_SPEEDS, CPU, space=space)[:8]
    assert (plain[:8] - placed).abs().max() > 1e-3
    torch.testing.assert_close(placed.norm(dim=-1), torch.ones(8, 1))


def test_a_space_of_other_size_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="256 numbers, but the network that is trained has 1280"):
        make_space(DistilSettings(teacher="ge2e", space="singalike-2"), 1280)
    assert make_space(DistilSettings(space="singalike-2"), 1280) is None  # without a teacher unused


def test_losses_compare_in_the_space(dataset: Dataset) -> None:
    overrides = ["distil.space=singalike-2", "distil.match=1"]
    overrides += ["optim.num_pairs=4", "augment.voice_steps=0"]
    config = load_system("singalike-dvector", overrides)
    trainer = Trainer(config, dataset, RunOptions("cpu"))
    assert not list(trainer.target_map.parameters())
    clean = torch.randn(4, trainer.excerpt_samples) / 280
    network, _ = teacher_network("dvector", CPU)
    with torch.no_grad():
        heard = network(clean)
        moved = heard + trainer.space.centre  # type: ignore[operator]
        inside = trainer._denoise(moved, clean)
    expected = torch.cosine_similarity(trainer.space(moved), trainer.space(heard)).mean()
    torch.testing.assert_close(inside, 1 - expected)
    assert abs(float(inside) - float(1 - torch.cosine_similarity(moved, heard).mean())) > 1e-3
    parts = trainer.step()
    assert np.isfinite([float(parts["match"]), float(parts["denoise"])]).all()


@pytest.mark.parametrize("override", ["optim.average=2", "distil.space=3", "distil.spaces=x"])
def test_impossible_settings_are_named(override: str) -> None:
    with pytest.raises(ConfigError, match=override.partition("=")[0].partition(".")[2]):
        load_system("singalike", [override])


def test_a_missing_teacher_is_named(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="nowhere"):
        teacher_targets(dataset, str(tmp_path / "nowhere"), NO_SPEEDS, CPU)
