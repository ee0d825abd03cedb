"""The pitch of speech: normalised autocorrelation (Boersma 1993), the best path through it.

On noisy readings WORLD's DIO misses up to two thirds of the voiced frames, and Harvest takes
ten times as long as this.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfilt
from scipy.signal.windows import hann

from engine.models import SAMPLE_RATE_HZ
from engine.sound.resampling import resample

_RATE_HZ = SAMPLE_RATE_HZ // 2
_FRAME = 400  # samples: 50 ms, more than three periods of the lowest pitch
_OVERSAMPLING = 4
_GRID_HZ = 65.0 * 2.0 ** (np.arange(68) / 24)  # quarter tones up to 450 Hz
_UNVOICED_SCORE = 0.5
_OCTAVE_COST = 0.03  # a period fits twice as well as once: prefer the shorter
_JUMP_COST = 0.06  # per quarter tone within 5 ms
_ONSET_COST = 0.25


def track_pitch(samples: np.ndarray, frame_s: float) -> np.ndarray:
    """(n,) at 16 kHz -> Hz every ``frame_s``, 0 where unvoiced, to a quarter tone."""
    hum = butter(4, 110.0, "highpass", fs=_RATE_HZ, output="sos")  # the mains; no voice's period
    low = sosfilt(hum, resample(samples, SAMPLE_RATE_HZ, _RATE_HZ))
    num_frames = int(len(samples) / SAMPLE_RATE_HZ / frame_s) + 1
    centres = (np.arange(num_frames) * frame_s * _RATE_HZ).astype(int)
    padded = np.pad(low, _FRAME // 2 + 1)
    frames = padded[centres[:, None] + np.arange(_FRAME)]
    frames = frames - frames.mean(axis=1, keepdims=True)
    return _best_path(_periodicity(frames))


def _periodicity(frames: np.ndarray) -> np.ndarray:
    """(n, 400) -> (n, 68) autocorrelation at the period of each pitch, 1 = periodic."""
    window = hann(_FRAME, sym=False)
    size = 1024

    def correlation(signal: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(signal, size)) ** 2
        return np.fft.irfft(power, size * _OVERSAMPLING)

    lags = np.round(_OVERSAMPLING * _RATE_HZ / _GRID_HZ).astype(int)
    r, r_window = correlation(frames * window), correlation(window)
    energy = np.maximum(r[:, :1], 3e-3 * r[:, 0].max() + 1e-12)  # silence is not periodic
    return np.asarray(r[:, lags] / energy / (r_window[lags] / r_window[0]))


def _best_path(periodicity: np.ndarray) -> np.ndarray:
    """Viterbi's algorithm; the last state is unvoiced."""
    num_frames, num_pitches = periodicity.shape
    octaves = np.arange(num_pitches) / 24
    score = np.column_stack(
        [periodicity + _OCTAVE_COST * octaves, np.full(num_frames, _UNVOICED_SCORE)]
    )
    cost = np.full((num_pitches + 1, num_pitches + 1), _ONSET_COST)
    steps = np.arange(num_pitches)
    cost[:-1, :-1] = _JUMP_COST * np.abs(steps[:, None] - steps)
    cost[-1, -1] = 0.0
    best = score[0]
    origin = np.zeros(score.shape, dtype=np.int16)
    for frame in range(1, num_frames):
        arriving = best[:, None] - cost
        origin[frame] = arriving.argmax(axis=0)
        best = arriving.max(axis=0) + score[frame]
    state = int(best.argmax())
    path = np.empty(num_frames, dtype=int)
    for frame in range(num_frames - 1, -1, -1):
        path[frame] = state
        state = origin[frame, state]
    return np.append(_GRID_HZ, 0.0)[path]
