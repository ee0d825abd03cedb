"""What a teacher hears in songs, as targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support.training_data import write_dataset

from training.config import AugmentSettings, config_from, load_system
from training.data.data_set import Dataset
from training.errors import ConfigError, DataError
from training.targets import save_targets, teacher_targets

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


def test_settings_that_were_taken_out_are_accepted_where_they_changed_nothing() -> None:
    config = load_system("singalike")
    values = config.as_dict()
    values["distil"] |= {"target": "song", "space": ""}
    values["optim"] |= {"average": 0.0}
    assert config_from(values) == config
    with pytest.raises(ConfigError, match="Unknown key"):
        load_system("singalike", ["optim.average=0.5"])


def test_a_missing_teacher_is_named(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="nowhere"):
        teacher_targets(dataset, str(tmp_path / "nowhere"), NO_SPEEDS, CPU)
