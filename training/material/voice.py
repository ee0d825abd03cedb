"""What is taken from a spoken voice: WORLD's parameters, and where its syllables are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyworld
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import find_peaks

from engine.listening import portrait
from engine.models.segments import SAMPLE_RATE_HZ
from training.errors import DataError

FRAME_S = 0.005
_LOUDNESS_BAND_HZ = (250.0, 3500.0)
_MIN_SYLLABLES = 5
_MIN_CORE = 7  # frames of a vowel that can be stretched
_MAX_ONSET, _MAX_CODA = 36, 24  # frames of consonants before and after a vowel


@dataclass(frozen=True)
class Syllable:
    """Frames of one syllable: consonants, a voiced core that may be stretched, consonants."""

    start: int
    core_start: int
    core_end: int
    end: int


@dataclass(frozen=True)
class Voice:
    """A spoken voice, ready to sing.

    Attributes:
        log_envelope: (n, bins) float32, log power of WORLD's spectral envelope, every 5 ms.
        aperiodicity: (n, bins) float32, 0 to 1.
        is_voiced: (n,) bool.
        level_db: (n,) loudness in the band of the first formants.
        syllables: in the order they were spoken.
        median_midi: of the speaking pitch.
    """

    log_envelope: np.ndarray
    aperiodicity: np.ndarray
    is_voiced: np.ndarray
    level_db: np.ndarray
    syllables: tuple[Syllable, ...]
    median_midi: float


def analyse(speech: np.ndarray) -> Voice:
    """Speech (n,) at 16 kHz -> its parameters (Morise et al. 2016, WORLD).

    Raises:
        DataError: too few vowels to sing with.
    """
    samples = speech.astype(np.float64)
    times_s = np.arange(round(len(samples) / SAMPLE_RATE_HZ / FRAME_S) + 1) * FRAME_S
    coarse_hz = pitch_at(samples, times_s)
    f0_hz = pyworld.stonemask(samples, coarse_hz, times_s, SAMPLE_RATE_HZ)
    envelope = pyworld.cheaptrick(samples, f0_hz, times_s, SAMPLE_RATE_HZ)
    aperiodicity = pyworld.d4c(samples, f0_hz, times_s, SAMPLE_RATE_HZ)
    level_db = _level_db(envelope)
    is_voiced = (f0_hz > 0) & (aperiodicity[:, 5] < 0.9)  # D4C has a judgement of its own
    syllables = _syllables(level_db, is_voiced)
    if len(syllables) < _MIN_SYLLABLES:
        raise DataError(
            f"Only {len(syllables)} vowels were found; singing needs {_MIN_SYLLABLES}. "
            "Give a longer recording of one person's speech."
        )
    return Voice(
        log_envelope=np.log(envelope + 1e-16).astype(np.float32),
        aperiodicity=aperiodicity.astype(np.float32),
        is_voiced=is_voiced,
        level_db=level_db,
        syllables=tuple(syllables),
        median_midi=float(np.median(midi_of(f0_hz[is_voiced]))),
    )


def pitch_at(samples: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """(n,) at 16 kHz -> Hz at these times, 0 where unvoiced.

    By the tracker of portraits: on noisy readings WORLD's DIO misses up to two thirds of the voiced
    frames.
    """
    midi = portrait.track_pitch(samples.astype(np.float32))
    frames = np.minimum((times_s / portrait.FRAME_S).round().astype(int), len(midi) - 1)
    return np.nan_to_num(hz_of(midi[frames]))


def midi_of(f0_hz: np.ndarray) -> np.ndarray:
    return 69.0 + 12.0 * np.log2(f0_hz / 440.0)


def hz_of(midi: np.ndarray) -> np.ndarray:
    return 440.0 * 2.0 ** ((midi - 69.0) / 12.0)


def _level_db(envelope: np.ndarray) -> np.ndarray:
    low, high = (
        round(hz / SAMPLE_RATE_HZ * 2 * (envelope.shape[1] - 1)) for hz in _LOUDNESS_BAND_HZ
    )
    return np.asarray(10 * np.log10(envelope[:, low:high].mean(axis=1) + 1e-14))


def _syllables(level_db: np.ndarray, is_voiced: np.ndarray) -> list[Syllable]:
    """Peaks of loudness in voiced frames, each with what lies between it and its neighbours."""
    if not is_voiced.any():
        return []
    smooth = gaussian_filter1d(level_db, 3.0)
    floor_db = float(np.median(smooth[is_voiced])) - 12.0
    peaks, _ = find_peaks(smooth, height=floor_db, distance=18, prominence=1.5)
    steady = uniform_filter1d(is_voiced.astype(float), 5) > 0.9
    peaks = [int(peak) for peak in peaks if steady[peak]]
    valleys = [
        before + int(np.argmin(smooth[before:after]))
        for before, after in zip([0, *peaks], [*peaks, len(smooth) - 1], strict=True)
    ]
    found = []
    for peak, first, last in zip(peaks, valleys, valleys[1:], strict=False):
        is_core = is_voiced[first : last + 1] & (smooth[first : last + 1] > smooth[peak] - 5.0)
        outside = np.flatnonzero(~is_core) + first
        core_start = max([frame + 1 for frame in outside if frame < peak], default=first)
        core_end = min([frame for frame in outside if frame > peak], default=last)
        margin = (core_end - core_start) // 6  # formants still move there: leave that its pace
        core_start, core_end = core_start + margin, core_end - margin
        if core_end - core_start >= _MIN_CORE:
            start = max(first, core_start - _MAX_ONSET)
            found.append(Syllable(start, core_start, core_end, min(last, core_end + _MAX_CODA)))
    return found
