from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.sound import buzz

from app.record.command import app
from engine.errors import QueryError, SingalikeError
from engine.listening.recordings import MAX_PEAK, TARGET_RMS, prepare_voice, write_wav
from engine.sound import audio

RATE_HZ = 44_100


def noise(seconds: float, level: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (level * random.standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def pink(seconds: float, level: float) -> np.ndarray:
    """Noise as of a room or a fan: louder below."""
    spectrum = np.fft.rfft(noise(seconds, 1.0, 1))
    spectrum /= np.sqrt(np.arange(len(spectrum)) + 1)
    sound = np.fft.irfft(spectrum, round(seconds * RATE_HZ))
    return (level * sound / sound.std()).astype(np.float32)


@pytest.mark.parametrize("gain", [0.003, 0.05, 1.0, 3.0])
@pytest.mark.parametrize("pitch_hz", [80.0, 150.0, 600.0])
def test_a_voice_is_brought_to_the_same_level(gain: float, pitch_hz: float) -> None:
    sung = prepare_voice(gain * buzz(4.0, RATE_HZ, pitch_hz), RATE_HZ)
    assert np.sqrt(np.mean(sung**2)) == pytest.approx(TARGET_RMS, rel=0.1)
    assert np.abs(sung).max() <= MAX_PEAK
    assert np.abs(sung).mean() > 0.01  # passes the gate of the voice models


def test_the_silence_around_it_is_cut_off() -> None:
    quiet = noise(3.0, 1e-4)
    sung = prepare_voice(np.concatenate([quiet, buzz(3.0, RATE_HZ), quiet]), RATE_HZ)
    assert 3.0 <= len(sung) / RATE_HZ <= 3.8


def test_a_voice_in_a_noisy_room_is_still_one() -> None:
    voice = buzz(4.0, RATE_HZ)
    sung = prepare_voice(voice + pink(4.0, 0.1 * voice.std()), RATE_HZ)
    assert len(sung) > 3 * RATE_HZ


@pytest.mark.parametrize("sound", [noise(4.0, 0.05), pink(4.0, 0.05)], ids=["white", "pink"])
def test_noise_is_no_voice(sound: np.ndarray) -> None:
    with pytest.raises(QueryError, match=r"No voice|Only 0\.\d s"):
        prepare_voice(sound, RATE_HZ)


@pytest.mark.parametrize(
    "samples", [np.zeros(0, np.float32), np.zeros(RATE_HZ, np.float32), noise(3.0, 1e-5)]
)
def test_silence_says_what_to_check(samples: np.ndarray) -> None:
    with pytest.raises(QueryError, match="not muted"):
        prepare_voice(samples, RATE_HZ)


def test_a_short_hum_asks_for_more() -> None:
    short = np.concatenate([buzz(0.8, RATE_HZ), noise(4.0, 1e-4)])
    with pytest.raises(QueryError, match=r"Only 0\.\d s of singing"):
        prepare_voice(short, RATE_HZ)
    with pytest.raises(QueryError, match="No voice"):
        prepare_voice(np.full(100, 0.1, np.float32), RATE_HZ)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    sound = buzz(1.0, RATE_HZ)
    write_wav(tmp_path / "voice.wav", sound, RATE_HZ)
    read = audio.decode_all(tmp_path / "voice.wav", sample_rate_hz=RATE_HZ, num_channels=1)[0]
    np.testing.assert_allclose(read, sound, atol=1e-4)
    with pytest.raises(QueryError, match="cannot be written"):
        write_wav(tmp_path / "no" / "voice.wav", sound, RATE_HZ)


def test_the_command_records_what_is_sung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Sung:
        """In place of a microphone: full at once."""

        rate_hz, is_full, seconds = RATE_HZ, True, 3.0

        def __init__(self, devices: object, max_s: float) -> None:
            assert max_s == 4

        def close(self) -> np.ndarray:
            return buzz(3.0, RATE_HZ)

    monkeypatch.setattr("app.record.microphone.Microphone", Sung)
    app(["-o", str(tmp_path / "voice.wav"), "--seconds", "4"], standalone_mode=False)
    assert "3.0 s of singing" in capsys.readouterr().err
    assert audio.probe(tmp_path / "voice.wav").duration_s == pytest.approx(3.0, abs=0.1)


def test_the_command_says_why_it_cannot_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(devices: object, max_s: float) -> None:
        raise OSError("Error querying device -1")

    monkeypatch.setattr("app.record.microphone.Microphone", refuse)
    with pytest.raises(SingalikeError, match="no microphone was found"):
        app(["-o", str(tmp_path / "voice.wav")], standalone_mode=False)
