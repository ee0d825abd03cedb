"""The log-mel front end against a slow reference written straight from the paper's constants."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.seeded import seeded_audio

from engine.networks.cvsm.log_mel import LogMel, LogMelConfig, mel_filterbank


def slow_filterbank() -> np.ndarray:
    """64 triangles on the HTK scale from 60 to 7800 Hz, bin by bin."""

    def mel(hz: float) -> float:
        return 1127.0 * math.log(1.0 + hz / 700.0)

    low, high = mel(60.0), mel(7800.0)
    edges = [low + (high - low) * i / 65 for i in range(66)]
    weights = np.zeros((513, 64))
    for k in range(1, 513):  # the DC bin stays zero
        position = mel(k * 8000.0 / 512)
        for band in range(64):
            left, centre, right = edges[band : band + 3]
            if left < position <= centre:
                weights[k, band] = (position - left) / (centre - left)
            elif centre < position < right:
                weights[k, band] = (right - position) / (right - centre)
    return weights


def slow_log_mel(waveform: np.ndarray) -> np.ndarray:
    """(num_samples,) -> (num_frames, 64), frame by frame, by the definition of the DFT."""
    window = [0.5 - 0.5 * math.cos(2 * math.pi * n / 400) for n in range(400)]  # periodic
    dft = np.exp(-2j * np.pi * np.outer(np.arange(513), np.arange(400)) / 1024)
    frames = []
    for start in range(0, len(waveform) - 400 + 1, 160):
        magnitude = np.abs(dft @ (waveform[start : start + 400] * window))
        frames.append(np.log(np.clip(magnitude @ slow_filterbank(), 1e-5, 1e8)))
    return np.array(frames)


def test_filterbank_is_the_slow_one() -> None:
    np.testing.assert_allclose(mel_filterbank(LogMelConfig()), slow_filterbank(), atol=1e-12)


@pytest.mark.parametrize("num_samples", [400, 559, 560, 1600])
def test_log_mel_is_the_slow_one(num_samples: int) -> None:
    waveform = seeded_audio("frontend", (num_samples,)) / np.float32(300)
    expected = slow_log_mel(waveform.astype(np.float64))
    ours = LogMel()(torch.from_numpy(waveform)[None])[0, 0]
    assert ours.shape == expected.shape
    np.testing.assert_allclose(ours.numpy(), expected, atol=2e-4)


def test_one_second_gives_98_frames() -> None:
    assert LogMel()(torch.zeros(3, 16_000)).shape == (3, 1, 98, 64)


def test_silence_is_the_floor_and_not_minus_infinity() -> None:
    assert LogMel()(torch.zeros(1, 400)).unique().tolist() == [pytest.approx(math.log(1e-5))]


def test_a_tone_lights_its_own_band() -> None:
    time_s = np.arange(16_000) / 16_000
    tone = torch.from_numpy(np.sin(2 * np.pi * 1000 * time_s).astype(np.float32))
    brightest = LogMel()(tone[None])[0, 0].mean(0).argmax()
    assert brightest == mel_filterbank(LogMelConfig())[64].argmax()  # bin 64 is 1000 Hz


def test_its_constants_are_no_part_of_the_weights() -> None:
    assert LogMel().state_dict() == {}
