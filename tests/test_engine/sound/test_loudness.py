from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.sound import buzz, write_wav

from engine.errors import CancelledError
from engine.progress import CancelToken
from engine.sound import audio
from engine.sound.loudness import FLOOR_LUFS, Loudness, measure, shape_of
from engine.sound.loudness_meter import LoudnessMeter

RATE_HZ = 48_000


def sine(seconds: float, level_dbfs: float, pitch_hz: float = 997.0) -> np.ndarray:
    """Stereo, ``level_dbfs`` of a full-scale sine."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * pitch_hz * time_s)
    return np.stack([wave, wave]).astype(np.float32)


def lufs(*parts: np.ndarray) -> float:
    return measure(np.concatenate(parts, axis=1), RATE_HZ).lufs


# EBU Tech 3341, table 1: what every meter must show, to 0.1 LU
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_tone_reads_its_level(level: float) -> None:
    assert lufs(sine(20, level)) == pytest.approx(level, abs=0.1)


def test_quiet_parts_are_gated_out() -> None:
    assert lufs(sine(10, -36), sine(60, -23), sine(10, -36)) == pytest.approx(-23, abs=0.1)
    parts = (sine(10, -72), sine(10, -36), sine(60, -23), sine(10, -36), sine(10, -72))
    assert lufs(*parts) == pytest.approx(-23, abs=0.1)


def test_it_does_not_matter_how_the_stream_is_cut() -> None:
    whole = sine(3, -20)
    meter = LoudnessMeter(RATE_HZ)
    for piece in np.array_split(whole, 17, axis=1):
        meter.add(piece)
    assert meter.loudness().lufs == pytest.approx(lufs(whole), abs=0.01)


def test_sounds_that_are_too_short_for_a_loudness_stay_as_they_are() -> None:
    assert lufs(sine(0.02, -20)) == FLOOR_LUFS


def test_silence_stays_as_it_is() -> None:
    silence = measure(np.zeros((2, RATE_HZ), np.float32), RATE_HZ)
    assert silence.lufs == FLOOR_LUFS
    assert silence.gain_to(-18) == 1.0


def test_a_gain_brings_to_the_target_and_never_clips() -> None:
    assert Loudness(-8.0, 1.0).gain_to(-18) == pytest.approx(10 ** (-10 / 20))
    assert Loudness(-24.0, 0.25).gain_to(-18) == pytest.approx(10 ** (6 / 20))
    assert Loudness(-40.0, 0.5).gain_to(-18) == pytest.approx(2.0)


def test_a_files_shape_is_that_of_its_sound(tmp_path: Path) -> None:
    sound = np.concatenate([0.2 * buzz(2.0, 44_100), buzz(2.0, 44_100)])
    path = write_wav(tmp_path / "song.wav", sound, 44_100)
    shape = shape_of(path, 40)
    assert shape.peaks.shape == (40, 2)
    assert shape.peaks[30, 1] == pytest.approx(5 * shape.peaks[10, 1], rel=0.05)
    decoded = audio.decode_all(path, sample_rate_hz=44_100, num_channels=2)
    assert shape.loudness.lufs == pytest.approx(measure(decoded, 44_100).lufs, abs=0.01)
    assert shape.loudness.peak == pytest.approx(np.abs(sound).max(), abs=1e-3)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        shape_of(path, 40, cancel)
