"""A song's stems, mixed as a record is: a levelled voice, a little room, head room at the top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import oaconvolve

from engine.demo.backing import accompany
from engine.demo.instruments import RATE_HZ, filtered
from engine.demo.singing import sing
from engine.demo.songs import Song, score

Audio = NDArray[np.float32]

SAMPLE_RATE_HZ = RATE_HZ
_VOICE_GAIN = 1.9
_PEAK = 0.89  # -1 dB of full scale


@dataclass(frozen=True)
class Stems:
    """Both (2, n) float32 at 44.1 kHz; the song is exactly their sum."""

    vocals: Audio
    accompaniment: Audio

    @property
    def mixture(self) -> Audio:
        return self.vocals + self.accompaniment


def stems(song: Song) -> Stems:
    """Compose, sing, play and mix; the same song gives the same samples on every run."""
    music = score(song)
    backing = accompany(song, music)
    rng = np.random.default_rng([song.seed, 4])
    voice = sing(song.voice, music.phrases, backing.shape[1], SAMPLE_RATE_HZ, rng)
    voice = _levelled(filtered(voice, "highpass", 75.0))
    room = np.random.default_rng([song.seed, 6])
    length_s = float(room.uniform(0.5, 1.1))  # the room belongs to the song, not to the singer
    wet = float(room.uniform(0.10, 0.20))
    vocals = np.stack([voice, voice]) * np.float32(_VOICE_GAIN / np.sqrt(2))
    vocals += wet * _reverb(voice, length_s, room)
    backing += 0.5 * wet * _reverb(backing.mean(axis=0), length_s, room)
    gain = np.float32(_PEAK / np.abs(vocals + backing).max())
    return Stems(vocals * gain, backing * gain)


def _levelled(voice: Audio) -> Audio:
    """A gentle compressor, as on every vocal track: half of the long-term level differences."""
    level = np.sqrt(uniform_filter1d(np.square(voice), int(0.15 * SAMPLE_RATE_HZ)) + 1e-5)
    return np.asarray(voice * (0.1 / np.maximum(level, 0.03)) ** 0.5, dtype=np.float32)


def _reverb(mono: Audio, length_s: float, rng: np.random.Generator) -> Audio:
    """Two different tails of decaying noise, darker than the sound itself; (2, n)."""
    size = int(length_s * SAMPLE_RATE_HZ)
    t = np.arange(size) / size
    delay = int(0.018 * SAMPLE_RATE_HZ)
    tails = []
    for _ in range(2):
        tail = rng.standard_normal(size, dtype=np.float32) * np.exp(-6.9 * t).astype(np.float32)
        tail[:delay] = 0.0
        tail = filtered(tail, "bandpass", (250.0, 5000.0), 1)
        tails.append(tail / np.sqrt(np.sum(tail**2)))
    return np.stack([oaconvolve(mono, tail)[: mono.size] for tail in tails]).astype(np.float32)
