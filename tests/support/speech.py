"""Something like speech: vowels of an invented talker between bursts of noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import lfilter

RATE_HZ = 16_000
_VOWELS = ((700, 1150, 2500), (300, 2200, 2900), (450, 850, 2400), (550, 1750, 2500))


def talk(pitch_hz: float, tract: float = 1.0, num_syllables: int = 12, seed: int = 0) -> np.ndarray:
    """(n,) float32 at 16 kHz, 0.25 s a syllable; formants are multiplied by ``tract``."""
    rng = np.random.default_rng(seed)
    syllables = [
        np.concatenate([_consonant(rng), _vowel(pitch_hz, _VOWELS[number % 4], tract, rng)])
        for number in range(num_syllables)
    ]
    quiet = 1e-4 * rng.standard_normal(RATE_HZ // 4)
    return np.concatenate([quiet, *syllables, quiet]).astype(np.float32)


def write_talk(path: Path, pitch_hz: float, tract: float = 1.0, num_syllables: int = 12) -> None:
    wavfile.write(path, RATE_HZ, talk(pitch_hz, tract, num_syllables))


def _consonant(rng: np.random.Generator) -> np.ndarray:
    noise = lfilter([1.0, -0.9], [1.0], rng.standard_normal(RATE_HZ * 8 // 100))
    return 0.02 * noise * np.hanning(len(noise))


def _vowel(
    pitch_hz: float, formants: tuple[int, int, int], tract: float, rng: np.random.Generator
) -> np.ndarray:
    num_samples = RATE_HZ * 17 // 100
    falling_hz = pitch_hz * np.linspace(1.06, 0.94, num_samples) * rng.uniform(0.92, 1.08)
    phase = np.cumsum(falling_hz) / RATE_HZ
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.003 * rng.standard_normal(num_samples)
    sound = lfilter([1.0], [1.0, -0.95], pulses)
    for hz, width_hz in zip(formants, (80, 100, 150), strict=True):
        radius, angle = np.exp(-np.pi * width_hz / RATE_HZ), 2 * np.pi * hz * tract / RATE_HZ
        sound = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], sound)
    sound *= np.sin(np.pi * np.linspace(0, 1, num_samples)) ** 0.5
    return 0.25 * sound / np.abs(sound).max()
