"""What a voice sounds like: its notes, vibrato, breath, roughness and brightness.

Measured on vocals alone. Only frames count in which a note is held: pitch trackers leap where a
separator leaves something of the band. Nothing is said of who sings.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from engine.records import VoicePortrait

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES = 256  # between two values of pitch
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HZ
MIN_CONFIDENCE = 0.5  # as the pitch tracker was calibrated
RANGE_HZ = (64.0, 1400.0)  # C2 to F6; lower, it finds the hum of the mains
MAX_BELOW_DB = 35.0  # of the loudest: what is softer is no singing
MAX_STEP = 0.8  # semitones between two frames of one note: fast vibrato stays below
MIN_NOTE_FRAMES = 8  # 0.13 s
MIN_VOICED_S = 3.0  # below it there is no portrait
MIN_SEGMENTS = 6  # of 5 s, up to twice as many; a song takes 0.2 to 0.45 s of one core

NOTE_PERCENTILES = (5, 50, 95)
VIBRATO_HZ = (4.5, 8.5)
MIN_VIBRATO_FRAMES = 32  # half a second, two to four waves
MIN_VIBRATO_SHARE = 0.5  # of a note's movement that must be in the band of vibrato
PERIODS = 8  # of the voice to a spectrum
STEADY = 0.3  # semitones that it may move by meanwhile, lest harmonics smear
FFT_SIZE = 8192
HARMONICS = np.arange(2, 11)
MAX_STEADY_HZ = SAMPLE_RATE_HZ / 2 / (HARMONICS[-1] + 1)  # F5: all of them can be seen
BRIGHTNESS_RANGE_HZ = (100.0, 5000.0)


class PortraitSampler:
    """Collects some segments of a song, spread over all of it, then measures them.

    However long the song is, from MIN_SEGMENTS to twice as many are held.
    """

    def __init__(self) -> None:
        self._segments = list[np.ndarray]()
        self._every, self._num_seen, self._num_sung = 1, 0, 0

    def add(self, segments: np.ndarray, is_sung: np.ndarray) -> None:
        """(n, num_samples) float32 at 16 kHz, vocals; (n,) bool: which of them hold a voice."""
        self._num_seen += len(segments)
        for segment in segments[is_sung]:
            if self._num_sung % self._every == 0:
                self._segments.append(segment.copy())
            self._num_sung += 1
            if len(self._segments) == 2 * MIN_SEGMENTS:
                self._segments, self._every = self._segments[::2], 2 * self._every

    @property
    def num_held(self) -> int:
        return len(self._segments)

    def portrait(self) -> VoicePortrait | None:
        """None where too little is sung to tell."""
        if not self._segments:
            return None
        return measure(np.stack(self._segments), self._num_sung / self._num_seen)


def measure(segments: np.ndarray, share_of_song: float = 1.0) -> VoicePortrait | None:
    """The portrait of a voice; None where fewer than MIN_VOICED_S of notes are held.

    Args:
        segments: (n, num_samples) float32 at 16 kHz.
        share_of_song: of the song that such segments are.
    """
    notes, num_frames = list[np.ndarray](), 0
    spectra = list[tuple[np.ndarray, np.ndarray]]()
    for segment in segments:
        pitch = track_pitch(segment)
        num_frames += len(pitch)
        held = list(_held_notes(pitch))
        notes += [pitch[note] for note in held]
        spectra.append(_steady_spectra(segment, pitch, held))
    num_voiced = sum(map(len, notes))
    if num_voiced * FRAME_S < MIN_VOICED_S:
        return None
    lowest, usual, highest = np.percentile(np.concatenate(notes), NOTE_PERCENTILES)
    vibrato_hz, vibrato_cents, vibrato_share = _vibrato(notes)
    clearness_db, roughness_db, brightness_hz = _timbre(
        np.concatenate([power for power, _ in spectra]),
        np.concatenate([pitch for _, pitch in spectra]),
    )
    return VoicePortrait(
        lowest_note=float(lowest),
        usual_note=float(usual),
        highest_note=float(highest),
        vibrato_hz=vibrato_hz,
        vibrato_cents=vibrato_cents,
        vibrato_share=vibrato_share,
        clearness_db=clearness_db,
        roughness_db=roughness_db,
        brightness_hz=brightness_hz,
        sung_share=share_of_song * num_voiced / num_frames,
    )


_trackers = threading.local()


def track_pitch(samples: np.ndarray) -> np.ndarray:
    """(num_samples,) -> (num_frames,) semitones, as MIDI counts them; NaN where there is none."""
    if not hasattr(_trackers, "tracker"):
        _trackers.tracker = _load_tracker()
    loudest = float(np.abs(samples).max())
    found = _trackers.tracker.detect(
        samples * (0.5 / max(loudest, 1e-6)), SAMPLE_RATE_HZ, *RANGE_HZ
    )
    is_sung = found.confidence >= MIN_CONFIDENCE
    is_sung &= found.loudness_db > found.loudness_db.max() - MAX_BELOW_DB
    return np.where(is_sung, 69 + 12 * np.log2(found.pitch_hz / 440), np.nan)


def _load_tracker() -> SwiftF0:
    from swift_f0 import SwiftF0  # takes a while, and only the second pass needs it

    return SwiftF0(threads=1, spin=False)


def _held_notes(pitch: np.ndarray) -> list[slice]:
    """Stretches of frames over which the pitch moves in small steps only."""
    with np.errstate(invalid="ignore"):
        goes_on = np.abs(np.diff(pitch)) < MAX_STEP  # NaN: no
    edges = np.flatnonzero(np.diff(np.concatenate([[False], goes_on, [False]]).astype(np.int8)))
    ends = zip(edges[::2], edges[1::2], strict=True)
    return [slice(a, b + 1) for a, b in ends if b + 1 - a >= MIN_NOTE_FRAMES]


def _vibrato(notes: list[np.ndarray]) -> tuple[float | None, float | None, float]:
    """(rate in Hz, depth in cents up and down, share of the long notes); None, None, 0: none."""
    rates, depths, num_long = list[float](), list[float](), 0
    for note in notes:
        if len(note) < MIN_VIBRATO_FRAMES:
            continue
        num_long += 1
        times = np.linspace(-1, 1, len(note))
        movement = note - np.polyval(np.polyfit(times, note, 3), times)
        power = np.abs(np.fft.rfft(movement * np.hanning(len(note)), 1024)) ** 2
        rates_hz = np.fft.rfftfreq(1024, FRAME_S)
        in_band = (rates_hz >= VIBRATO_HZ[0]) & (rates_hz <= VIBRATO_HZ[1])
        depth = 100 * np.sqrt(2) * float(movement.std())
        if power[in_band].sum() > MIN_VIBRATO_SHARE * power.sum() and 15 < depth < 300:
            rates.append(float(rates_hz[in_band][power[in_band].argmax()]))
            depths.append(depth)
    if not rates:
        return None, None, 0.0
    return float(np.median(rates)), float(np.median(depths)), len(rates) / num_long


def _steady_spectra(
    samples: np.ndarray, pitch: np.ndarray, notes: list[slice]
) -> tuple[np.ndarray, np.ndarray]:
    """(power (n, num_bins), fundamental in Hz (n,)) of where a note stands still.

    Each is of PERIODS periods, so that high and low voices are measured alike. A frame of pitch is
    of the sound around its first sample.
    """
    spectra, fundamentals = [np.zeros((0, FFT_SIZE // 2 + 1))], list[float]()
    for note in notes:
        first = note.start
        while first < note.stop:
            hz = 440 * 2 ** ((float(pitch[first]) - 69) / 12)
            num = round(PERIODS * SAMPLE_RATE_HZ / hz)
            end = first + -(-num // FRAME_SAMPLES)
            is_steady = end < note.stop and np.ptp(pitch[first : end + 1]) < STEADY
            if is_steady and hz < MAX_STEADY_HZ:
                frame = samples[first * FRAME_SAMPLES :][:num]
                power = np.abs(np.fft.rfft(frame * np.hanning(num), FFT_SIZE)) ** 2
                spectra.append(power[None])
                fundamentals.append(440 * 2 ** ((float(pitch[first : end + 1].mean()) - 69) / 12))
            first = end
    return np.concatenate(spectra), np.array(fundamentals)


def _timbre(
    power: np.ndarray, fundamental_hz: np.ndarray
) -> tuple[float | None, float | None, float | None]:
    """Medians over spectra of (clearness in dB, roughness in dB, brightness in Hz).

    Clearness: harmonics over the noise between them, a quarter of the way from each: low in a
    breathy voice. Roughness: what lies half-way (subharmonics, Sun 2002) over that noise: growling
    and creaking voices have it. Brightness: the centre of gravity of the spectrum.
    """
    if not len(power):
        return None, None, None
    bins_hz = np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE_HZ)
    inside = (bins_hz >= BRIGHTNESS_RANGE_HZ[0]) & (bins_hz <= BRIGHTNESS_RANGE_HZ[1])
    brightness = power[:, inside] @ bins_hz[inside] / np.maximum(power[:, inside].sum(1), 1e-20)
    harmonics = _power_at(power, fundamental_hz, HARMONICS)
    half_way = _power_at(power, fundamental_hz, HARMONICS + 0.5)
    quarters = np.concatenate([HARMONICS + 0.25, HARMONICS + 0.75])
    noise = _power_at(power, fundamental_hz, quarters) + 1e-12 * power.max()
    return (
        float(np.median(10 * np.log10(harmonics / noise + 1e-3))),
        float(np.median(10 * np.log10(half_way / noise + 1e-3))),
        float(np.median(brightness)),
    )


def _power_at(power: np.ndarray, fundamental_hz: np.ndarray, multiples: np.ndarray) -> np.ndarray:
    """(n, num_bins), (n,), (m,) -> (n,): mean over these multiples of the fundamental."""
    places = fundamental_hz[:, None] * multiples * FFT_SIZE / SAMPLE_RATE_HZ
    return np.asarray(np.take_along_axis(power, places.round().astype(int), axis=1).mean(1))
