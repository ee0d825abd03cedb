"""The voices: right notes, formants that follow the tract, and one person's own sound."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import periodogram, resample_poly

from engine import models
from engine.demo import SAMPLE_RATE_HZ, SONGS, VOICES, stems
from engine.demo.glottis import lf_pulse
from engine.demo.instruments import hz
from engine.demo.singing import sing
from engine.demo.songs import Note, score
from engine.listening.embedding import embed_vocals

STEADY = replace(
    VOICES[1], vibrato_semitones=0.0, jitter=0.0, shimmer=0.0, scoop_semitones=0.0, rasp=0.0
)


def sung(voice, midi=50.0, vowel="a", consonant="", seconds=1.2):
    notes = (Note(0.6, seconds, midi, consonant, vowel, 0.9),)
    return sing(voice, (notes,), 2 * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ, np.random.default_rng(0))


def spectrum(sound, start_s=0.8, end_s=1.6):
    piece = sound[int(start_s * SAMPLE_RATE_HZ) : int(end_s * SAMPLE_RATE_HZ)]
    return periodogram(piece, SAMPLE_RATE_HZ, window="hann", nfft=1 << 16)


def hill_hz(sound, low_hz, high_hz):
    """Centre of energy within a band: about the formant in it."""
    frequency, power = spectrum(sound)
    inside = (frequency > low_hz) & (frequency < high_hz)
    return float((frequency * power)[inside].sum() / power[inside].sum())


@pytest.mark.parametrize("midi", [45.0, 57.0, 69.0])
def test_the_note_is_the_one_in_the_score(midi):
    piece = sung(STEADY, midi)[int(0.8 * SAMPLE_RATE_HZ) : int(1.6 * SAMPLE_RATE_HZ)]
    size = 1 << 17
    correlation = np.fft.irfft(np.abs(np.fft.rfft(piece, size)) ** 2)
    lags = slice(SAMPLE_RATE_HZ // 800, SAMPLE_RATE_HZ // 80)
    lag = int(np.argmax(correlation[lags] * np.linspace(1, 0.7, lags.stop - lags.start)))
    heard_hz = SAMPLE_RATE_HZ / (lag + lags.start)
    assert abs(12 * np.log2(heard_hz / hz(midi))) < 0.7


def test_a_shorter_tract_has_higher_formants():
    long, short = (sung(replace(STEADY, tract_cm=cm), 45.0) for cm in (18.5, 14.0))
    assert hill_hz(short, 450, 1900) > 1.12 * hill_hz(long, 450, 1900)


def test_vowels_differ_in_the_second_formant():
    assert hill_hz(sung(STEADY, 45.0, "i"), 600, 2800) > 1.5 * hill_hz(
        sung(STEADY, 45.0, "u"), 600, 2800
    )


def test_a_hiss_sounds_before_the_vowel_and_above_it():
    frequency, power = spectrum(sung(STEADY, consonant="s"), 0.5, 0.59)
    assert frequency[power.argmax()] > 4000
    frequency, power = spectrum(sung(STEADY, consonant="s"))
    assert frequency[power.argmax()] < 1500


def test_a_breathy_pulse_is_rounder_than_a_pressed_one():
    shares = []
    for rd in (0.5, 1.0, 2.0):
        pulse = lf_pulse(rd)
        assert abs(pulse.mean()) < 1e-9
        harmonics = np.abs(np.fft.rfft(pulse)) ** 2
        shares.append(harmonics[8:].sum() / harmonics.sum())
    assert shares[0] > 2 * shares[1] > 4 * shares[2]


def test_breath_and_rasp_fill_the_gaps_between_harmonics():
    def noisiness(voice):
        frequency, power = spectrum(sung(voice, 57.0))  # harmonics every 220 Hz
        place = (frequency / 220.0) % 1.0
        band = (frequency > 300) & (frequency < 3000)
        return power[band & (abs(place - 0.5) < 0.15)].sum() / power[band].sum()

    clean = replace(STEADY, breath=0.0)
    assert noisiness(replace(clean, breath=0.3)) > 5 * noisiness(clean)
    assert noisiness(replace(clean, rasp=0.4)) > 5 * noisiness(clean)


def test_stems_add_up_to_a_song_with_an_intro():
    song = SONGS[9]
    parts = stems(song)
    assert parts.vocals.shape == parts.accompaniment.shape
    assert parts.vocals.dtype == parts.accompaniment.dtype == np.float32
    assert 0.8 < np.abs(parts.mixture).max() < 0.9
    first_note = int(score(song).phrases[0][0].start_s * SAMPLE_RATE_HZ)
    assert np.abs(parts.vocals[:, : first_note - SAMPLE_RATE_HZ]).max() < 1e-4
    assert np.abs(parts.accompaniment[:, :first_note]).mean() > 0.02
    voiced = np.abs(parts.vocals[:, first_note : first_note + 5 * SAMPLE_RATE_HZ]).mean()
    assert voiced > 0.02  # well above the gate of 0.01
    np.testing.assert_array_equal(stems(song).vocals, parts.vocals)


def test_a_speaker_encoder_knows_the_singers_again():
    """Four singers, two songs each: the nearest other song is mostly the same singer's."""
    model = models.load("ge2e")
    vectors = []
    for song in SONGS[0:12:3] + SONGS[1:12:3]:
        phrases = score(song).phrases[:3]
        size = int((phrases[-1][-1].start_s + 2.0) * SAMPLE_RATE_HZ)
        rng = np.random.default_rng(song.seed)
        voice = sing(song.voice, phrases, size, SAMPLE_RATE_HZ, rng)
        voice = resample_poly(voice[int(phrases[0][0].start_s * SAMPLE_RATE_HZ) :], 160, 441)
        embedding = embed_vocals([voice.astype(np.float32)], model)
        assert embedding is not None
        vectors.append(embedding.vector)
    similarity = np.array(vectors) @ np.array(vectors).T - 2 * np.eye(8)
    assert (similarity.argmax(1) % 4 == np.arange(8) % 4).sum() >= 7
