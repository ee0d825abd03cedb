from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support.sung_notes import SEGMENT_SAMPLES, sung

from engine.listening.notes import note_name, parse_note, parse_notes
from engine.listening.portrait import MIN_SEGMENTS, SAMPLE_RATE_HZ, PortraitSampler, measure
from engine.records import VoicePortrait


def portrait_of(*segments: np.ndarray) -> VoicePortrait:
    found = measure(np.stack(segments))
    assert found is not None
    return found


def test_notes_are_found_where_they_are_sung() -> None:
    found = portrait_of(*(sung(note) for note in (45, 52, 52, 64)))
    assert found.lowest_note == pytest.approx(45, abs=0.3)
    assert found.usual_note == pytest.approx(52, abs=0.3)
    assert found.highest_note == pytest.approx(64, abs=0.3)
    assert found.sung_share > 0.9


@pytest.mark.parametrize(("hz", "cents"), [(5.0, 60.0), (7.0, 40.0)])
def test_vibrato_is_told_by_rate_and_depth(hz: float, cents: float) -> None:
    found = portrait_of(sung(57, vibrato_hz=hz, vibrato_cents=cents))
    assert found.vibrato_hz == pytest.approx(hz, abs=0.3)
    assert found.vibrato_cents == pytest.approx(cents, rel=0.25)
    assert found.vibrato_share == 1.0


def test_a_straight_voice_has_no_vibrato() -> None:
    found = portrait_of(sung(57))
    assert (found.vibrato_hz, found.vibrato_cents, found.vibrato_share) == (None, None, 0.0)


@pytest.mark.parametrize("note", [45, 57, 69])
def test_breath_takes_clearness_away_from_low_and_high_voices(note: float) -> None:
    clear, breathy = portrait_of(sung(note)), portrait_of(sung(note, noise=0.3))
    assert clear.clearness_db is not None
    assert breathy.clearness_db is not None
    assert clear.clearness_db > breathy.clearness_db + 6


def test_subharmonics_make_a_voice_rough_and_noise_does_not() -> None:
    smooth, rough = sung(50, noise=0.05), sung(50, noise=0.05, subharmonic=0.04)
    smooth_db, rough_db = portrait_of(smooth).roughness_db, portrait_of(rough).roughness_db
    assert smooth_db is not None
    assert rough_db is not None
    assert smooth_db < 0
    assert rough_db > smooth_db + 3


def test_weak_harmonics_make_a_voice_dark() -> None:
    bright, dark = portrait_of(sung(57, tilt=0.7)), portrait_of(sung(57, tilt=2.0))
    assert bright.brightness_hz is not None
    assert dark.brightness_hz is not None
    assert bright.brightness_hz > 2 * dark.brightness_hz


def test_loudness_changes_nothing() -> None:
    segment = sung(57, vibrato_cents=50, noise=0.05)
    loud, soft = portrait_of(segment), portrait_of(0.05 * segment)
    assert loud.clearness_db is not None
    for name, value in dataclasses.asdict(loud).items():
        assert getattr(soft, name) == pytest.approx(value, rel=0.02, abs=0.05), name


def test_hum_noise_and_silence_have_no_portrait() -> None:
    times = np.arange(SEGMENT_SAMPLES) / SAMPLE_RATE_HZ
    hum = 0.1 * np.sin(2 * np.pi * 50 * times)
    noise = 0.1 * np.random.default_rng(1).standard_normal(SEGMENT_SAMPLES)
    for sound in (hum, noise, np.zeros(SEGMENT_SAMPLES)):
        assert measure(sound.astype(np.float32)[None]) is None


def test_a_sample_is_spread_over_all_that_is_sung_however_long_it_is() -> None:
    sampler = PortraitSampler()
    notes = np.linspace(45, 69, 25)
    for note in notes:
        pair = np.stack([sung(note), np.zeros(SEGMENT_SAMPLES, np.float32)])
        sampler.add(pair, np.array([True, False]))
    assert MIN_SEGMENTS <= sampler.num_held < 2 * MIN_SEGMENTS
    found = sampler.portrait()
    assert found is not None
    assert found.lowest_note == pytest.approx(45, abs=1)
    assert found.highest_note == pytest.approx(69, abs=4)
    assert found.sung_share == pytest.approx(0.5, abs=0.05)


def test_without_a_voice_there_is_no_portrait() -> None:
    sampler = PortraitSampler()
    sampler.add(np.zeros((3, SEGMENT_SAMPLES), np.float32), np.zeros(3, bool))
    assert sampler.portrait() is None


def test_notes_have_names() -> None:
    expected = ["C4", "A3", "B♭3", "F♯2", "A4"]
    assert [note_name(note) for note in (60, 57.2, 58, 42, 68.6)] == expected
    for note in range(24, 96):
        assert parse_note(note_name(note)) == note
    assert parse_notes(" A2 - e4 ") == (45, 64)
    assert parse_notes("Bb2–F#4") == (46, 66)


@pytest.mark.parametrize("text", ["", "A2", "H2-E4", "A2-E", "E4-A2"])
def test_what_is_no_range_of_notes_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="A2"):
        parse_notes(text)
