"""Whether anybody sings: a direction, a bias, and the mean over a song."""

import numpy as np
import pytest
import torch

from engine.models.singing import BIAS, WEIGHT, read_singing


def test_the_mean_over_a_song_decides() -> None:
    tensors = {WEIGHT: torch.tensor([1.0, -1.0]), BIAS: torch.tensor([0.5])}
    detector = read_singing(tensors, 2)
    assert detector is not None
    verse, solo = [1.0, 0.0], [0.0, 2.0]
    assert detector.is_sung(np.array([verse, verse, solo]))
    assert not detector.is_sung(np.array([verse, solo, solo]))


def test_checkpoints_need_none_but_none_that_does_not_fit() -> None:
    assert read_singing({}, 2) is None
    tensors = {WEIGHT: torch.zeros(3), BIAS: torch.zeros(1)}
    with pytest.raises(KeyError):
        read_singing(tensors, 2)
