"""A voice as it comes from a microphone: whether anybody sings, and made fit to be compared."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from engine.errors import QueryError
from engine.listening.portrait import FRAME_S, SAMPLE_RATE_HZ, track_pitch
from engine.sound.resampling import resample

MAX_S = 10.0
MIN_VOICE_S = 1.5
# What the embedding's gate is set to is a mean magnitude of 0.01; this is 20 dB above it.
TARGET_RMS = 0.1
MAX_PEAK = 0.95
_SILENCE_PEAK = 3e-4  # below it nothing but the noise of the converter
_MARGIN_S = 0.25  # kept around the singing


def prepare_voice(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """The sung part of a recording, at a level that a model can listen to.

    Args:
        samples: (n,) float32, one microphone.

    Returns:
        (m,) float32, m <= n: from the first to the last note, at -20 dBFS, peaks below full scale.

    Raises:
        QueryError: silence, noise without a pitch, or less than 1.5 s of voice; says what to do.
    """
    if not len(samples) or float(np.abs(samples).max()) < _SILENCE_PEAK:
        raise QueryError(
            "Only silence came from the microphone. Check that it is not muted, and that the "
            "system's privacy settings let Singalike use it."
        )
    sung_frames = np.flatnonzero(~np.isnan(track_pitch(resample(samples, rate_hz, SAMPLE_RATE_HZ))))
    voice_s = len(sung_frames) * FRAME_S
    if not voice_s:
        raise QueryError(
            "No voice could be heard in the recording. Sing or hum closer to the microphone."
        )
    if voice_s < MIN_VOICE_S:
        raise QueryError(
            f"Only {voice_s:.1f} s of singing could be heard. Sing or hum for some seconds more."
        )
    start = max(0, round((sung_frames[0] * FRAME_S - _MARGIN_S) * rate_hz))
    end = round(((sung_frames[-1] + 1) * FRAME_S + _MARGIN_S) * rate_hz)
    sung = samples[start:end] - samples[start:end].mean()
    level = float(np.sqrt(np.mean(np.square(sung))))
    gain = min(TARGET_RMS / level, MAX_PEAK / float(np.abs(sung).max()))
    return np.asarray(gain * sung, np.float32)


def write_wav(path: Path, samples: np.ndarray, rate_hz: int) -> None:
    """(n,) float32 in [-1, 1] -> a mono WAV file of 16 bits. Raises QueryError."""
    whole = np.rint(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2")
    try:
        with path.open("wb") as file, wave.open(file, "wb") as out:
            out.setparams((1, 2, rate_hz, 0, "NONE", ""))
            out.writeframes(whole.tobytes())
    except OSError as error:
        raise QueryError(f"{path} cannot be written: {error.strerror or error}.") from error
