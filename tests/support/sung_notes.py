"""Held notes whose range, vibrato, breath, roughness and brightness are known."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

SAMPLE_RATE_HZ = 16_000
SEGMENT_SAMPLES = 5 * SAMPLE_RATE_HZ


def sung(
    note: float,
    *,
    vibrato_hz: float = 5.5,
    vibrato_cents: float = 0.0,
    noise: float = 0.0,
    subharmonic: float = 0.0,
    tilt: float = 1.0,
) -> np.ndarray:
    """(SEGMENT_SAMPLES,) float32: twelve harmonics of a note in semitones, as MIDI counts them."""
    times = np.arange(SEGMENT_SAMPLES) / SAMPLE_RATE_HZ
    bend = vibrato_cents / 1200 * np.sin(2 * np.pi * vibrato_hz * times)
    phase = np.cumsum(2 * np.pi * 440 * 2 ** ((note - 69) / 12 + bend)) / SAMPLE_RATE_HZ
    sound = noise * np.random.default_rng(0).standard_normal(SEGMENT_SAMPLES)
    for number in range(1, 13):
        sound += np.sin(number * phase) / number**tilt
        if subharmonic:
            sound += subharmonic * np.sin((number - 0.5) * phase) / number
    return np.asarray(0.1 * sound, np.float32)


def write_voice(path: Path, *notes: float) -> Path:
    """A mono file in which each note is held for 5 s."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.concatenate([sung(note) for note in notes])
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes((32767 * samples).astype("<i2").tobytes())
    return path
