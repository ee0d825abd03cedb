"""A voice as it comes from a microphone: whether anybody sings, and made fit to be compared."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from engine.errors import QueryError

MAX_S = 10.0
MIN_VOICE_S = 1.5
# What the embedding's gate is set to is a mean magnitude of 0.01; this is 20 dB above it.
TARGET_RMS = 0.1
MAX_PEAK = 0.95
_SILENCE_PEAK = 3e-4  # below it nothing but the noise of the converter
_FRAME_S, _HOP_S = 0.064, 0.032
_LOUD = 0.1  # of the loudest frames: what is quieter is not sung
_VOICED = 0.55  # share of a frame that repeats; noise stays below 0.4, vowels and hums above 0.7
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 1000.0
_MARGIN_S = 0.25  # kept around the singing


def prepare_voice(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """The sung part of a recording, at a level that a model can listen to.

    Args:
        samples: (n,) float32, one microphone.

    Returns:
        (m,) float32, m <= n: from the first to the last frame with a pitch, its loud frames at
        -20 dBFS, peaks below full scale.

    Raises:
        QueryError: silence, noise without a pitch, or less than 1.5 s of voice; says what to do.
    """
    if not len(samples) or float(np.abs(samples).max()) < _SILENCE_PEAK:
        raise QueryError(
            "Only silence came from the microphone. Check that it is not muted, and that the "
            "system's privacy settings let Singalike use it."
        )
    is_voice, rms = voiced_frames(samples, rate_hz)
    voice_s = float(is_voice.sum()) * _HOP_S
    if not is_voice.any():
        raise QueryError(
            "No voice could be heard in the recording. Sing or hum closer to the microphone."
        )
    if voice_s < MIN_VOICE_S:
        raise QueryError(
            f"Only {voice_s:.1f} s of singing could be heard. Sing or hum for some seconds more."
        )
    hits, hop, margin = np.flatnonzero(is_voice), _HOP_S * rate_hz, _MARGIN_S * rate_hz
    start = max(0, round(hits[0] * hop - margin))
    end = min(len(samples), round(hits[-1] * hop + _FRAME_S * rate_hz + margin))
    sung = samples[start:end] - samples[start:end].mean()
    level = float(np.sqrt(np.mean(rms[is_voice] ** 2)))
    gain = min(TARGET_RMS / level, MAX_PEAK / float(np.abs(sung).max()))
    return np.asarray(gain * sung, np.float32)


def voiced_frames(samples: np.ndarray, rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """Which frames (64 ms, every 32 ms) hold a pitch and are loud: ((n,) bool, (n,) float rms).

    A frame has a pitch when it is like itself one period later, for a period of 65 to 1000 Hz:
    normalised autocorrelation, corrected for the window's own.
    """
    size, hop = round(_FRAME_S * rate_hz), round(_HOP_S * rate_hz)
    if len(samples) < size:
        return np.zeros(0, bool), np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    frames = frames - frames.mean(1, keepdims=True)
    rms = np.sqrt((frames**2).mean(1))
    lags = slice(int(rate_hz / _HIGHEST_HZ), int(rate_hz / _LOWEST_HZ) + 1)
    likeness = _autocorrelation(frames * np.hanning(size), lags.stop)
    own = _autocorrelation(np.hanning(size)[None], lags.stop)
    repeats = (likeness / own)[:, lags].max(1)
    loud = np.quantile(rms, 0.95) * _LOUD
    return (repeats > _VOICED) & (rms > max(loud, _SILENCE_PEAK)), rms


def _autocorrelation(frames: np.ndarray, num_lags: int) -> np.ndarray:
    """(n, size) -> (n, num_lags), 1 at lag 0."""
    size = 2 * frames.shape[1]
    power = np.abs(np.fft.rfft(frames, size)) ** 2
    correlation = np.fft.irfft(power)[:, :num_lags]
    return np.asarray(correlation / np.maximum(correlation[:, :1], 1e-12))


def write_wav(path: Path, samples: np.ndarray, rate_hz: int) -> None:
    """(n,) float32 in [-1, 1] -> a mono WAV file of 16 bits. Raises QueryError."""
    whole = np.rint(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2")
    try:
        with path.open("wb") as file, wave.open(file, "wb") as out:
            out.setparams((1, 2, rate_hz, 0, "NONE", ""))
            out.writeframes(whole.tobytes())
    except OSError as error:
        raise QueryError(f"{path} cannot be written: {error.strerror or error}.") from error
