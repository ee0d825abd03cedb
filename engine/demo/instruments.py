"""The sounds of the backings: drums, plucked, struck and held notes, each made from nothing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

Audio = NDArray[np.float32]
RATE_HZ = 44_100
_TABLE_SIZE = 4096


def hz(midi: float) -> float:
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def _time(length_s: float) -> Audio:
    return np.arange(int(length_s * RATE_HZ), dtype=np.float32) / np.float32(RATE_HZ)


def _fade(sound: Audio, attack_s: float, release_s: float) -> Audio:
    attack = max(2, int(attack_s * RATE_HZ))
    release = max(2, min(int(release_s * RATE_HZ), sound.size - attack))
    sound[:attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    sound[-release:] *= np.linspace(1, 0, release, dtype=np.float32) ** 2
    return sound


def filtered(
    sound: Audio, kind: str, cutoff_hz: float | tuple[float, float], order: int = 2
) -> Audio:
    sections = butter(order, cutoff_hz, kind, fs=RATE_HZ, output="sos")
    return np.asarray(sosfilt(sections, sound), dtype=np.float32)


def pluck(midi: float, length_s: float, brightness: float = 0.5, decay_s: float = 1.2) -> Audio:
    """A string: partials of a pluck near the bridge, the high ones gone first."""
    f0_hz = hz(midi)
    t = _time(length_s)
    out = np.zeros_like(t)
    for k in range(1, min(24, int(9000 / f0_hz)) + 1):
        level = math.sin(math.pi * k * 0.19) / k ** (1.9 - brightness)
        partial_hz = f0_hz * k * math.sqrt(1 + 0.00012 * k * k)
        fading = (1 + 0.35 * k * (1.2 - brightness)) / decay_s
        heard = t[: int(7.0 / fading * RATE_HZ)]  # to -60 dB
        partial = np.exp(-fading * heard) * np.sin(2 * np.pi * partial_hz * heard)
        out[: heard.size] += level * partial
    return _fade(out, 0.003, 0.06)


def electric_piano(midi: float, length_s: float) -> Audio:
    """Two-operator FM, with the tine's ping at the start."""
    t = _time(length_s)
    f0_hz = hz(midi)
    ping = 0.35 * np.exp(-t / 0.12) * np.sin(2 * np.pi * 14 * f0_hz * t)
    body = np.sin(2 * np.pi * f0_hz * t + 1.1 * np.exp(-t / 0.5) * np.sin(2 * np.pi * f0_hz * t))
    return _fade(((body + 0.15 * ping) * np.exp(-t / 1.1)).astype(np.float32), 0.004, 0.08)


def held(
    midi: float, length_s: float, shape: str, cutoff_hz: float, attack_s: float, detune: float
) -> Audio:
    """A held tone: ``saw``, ``square`` or ``organ``, two voices ``detune`` semitones apart."""
    out = np.zeros(int(length_s * RATE_HZ), dtype=np.float32)
    for offset in (-0.5 * detune, 0.5 * detune) if detune else (0.0,):
        f0_hz = hz(midi + offset)
        k = np.arange(1, max(2, int(14_000 / f0_hz)))
        if shape == "organ":
            levels = np.isin(k, (1, 2, 3, 4, 6, 8)) * 0.8**k
        else:
            levels = (1.0 if shape == "saw" else k % 2) / k
        spectrum = np.zeros(_TABLE_SIZE // 2 + 1, dtype=complex)
        size = min(k.size, _TABLE_SIZE // 2 - 1)
        roll = 1.0 / np.sqrt(1 + (k * f0_hz / cutoff_hz) ** 4)  # a second-order low pass
        spectrum[1 : size + 1] = -1j * (levels * roll)[:size]
        table = np.fft.irfft(spectrum, _TABLE_SIZE).astype(np.float32) * (_TABLE_SIZE / 2)
        phase = np.arange(out.size) * (f0_hz * _TABLE_SIZE / RATE_HZ) + 700 * offset
        out += table[phase.astype(np.int64) % _TABLE_SIZE]
    return _fade(out, attack_s, 0.15)


def distorted(midis: tuple[float, ...], length_s: float, rng: np.random.Generator) -> Audio:
    """A power chord through an overdriven amplifier."""
    chord = sum((pluck(midi, length_s, 0.9, 2.5) for midi in midis), np.float32(0))
    driven = np.tanh(6.0 * np.asarray(chord, dtype=np.float32))
    driven += 0.004 * rng.standard_normal(driven.size, dtype=np.float32)
    return _fade(filtered(driven, "lowpass", 2600.0, 3), 0.004, 0.05)


def kick() -> Audio:
    t = _time(0.35)
    sweep = 2 * np.pi * np.cumsum(48 + 110 * np.exp(-t / 0.03)) / RATE_HZ
    return _fade((np.sin(sweep) * np.exp(-t / 0.11)).astype(np.float32), 0.001, 0.05)


def snare(rng: np.random.Generator, length_s: float = 0.12) -> Audio:
    t = _time(2.5 * length_s)
    rattle = filtered(rng.standard_normal(t.size, dtype=np.float32), "bandpass", (700.0, 6500.0))
    body = 0.6 * np.sin(2 * np.pi * 186 * t) * np.exp(-t / 0.05)
    return _fade((0.7 * rattle * np.exp(-t / length_s) + body).astype(np.float32), 0.001, 0.02)


def cymbal(rng: np.random.Generator, decay_s: float) -> Audio:
    t = _time(5 * decay_s)
    hiss = filtered(rng.standard_normal(t.size, dtype=np.float32), "highpass", 6500.0)
    return _fade((hiss * np.exp(-t / decay_s)).astype(np.float32), 0.001, 0.01)


def shaker(rng: np.random.Generator) -> Audio:
    t = _time(0.09)
    hiss = filtered(rng.standard_normal(t.size, dtype=np.float32), "bandpass", (4500.0, 11_000.0))
    return (hiss * np.sin(np.pi * t / t[-1]) ** 2).astype(np.float32)


def rim() -> Audio:
    t = _time(0.06)
    wood = np.sin(2 * np.pi * 1650 * t) + 0.6 * np.sin(2 * np.pi * 2300 * t)
    return _fade((wood * np.exp(-t / 0.012)).astype(np.float32), 0.001, 0.01)
