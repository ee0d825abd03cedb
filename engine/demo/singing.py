"""From notes and syllables to a singing voice: source, vocal tract, noises.

Controls run at one frame per 256 samples (5.8 ms). The tract is a cascade of formants that
changes from frame to frame: windowed frames of the source are filtered in the frequency domain
and overlap-added, which is both smooth and fast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from engine.demo import glottis
from engine.demo.phonetics import CONSONANTS, NEUTRAL, UPPER_FORMANTS_HZ, VOWELS
from engine.demo.songs import Note
from engine.demo.voices import Voice

Audio = NDArray[np.float32]
Curve = NDArray[np.float64]

HOP = 256
_WINDOW = 512
_FFT = 2048
_LEAD_S = 0.45  # room before the first note: breath and consonant
_TAIL_S = 0.25
_BANDWIDTHS_HZ = np.array([75.0, 95.0, 130.0, 180.0, 240.0])


@dataclass(frozen=True)
class _Controls:
    """Curves over the frames of one phrase; formants (num_frames, 5) in Hz, the rest flat."""

    f0_hz: Curve
    formants_hz: Curve
    voicing: Curve
    aspiration: Curve
    nasal: Curve
    effort: Curve


def sing(
    voice: Voice,
    phrases: tuple[tuple[Note, ...], ...],
    num_samples: int,
    sample_rate_hz: int,
    rng: np.random.Generator,
) -> Audio:
    """The dry voice, mono, (num_samples,) float32, vowels at an RMS of about 0.1."""
    out = np.zeros(num_samples, dtype=np.float32)
    rate = sample_rate_hz
    soft = glottis.wavetables(min(voice.rd + 0.3, 2.6), rate)
    loud = glottis.wavetables(max(voice.rd - 0.2, 0.4), rate)
    for notes in phrases:
        first = int((notes[0].start_s - _LEAD_S) * rate)
        length_s = notes[-1].start_s + notes[-1].length_s - notes[0].start_s + _LEAD_S + _TAIL_S
        controls = _controls(voice, notes, first / rate, int(length_s * rate / HOP), rate, rng)
        source = _source(voice, controls, soft, loud, rate, rng)
        sound = _through_tract(source, _tract(voice, controls, rate))
        sound *= 0.1 / (np.sqrt(np.mean(np.square(sound[np.abs(sound) > 1e-3]))) + 1e-9)
        _add_noises(sound, voice, notes, first / rate, rate, rng)
        start, end = max(first, 0), min(first + sound.size, num_samples)
        out[start:end] += sound[start - first : end - first]
    return out


def _smooth(curve: Curve, seconds: float, rate: int) -> Curve:
    width = max(3, round(seconds * rate / HOP) | 1)
    kernel = np.hanning(width + 2)[1:-1]
    return np.asarray(ndimage.convolve1d(curve, kernel / kernel.sum(), axis=0, mode="nearest"))


def _hold(times_s: list[float], values: list[Curve] | list[float], frames_s: Curve) -> Curve:
    """Each value from its time on until the next one's; the first also before its time."""
    index = np.clip(np.searchsorted(times_s, frames_s, side="right") - 1, 0, None)
    return np.asarray(values, dtype=np.float64)[index]


def _vowel_formants(voice: Voice, targets: tuple[float, float, float]) -> Curve:
    neutral = np.array(NEUTRAL)
    lower = neutral + voice.vowel_space * (np.array(targets) - neutral)
    formants = np.concatenate([lower, UPPER_FORMANTS_HZ])
    ring = 0.5 * (formants[2] + formants[3])
    formants[2:] += voice.cluster * np.array([0.25, 0.35, 0.6]) * (ring - formants[2:])
    return np.asarray(formants * np.array(voice.formant_factors) * 17.5 / voice.tract_cm)


