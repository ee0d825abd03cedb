"""MusiCNN is the published network, without the filters that are zero there."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.errors import CheckpointError
from engine.models import load
from engine.models.checkpoint import load_tensors, read_manifest, with_prefix
from engine.models.segments import SEGMENT_SAMPLES
from engine.networks.musicnn import (
    EXCERPT_SAMPLES,
    INPUT_GAIN,
    NUM_FRAMES,
    Musicnn,
    loudest_rhythm,
    musicnn_config,
)
from engine.paths import resources_path

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "musicnn.npz")
FOLDER = resources_path() / "models" / "musicnn"
NUM_MIDDLE_CHANNELS = 192


def sounds():
    """Those of tests/golden/make_musicnn.py."""
    time_s = np.arange(EXCERPT_SAMPLES) / 16_000
    rng = np.random.default_rng(0)
    beat = rng.standard_normal(EXCERPT_SAMPLES) * np.exp(-30 * (time_s % 0.5))
    chord = sum(
        np.sin(2 * np.pi * k * f * time_s) / k
        for f in (110.0, 220.0, 277.2, 329.6)
        for k in range(1, 9)
    ) * np.exp(-2 * (time_s % 1.0))
    phase = 2 * np.pi * (140 * time_s + 15 * time_s**2)
    voice = sum(np.sin(k * phase) / k for k in range(1, 30)) * (np.sin(9 * time_s) > -0.5)
    both = np.stack([chord + 0.5 * beat, voice + 0.3 * rng.standard_normal(EXCERPT_SAMPLES)])
    return torch.from_numpy((0.2 * both / np.abs(both).max(1, keepdims=True)).astype(np.float32))


@pytest.fixture(scope="module")
def network():
    manifest = read_manifest(FOLDER)
    network = Musicnn(musicnn_config(manifest.config)).eval()
    network.load_state_dict(with_prefix(load_tensors(FOLDER, manifest), "network."))
    return network


@pytest.fixture(scope="module")
def heard(network):
    """(pooled, tags)."""
    with torch.inference_mode():
        pooled = network(sounds() / INPUT_GAIN)
        return pooled.numpy(), network.tags(pooled).numpy()


def test_features_are_those_of_the_package(network):
    log_mel = network.log_mel(sounds())
    assert log_mel.shape == (2, NUM_FRAMES, 96)
    np.testing.assert_allclose(log_mel[:, ::10], GOLDEN["mels"], atol=5e-4)  # theirs have 16 bits


@pytest.mark.parametrize(("num_frames", "length"), [(314, 128), (48, 17), (9, 4)])
def test_blocks_of_frames_are_filtered_as_by_a_convolution(num_frames, length):
    mels, kernel = torch.randn(2, 1, num_frames, 5), torch.randn(3, 1, length, 1)
    torch.testing.assert_close(
        loudest_rhythm(mels, kernel), F.conv2d(mels, kernel).amax(-1), rtol=1e-4, atol=1e-5
    )


def test_tags_are_those_of_the_published_graph(heard):
    """What differs is our float16 weights and their float16 features."""
    np.testing.assert_allclose(heard[1], GOLDEN["tags"], atol=3e-3)


def test_what_lies_beneath_is_that_of_the_published_graph(heard):
    ours = heard[0].reshape(2, 2, -1).swapaxes(1, 2)  # maximum and mean of each channel
    theirs = GOLDEN["pooled"]
    np.testing.assert_allclose(
        ours[:, -NUM_MIDDLE_CHANNELS:], theirs[:, -NUM_MIDDLE_CHANNELS:], rtol=5e-3, atol=0.15
    )
    changing = [
        pooled[:, :-NUM_MIDDLE_CHANNELS][:, is_changing(pooled[:, :-NUM_MIDDLE_CHANNELS])]
        for pooled in (ours, theirs)
    ]
    np.testing.assert_allclose(*changing, rtol=5e-3, atol=0.03)


def is_changing(pooled):
    """Channels whose maximum over time is not their mean: (sounds, channels, 2) -> (channels,)."""
    return (np.abs(pooled[..., 0] - pooled[..., 1]) > 1e-4).any(0)


def test_the_model_hears_both_ends_of_a_few_segments_at_any_level(heard):
    model = load("musicnn")
    assert model.tag_names[:3] == ("rock", "pop", "alternative")
    rng = np.random.default_rng(0)
    rest = rng.standard_normal((2, SEGMENT_SAMPLES - EXCERPT_SAMPLES))
    segments = np.concatenate([sounds().numpy(), 0.1 * rest], axis=1).astype(np.float32)
    segments *= INPUT_GAIN / np.linalg.norm(segments, axis=1, keepdims=True)
    embedded = model.embed_segments(segments)
    unit = torch.from_numpy(segments / INPUT_GAIN)
    with torch.inference_mode():
        ends = model._network(unit[:, :EXCERPT_SAMPLES]), model._network(unit[:, -EXCERPT_SAMPLES:])
    np.testing.assert_allclose(embedded, sum(ends).numpy() / 2, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(
        model.embed_segments(0.01 * segments), embedded, rtol=1e-3, atol=1e-2
    )
    assert model.embed_segments(segments[:0]).shape == (0, model.dim)
    np.testing.assert_allclose(model.chances(heard[0]), heard[1], atol=1e-6)
    placed = model.geometry("overall").place(embedded)
    assert 0.1 < np.median(np.abs(placed)) < 3  # deviations


def test_other_checkpoints_are_refused():
    with pytest.raises(CheckpointError, match="five numbers"):
        musicnn_config({"timbral_filters": [1], "temporal_filters": [1], "tags": []})
    with pytest.raises(CheckpointError, match="cannot run"):
        musicnn_config({"surprise": [1]})
