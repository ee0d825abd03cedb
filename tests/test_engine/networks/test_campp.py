"""CAM++ is the published network, and hears what Kaldi's features hold."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine import models
from engine.models import voice_model
from engine.models.checkpoint import load_tensors, read_manifest, with_prefix
from engine.models.segments import SEGMENT_SAMPLES, cut_excerpts, unit_energy
from engine.networks.campp import EMBEDDING_DIM, INPUT_GAIN, Campp
from engine.networks.kaldi import KaldiFilterbank

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "campp.npz")


def sound():
    """That of tests/golden/make_campp.py."""
    time_s = np.arange(80_000) / 16_000
    phase = 2 * np.pi * (140 * time_s + 15 * time_s**2)
    tone = sum(np.sin(k * phase) / k for k in range(1, 30)) * (np.sin(9 * time_s) > -0.5)
    noise = np.random.default_rng(0).standard_normal(80_000)
    both = np.stack([tone + 0.001 * noise, tone + 0.3 * noise])
    both *= 0.06 / np.sqrt(np.mean(both**2, axis=1, keepdims=True))
    return torch.from_numpy(both.astype(np.float32))


@pytest.fixture(scope="module")
def network():
    folder = models.resources_path() / "models" / "campp"
    network = Campp().eval()
    network.load_state_dict(with_prefix(load_tensors(folder, read_manifest(folder)), "network."))
    return network


@torch.inference_mode()
def embedded(network, excerpts):
    return network(excerpts / INPUT_GAIN).numpy()


def test_features_are_those_of_kaldi():
    bands = KaldiFilterbank()(sound())[:, ::25]
    np.testing.assert_allclose(bands.numpy(), GOLDEN["bands"], atol=2e-3)
    assert np.abs(bands.numpy() - GOLDEN["bands"]).mean() < 1e-5


def test_the_network_is_the_published_one(network):
    ours = embedded(network, sound())
    np.testing.assert_allclose(ours, GOLDEN["embeddings_of_float16_weights"], atol=1e-4)


def test_weights_in_16_bits_change_next_to_nothing(network):
    ours, theirs = embedded(network, sound()), GOLDEN["embeddings"]
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosines.min() > 0.9999


def test_norms_can_become_part_of_the_layers_before(network):
    before = embedded(network, sound())
    fast = Campp()
    fast.load_state_dict(network.state_dict())
    fast.speed_up()
    np.testing.assert_allclose(embedded(fast, sound()), before, atol=1e-4)


def test_excerpts_of_any_length_are_heard(network):
    assert embedded(network, sound()[:, :48_000]).shape == (2, EMBEDDING_DIM)


def test_the_model_hears_a_segment_at_once(monkeypatch):
    monkeypatch.setattr(voice_model, "has_fast_bfloat16", lambda: False)
    model = models.load("campp")
    segments = 3.0 * sound().numpy()  # of any level
    expected = GOLDEN["embeddings_of_float16_weights"]
    np.testing.assert_allclose(model.embed_segments(segments), expected, atol=1e-3)


def test_half_of_a_segment_is_its_middle():
    segments = sound().numpy()
    half = cut_excerpts(segments, SEGMENT_SAMPLES, every=2)
    np.testing.assert_array_equal(half, unit_energy(segments)[:, 20_000:60_000])