def _controls(
    voice: Voice,
    notes: tuple[Note, ...],
    first_s: float,
    num_frames: int,
    rate: int,
    rng: np.random.Generator,
) -> _Controls:
    frames_s = first_s + np.arange(num_frames) * HOP / rate
    times: list[float] = [first_s]
    formants = [_vowel_formants(voice, VOWELS[notes[0].vowel])]
    rows: list[tuple[float, float, float]] = [(0.0, 0.0, voice.nasality)]  # voicing, breath, velum

    def at(time_s: float, targets: Curve, voicing: float, breath: float, velum: float) -> None:
        times.append(max(time_s, times[-1] + 1e-4))
        formants.append(targets)
        rows.append((voicing, breath, velum))

    end_s = 0.0
    for note in notes:
        vowel = _vowel_formants(voice, VOWELS[note.vowel]) * rng.normal(1.0, 0.025, 5)
        onset = CONSONANTS[note.consonant]
        length_s = onset.length_s * (1.0 if note.start_s - end_s < 0.1 else 1.2)
        velum = max(onset.nasal, voice.nasality * (onset.voicing > 0.3))
        place = vowel if onset.locus is None else _vowel_formants(voice, onset.locus)
        closed_s = note.start_s - length_s
        at(closed_s, place, onset.voicing * note.loudness, 0.0, velum)
        if onset.aspiration_s:
            at(note.start_s - onset.aspiration_s, 0.5 * (place + vowel), 0.0, 0.5, 0.0)
        at(note.start_s, vowel, note.loudness, 0.0, voice.nasality)
        end_s = note.start_s + note.length_s
    at(end_s, formants[-1], 0.0, 0.0, voice.nasality)

    levels = _hold(times, [np.array(row) for row in rows], frames_s)
    loudness = _smooth(_hold([n.start_s for n in notes], [n.loudness for n in notes], frames_s),
                       0.15, rate)  # fmt: skip
    f0_hz, height = _pitch(voice, notes, frames_s, rate, rng)
    tract = _smooth(_hold(times, formants, frames_s), 0.075, rate)
    # singers open the first formant with the pitch rather than lose the fundamental
    tract[:, 0] = np.maximum(tract[:, 0], 1.02 * f0_hz)
    tract[:, 1] = np.maximum(tract[:, 1], tract[:, 0] + 180.0)
    return _Controls(
        f0_hz=f0_hz,
        formants_hz=tract,
        voicing=_smooth(levels[:, 0], 0.05, rate) * _swell(notes, frames_s),
        aspiration=_smooth(levels[:, 1], 0.03, rate),
        nasal=_smooth(levels[:, 2], 0.06, rate),
        effort=np.clip(1.6 * (loudness - 0.55) + 0.04 * height, 0.0, 1.0),
    )


def _swell(notes: tuple[Note, ...], frames_s: Curve) -> Curve:
    """A long note grows a little and fades towards its end."""
    since_s = frames_s - _hold([n.start_s for n in notes], [n.start_s for n in notes], frames_s)
    length_s = _hold([n.start_s for n in notes], [n.length_s for n in notes], frames_s)
    where = np.clip(since_s / length_s, 0.0, 1.0)
    return np.asarray(0.85 + 0.15 * np.sin(np.pi * where**0.7) - 0.25 * where**6)


