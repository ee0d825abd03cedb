"""The soak in small: a few rounds, with a separator and a model that cost nothing."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from faults.soak import Soak
from support.libraries import ToyModel, WholeMixture

from engine.indexing.pipeline import IndexOptions

NUM_ROUNDS = 2


@pytest.fixture
def soak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Soak:
    monkeypatch.setattr("engine.models.load", lambda name: ToyModel())
    monkeypatch.setattr("engine.separation.load", lambda name: WholeMixture())
    options = IndexOptions(models={"vocals": "toy", "overall": "toy"}, num_workers=1)
    return Soak(tmp_path, random.Random(0), options, num_songs=11)


def test_a_few_rounds_end_as_a_new_library_begins(soak: Soak) -> None:
    soak.run(lambda: soak.done["rounds"] == NUM_ROUNDS)
    soak.check_end()
    assert soak.done["answers equal to exact search"] > 20
    assert soak.done["songs heard"] >= 11
    assert len(soak.memory_bytes) == NUM_ROUNDS


def test_an_answer_that_is_not_exact_is_noticed(
    soak: Soak, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
        return vectors + np.float32(0.1)

    monkeypatch.setattr("engine.search.source.placed", shifted)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        soak.run(lambda: soak.done["rounds"] == 1)
