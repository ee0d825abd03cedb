"""LSTMs in 8-bit integers end up where those in floats do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import models
from engine.networks.dvector import DVector
from engine.networks.int8_lstm import Int8Lstm


@pytest.fixture(scope="module")
def lstm():
    torch.manual_seed(0)
    return torch.nn.LSTM(8, 32, num_layers=3, batch_first=True).requires_grad_(False)


def test_the_last_hidden_state_is_that_of_torch(lstm):
    x = 3 * torch.randn(5, 20, 8)
    expected = lstm(x)[1][0][-1]
    assert expected.std() > 0.05
    torch.testing.assert_close(Int8Lstm(lstm).last_hidden(x), expected, rtol=0, atol=0.01)
    torch.testing.assert_close(lstm(x)[1][0][-1], expected)  # its weights are as they were


def test_threads_do_not_hear_each_other(lstm):
    ours = Int8Lstm(lstm)
    inputs = [torch.randn(7, 200, 8) for _ in range(4)]
    alone = [ours.last_hidden(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for found, expected in zip(pool.map(ours.last_hidden, inputs), alone, strict=True):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_an_embedding_does_not_depend_on_its_batch(lstm):
    ours, x = Int8Lstm(lstm), torch.randn(9, 20, 8)
    torch.testing.assert_close(
        ours.last_hidden(x)[3:4], ours.last_hidden(x[3:4]), rtol=0, atol=1e-5
    )


def test_the_default_model_keeps_its_embeddings():
    network = models.load(models.default_model_name("vocals"))._network
    assert isinstance(network, DVector)
    rng = np.random.default_rng(0)
    pitch_hz = 180 * np.exp(0.1 * np.cumsum(rng.standard_normal((4, 80_000)), axis=1) / 100)
    buzz = np.sign(np.sin(np.cumsum(2 * np.pi * pitch_hz / 16_000, axis=1)))
    segments = (buzz + 0.1 * rng.standard_normal(buzz.shape)).astype(np.float32)
    excerpts = torch.from_numpy(models.cut_excerpts(segments, 13_152))
    with torch.inference_mode():
        network._int8_lstm = None
        expected = network(excerpts).reshape(4, 6, -1).mean(1)
        network._int8_lstm = Int8Lstm(network.lstm)
        found = network(excerpts).reshape(4, 6, -1).mean(1)
    assert F.cosine_similarity(found, expected).min() > 0.999