def _pitch(
    voice: Voice, notes: tuple[Note, ...], frames_s: Curve, rate: int, rng: np.random.Generator
) -> tuple[Curve, Curve]:
    """f0 in Hz, and the height of the melody above the middle of the voice in semitones."""
    starts = [note.start_s for note in notes]
    # the glide ends shortly after the beat, as the consonant takes its first part
    turns = [start - 0.3 * voice.portamento_s for start in starts]
    melody = _smooth(_hold(turns, [note.midi for note in notes], frames_s),
                     2.0 * voice.portamento_s, rate)  # fmt: skip
    since_s = np.clip(frames_s - _hold(starts, starts, frames_s), 0.0, None)
    settled = np.clip((since_s - voice.vibrato_onset_s) / 0.25, 0.0, 1.0)
    drift = _smooth(rng.normal(0.0, 1.0, frames_s.size), 0.35, rate)
    rate_hz = voice.vibrato_hz * (1.0 + 0.25 * drift)
    vibrato = np.sin(2 * np.pi * np.cumsum(rate_hz) * HOP / rate)
    scoop = voice.scoop_semitones * np.exp(-np.clip(frames_s - starts[0] + 0.05, 0.0, None) / 0.07)
    wander = 0.6 * _smooth(rng.normal(0.0, 1.0, frames_s.size), 0.2, rate)
    midi = melody + voice.vibrato_semitones * settled * vibrato - scoop + wander * 0.5
    jitter = 1.0 + voice.jitter * rng.normal(0.0, 1.0, frames_s.size)
    return 440.0 * 2.0 ** ((midi - 69.0) / 12.0) * jitter, melody - voice.centre_midi


def _source(
    voice: Voice,
    controls: _Controls,
    soft: Audio,
    loud: Audio,
    rate: int,
    rng: np.random.Generator,
) -> Audio:
    """Glottal pulses and the breath between them, (num_frames · HOP,)."""
    num_frames = controls.f0_hz.size
    at = np.arange(num_frames * HOP) / HOP
    frame = np.arange(num_frames)
    f0_hz = np.interp(at, frame, controls.f0_hz)
    phase = np.cumsum(f0_hz) / rate
    effort = np.interp(at, frame, controls.effort).astype(np.float32)
    pulses = glottis.oscillate(soft, phase, f0_hz) * (1 - effort)
    pulses += glottis.oscillate(loud, phase, f0_hz) * effort
    shimmer = 1.0 + voice.shimmer * rng.normal(0.0, 1.0, num_frames)
    voicing = np.interp(at, frame, controls.voicing * shimmer).astype(np.float32)
    if voice.rasp:
        roughness = voice.rasp * np.clip(
            0.7 + 2.0 * _smooth(rng.normal(0.0, 1.0, num_frames), 0.15, rate), 0.0, 1.3
        )
        every_second = np.cos(np.pi * phase) * np.interp(at, frame, roughness)
        pulses *= (1.0 + 0.8 * every_second).astype(np.float32)
    noise = rng.standard_normal(at.size, dtype=np.float32)
    opening = (0.55 - 0.45 * np.cos(2 * np.pi * phase)).astype(np.float32)
    breath = voicing * opening * voice.breath + 0.25 * np.interp(
        at, frame, controls.aspiration
    ).astype(np.float32)
    return np.asarray(voicing * pulses + noise * breath, dtype=np.float32)


def _resonance(f_hz: Audio, centre_hz: Curve, width_hz: Curve) -> NDArray[np.complex64]:
    """A pole pair with unit gain at 0 Hz, (num_frames, num_bins)."""
    power = (centre_hz**2 + width_hz**2 / 4).astype(np.float32)[:, None]
    below = 1j * (width_hz.astype(np.complex64)[:, None] * f_hz)
    below += power - f_hz**2
    return np.asarray(power / below, dtype=np.complex64)


