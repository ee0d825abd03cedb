"""Channels that would cancel each other are heard all the same; all others are mixed as ever."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from support.sound import buzz, encode, write_wav

from engine.separation import Separator, voice
from engine.sound.audio import decode_all
from engine.sound.channels import SURROUND_GAIN, in_phase, mixed_down, mono
from engine.sound.loudness import shape_of

RATE_HZ = 16_000


@pytest.fixture
def sound() -> np.ndarray:
    return buzz(2.0)


@pytest.mark.parametrize(
    "signs", [(1, -1), (-1, 1), (1, -1, 1, -1), (1, 1, -1, -1, 1, -1), (1, -0.98)]
)
def test_what_would_cancel_is_heard(sound: np.ndarray, signs: tuple[float, ...]) -> None:
    channels = np.outer(signs, sound).astype(np.float32)
    expected = np.abs(np.array(signs)).mean() * np.abs(sound)
    np.testing.assert_allclose(np.abs(mono(channels)), expected, atol=1e-6)


def test_pairs_that_cancel_among_others(sound: np.ndarray) -> None:
    other = buzz(2.0, pitch_hz=333)
    channels = np.stack([sound, -sound, other, -other])
    power = np.square(mono(channels)).mean()
    assert power == pytest.approx(np.square(sound + other).mean() / 4, rel=0.2)


def test_ordinary_stereo_is_not_touched(sound: np.ndarray) -> None:
    left, right = sound, 0.5 * buzz(2.0, pitch_hz=220)
    for channels in (np.stack([left, right]), np.stack([left, -0.5 * left]), left[None]):
        assert in_phase(channels) is channels
        np.testing.assert_array_equal(mono(channels), channels.mean(0))


def test_a_file_with_a_loudspeaker_wired_the_wrong_way(tmp_path: Path, sound: np.ndarray) -> None:
    path = write_wav(tmp_path / "a.wav", np.stack([sound, -sound]))
    heard = decode_all(path, sample_rate_hz=RATE_HZ, num_channels=1)
    np.testing.assert_allclose(np.abs(heard[0]), np.abs(sound), atol=1e-4)
    played = decode_all(path, sample_rate_hz=RATE_HZ, num_channels=2)
    np.testing.assert_allclose(played, np.stack([sound, -sound]), atol=1e-4)
    assert np.abs(shape_of(path, 10).peaks).max() > 0.1


def test_it_reaches_the_separator_in_phase(sound: np.ndarray) -> None:
    class Mean:
        name = "mean"

        def vocals(self, chunks, cancel=None):  # type: ignore[no-untyped-def]
            yield from (chunk.mean(0) for chunk in chunks)

    separator: Separator = Mean()
    heard = np.concatenate(list(voice(separator, [np.stack([sound, -sound])])))
    assert np.abs(heard).max() > 0.1


def test_surround_that_cancels_is_heard(tmp_path: Path, sound: np.ndarray) -> None:
    channels = np.outer((1, -1, 0, 0, 1, -1), sound)
    path = encode(tmp_path / "a.flac", channels, RATE_HZ, "flac", "5.1")
    heard = decode_all(path, sample_rate_hz=RATE_HZ, num_channels=1)[0]
    assert np.square(heard).mean() > 0.1 * np.square(sound).mean()


@pytest.mark.parametrize("layout", ["2.1", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"])
def test_mixing_down_is_what_ffmpeg_does(layout: str) -> None:
    names = [channel.name for channel in av.AudioLayout(layout).channels]
    samples = np.random.default_rng(0).standard_normal((len(names), 1000)).astype(np.float32) / 9
    packed = np.ascontiguousarray(samples.T).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, "flt", layout)
    frame.sample_rate = RATE_HZ
    (mixed,) = av.AudioResampler("fltp", "stereo", RATE_HZ).resample(frame)
    expected = SURROUND_GAIN * mixed.to_ndarray()
    np.testing.assert_allclose(mixed_down(samples, names, 2), expected, atol=1e-5)


def test_channels_without_names_count_alike(sound: np.ndarray) -> None:
    mixed = mixed_down(np.stack([sound, 0 * sound, 0 * sound]), ["NONE"] * 3, 2)
    np.testing.assert_array_equal(mixed[0], mixed[1])
    assert np.abs(mixed).max() > 0.1 * np.abs(sound).max()


def test_ambisonics_is_heard_from_all_directions(sound: np.ndarray) -> None:
    channels = np.stack([sound, 0.9 * sound, -0.9 * sound, 0.1 * sound])
    mixed = mixed_down(channels, ["AMBI0", "AMBI1", "AMBI2", "AMBI3"], 2)
    np.testing.assert_allclose(mixed, np.stack([sound, sound]), atol=1e-6)
