"""Play an arrangement with a General MIDI soundfont, and master it for variety."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.signal import fftconvolve, lfilter

from engine.models.segments import SAMPLE_RATE_HZ
from engine.sound.resampling import resample
from training.errors import DataError
from training.material.arranging import DRUM_CHANNEL, Arrangement

SOUNDFONT_PATHS = tuple(
    Path("/usr/share/sounds/sf2") / name for name in ("FluidR3_GM.sf2", "TimGM6mb.sf2")
)
_SYNTH_RATE_HZ = 2 * SAMPLE_RATE_HZ
_LEVEL = 7  # MIDI controller


class Synth(Protocol):
    """What is needed of ``tinysoundfont.Synth``."""

    def noteon(self, chan: int, key: int, velocity: int) -> bool: ...
    def noteoff(self, chan: int, key: int) -> None: ...
    def control_change(self, chan: int, controller: int, control_value: int) -> None: ...
    def program_select(
        self, chan: int, sfid: int, bank: int, preset: int, is_drums: bool = False
    ) -> None: ...
    def generate(self, samples: int) -> memoryview: ...


def find_soundfonts(chosen: list[Path]) -> list[Path]:
    """The given files, or those of Debian's packages.

    Raises:
        DataError: missing; says what to install.
    """
    if missing := [path for path in chosen if not path.is_file()]:
        raise DataError(f"The soundfont {missing[0]} is missing. Check the path.")
    found = chosen or [path for path in SOUNDFONT_PATHS if path.is_file()]
    if not found:
        raise DataError(
            "There is no soundfont. On Debian and Ubuntu, install one with "
            "`sudo apt-get install timgm6mb-soundfont fluid-soundfont-gm`; or give a General MIDI "
            "file in .sf2 format with --soundfont."
        )
    return found


def open_synth(soundfont_path: Path) -> tuple[Synth, int]:
    """A synthesiser and the number of the soundfont in it. Raises DataError."""
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=_SYNTH_RATE_HZ)
    try:
        number = synth.sfload(str(soundfont_path))
    except Exception as error:  # the package raises this class itself
        raise DataError(
            f"{soundfont_path} cannot be read as a soundfont. Give a file in .sf2 format."
        ) from error
    return synth, number


def play(arrangement: Arrangement, synth: Synth, soundfont: int) -> np.ndarray:
    """(n,) float32 mono at 16 kHz, before mastering."""
    for channel, program in arrangement.programs.items():
        synth.program_select(channel, soundfont, 0, program)
    synth.program_select(DRUM_CHANNEL, soundfont, 128, 0, True)
    for channel, level in arrangement.levels.items():
        synth.control_change(channel, _LEVEL, level)
    moments = [(e.start_s, 1, e.channel, e.key, e.velocity) for e in arrangement.events]
    moments += [(e.end_s, 0, e.channel, e.key, 0) for e in arrangement.events]
    pieces: list[np.ndarray] = []
    position = 0
    for time_s, is_on, channel, key, velocity in sorted(moments):
        sample = min(round(time_s * _SYNTH_RATE_HZ), round(arrangement.length_s * _SYNTH_RATE_HZ))
        if sample > position:
            pieces.append(_mono(synth, sample - position))
            position = sample
        if is_on:
            synth.noteon(channel, key, velocity)
        else:
            synth.noteoff(channel, key)
    pieces.append(_mono(synth, max(0, round(arrangement.length_s * _SYNTH_RATE_HZ) - position)))
    samples = resample(np.concatenate(pieces), _SYNTH_RATE_HZ, SAMPLE_RATE_HZ)
    fade = SAMPLE_RATE_HZ // 2
    samples[-fade:] *= np.linspace(1.0, 0.0, fade)
    return np.asarray(samples, dtype=np.float32)


def _mono(synth: Synth, num_samples: int) -> np.ndarray:
    stereo = np.frombuffer(bytes(synth.generate(num_samples)), dtype=np.float32)
    return stereo.reshape(-1, 2).mean(axis=1)


def master(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a producer might leave it: room, equaliser, compressor, a ceiling, some loudness."""
    samples = samples / max(float(np.sqrt(np.mean(np.square(samples)))), 1e-6) * 0.1
    samples = _in_a_room(samples, rng)
    samples = _equalised(samples, rng)
    samples = _compressed(samples, float(rng.uniform(1.0, 5.0)), float(rng.uniform(-26, -14)))
    rms_db = rng.uniform(-23, -11)
    loud = samples / max(float(np.sqrt(np.mean(np.square(samples)))), 1e-6) * 10 ** (rms_db / 20)
    return np.asarray(0.97 * np.tanh(loud / 0.97), dtype=np.float32)


def _in_a_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    length_s = float(rng.uniform(0.25, 1.8))
    time_s = np.arange(int(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / length_s)
    darkness = float(rng.uniform(0.1, 0.7))
    tail = lfilter([1 - darkness], [1, -darkness], tail)
    wet = fftconvolve(samples, tail / np.linalg.norm(tail))[: len(samples)]
    return np.asarray(samples + 10 ** (rng.uniform(-30, -9) / 20) * wet)


def _equalised(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random smooth curve of a few dB over octaves, and the lowest rumble cut."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    knots = np.array([30, 80, 200, 500, 1200, 3000, 8000])
    gains_db = rng.normal(0.0, 2.5, len(knots))
    gains_db[0] = -24.0
    curve_db = np.interp(np.log(np.maximum(hz, 1.0)), np.log(knots), gains_db)
    return np.asarray(np.fft.irfft(spectrum * 10 ** (curve_db / 20), len(samples)))


def _compressed(samples: np.ndarray, ratio: float, threshold_db: float) -> np.ndarray:
    """Level above the threshold is divided by ``ratio``; the level is smoothed over 30 ms."""
    smoothing = np.exp(-1 / (0.03 * SAMPLE_RATE_HZ))
    power = lfilter([1 - smoothing], [1, -smoothing], np.square(samples))
    over_db = np.maximum(10 * np.log10(power + 1e-10) - threshold_db, 0.0)
    return np.asarray(samples * 10 ** (-over_db * (1 - 1 / ratio) / 20))