def _tract(voice: Voice, controls: _Controls, rate: int) -> NDArray[np.complex64]:
    """Transfer function of the vocal tract for each frame, (num_frames, num_bins)."""
    f_hz = np.fft.rfftfreq(_FFT, 1.0 / rate).astype(np.float32)
    scale = 17.5 / voice.tract_cm
    one = np.ones(1)
    # formants above the twelfth and the horn of the lips keep the highs alive
    fixed = (1.0 + (f_hz / (2300.0 * scale)) ** 2)[None].astype(np.complex64) ** 0.8
    for number in range(6, 13):  # a straight tube goes on resonating every 1000 Hz
        personal = 1.0 + 0.03 * np.sin(number * 7.0 * voice.formant_factors[number % 5])
        centre_hz = (1000.0 * number - 700.0) * scale * personal
        fixed *= _resonance(f_hz, one * centre_hz, one * (120.0 * number - 350.0))
    num_frames = controls.f0_hz.size
    response = np.repeat(fixed, num_frames, axis=0)
    widths = np.outer(1.0 + 0.4 * controls.nasal, _BANDWIDTHS_HZ * voice.bandwidth_factor)
    for number in range(5):
        response *= _resonance(f_hz, controls.formants_hz[:, number], widths[:, number])
    if controls.nasal.max() > 0.02:  # an open velum adds a pole, and a zero that moves away from it
        pole_hz = np.full(num_frames, 290.0 * scale)
        wide = np.full(num_frames, 120.0)
        response *= _resonance(f_hz, pole_hz, wide)
        response /= _resonance(f_hz, pole_hz * (1.0 + 1.2 * controls.nasal), wide)
    return response


def _through_tract(source: Audio, response: NDArray[np.complex64]) -> Audio:
    num_frames = response.shape[0]
    padded = np.concatenate([source, np.zeros(_WINDOW, dtype=np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][:num_frames]
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    spectra = fft.rfft(frames * window, _FFT, axis=1)
    filtered = fft.irfft(spectra * response, _FFT, axis=1)
    blocks = np.zeros((num_frames + _FFT // HOP, HOP), dtype=np.float32)
    for part in range(_FFT // HOP):
        blocks[part : part + num_frames] += filtered[:, part * HOP : (part + 1) * HOP]
    return blocks.ravel()


def _add_noises(
    sound: Audio,
    voice: Voice,
    notes: tuple[Note, ...],
    first_s: float,
    rate: int,
    rng: np.random.Generator,
) -> None:
    """Hisses and bursts of the consonants, and the breath taken before the phrase; in place."""
    scale = (17.5 / voice.tract_cm) ** 0.5  # the front cavity varies less than the whole tract
    intake_s = 0.28
    hiss = _noise(1600.0 * scale, 1800.0, int(intake_s * rate), rate, rng)
    hiss *= np.hanning(hiss.size).astype(np.float32) ** 2 * (0.006 + 0.02 * voice.breath)
    _add(sound, hiss, int((notes[0].start_s - first_s - 0.42) * rate))
    for note in notes:
        onset = CONSONANTS[note.consonant]
        if onset.noise is None:
            continue
        level, centre_hz, width_hz = onset.noise
        if onset.is_burst:
            length_s, start_s = 0.018, note.start_s - onset.aspiration_s - 0.012
        else:
            length_s, start_s = onset.length_s + 0.03, note.start_s - onset.length_s - 0.01
        noise = _noise(centre_hz * scale, width_hz, int(length_s * rate), rate, rng)
        shape = np.linspace(0, 1, noise.size, dtype=np.float32)
        swell = np.abs(np.sin(np.pi * shape**0.8)) ** 0.7
        noise *= np.exp(-5 * shape) if onset.is_burst else swell
        noise *= np.float32(0.07 * level * note.loudness)
        _add(sound, noise, int((start_s - first_s) * rate))


def _noise(
    centre_hz: float, width_hz: float, size: int, rate: int, rng: np.random.Generator
) -> Audio:
    """Noise of one broad spectral hill, unit RMS, (size,)."""
    spectrum = fft.rfft(rng.standard_normal(size).astype(np.float32))
    f_hz = np.fft.rfftfreq(size, 1.0 / rate)
    spectrum *= np.exp(-0.5 * ((f_hz - centre_hz) / (0.5 * width_hz)) ** 2) + 0.03
    noise = fft.irfft(spectrum, size)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), dtype=np.float32)


def _add(sound: Audio, piece: Audio, start: int) -> None:
    start = max(start, 0)
    end = min(start + piece.size, sound.size)
    sound[start:end] += piece[: max(end - start, 0)]
