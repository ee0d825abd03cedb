"""The eight singers: everything that makes a voice one person's own."""

from __future__ import annotations

from dataclasses import dataclass

MIDDLE_C_MIDI = 60


@dataclass(frozen=True)
class Voice:
    """One synthetic singer.

    Attributes:
        name: the artist.
        voice_type: as singers are called by the range and colour that they were given here.
        centre_midi: middle of the comfortable range; melodies keep within about 7 semitones of it.
        tract_cm: length of the vocal tract; all formants scale with 17.5 / tract_cm.
        formant_factors: personal factors on F1..F5, from the shape of this one tract.
        vowel_space: 1 = clear vowels; smaller = drawn towards the neutral vowel.
        bandwidth_factor: on all formant bandwidths; small = ringing, large = soft.
        rd: shape of the glottal pulse (Fant 1995): 0.5 pressed ... 1 modal ... 2.5 breathy.
        breath: aspiration noise between the pulses, relative to the voiced sound.
        vibrato_hz, vibrato_semitones, vibrato_onset_s: rate, depth, delay within a note.
        jitter, shimmer: relative random change of period and of amplitude.
        rasp: strength of the subharmonic, 0 = clean.
        nasality: how far the velum stays open in vowels, 0..1.
        portamento_s: how long the pitch takes from note to note.
        scoop_semitones: how far below the first note of a phrase the voice sets in.
        cluster: pull of F3..F5 towards one another, the singer's formant, 0..1.
    """

    name: str
    voice_type: str
    centre_midi: float
    tract_cm: float
    formant_factors: tuple[float, float, float, float, float]
    vowel_space: float
    bandwidth_factor: float
    rd: float
    breath: float
    vibrato_hz: float
    vibrato_semitones: float
    vibrato_onset_s: float
    jitter: float
    shimmer: float
    rasp: float
    nasality: float
    portamento_s: float
    scoop_semitones: float
    cluster: float

    @property
    def register(self) -> str:
        """``high`` for those who are at home above middle C, else ``low``."""
        return "high" if self.centre_midi >= MIDDLE_C_MIDI else "low"


VOICES: tuple[Voice, ...] = (
    Voice(
        name="Ysolde Marrin",  # warm mezzo with a wide, slow vibrato
        voice_type="mezzo-soprano",
        centre_midi=64,
        tract_cm=15.2,
        formant_factors=(1.06, 0.93, 0.96, 1.03, 1.03),
        vowel_space=1.0,
        bandwidth_factor=1.0,
        rd=0.8,
        breath=0.05,
        vibrato_hz=5.1,
        vibrato_semitones=0.55,
        vibrato_onset_s=0.25,
        jitter=0.003,
        shimmer=0.03,
        rasp=0.0,
        nasality=0.05,
        portamento_s=0.11,
        scoop_semitones=1.0,
        cluster=0.5,
    ),
    Voice(
        name="Bram Tillerson-Oake",  # dark baritone, open vowels, little vibrato
        voice_type="baritone",
        centre_midi=52,
        tract_cm=18.1,
        formant_factors=(0.97, 1.04, 0.96, 0.95, 1.0),
        vowel_space=0.9,
        bandwidth_factor=1.15,
        rd=1.05,
        breath=0.08,
        vibrato_hz=4.6,
        vibrato_semitones=0.18,
        vibrato_onset_s=0.6,
        jitter=0.004,
        shimmer=0.05,
        rasp=0.0,
        nasality=0.1,
        portamento_s=0.08,
        scoop_semitones=1.8,
        cluster=0.1,
    ),
    Voice(
        name="Zoë Lindqvår",  # bright, clear soprano
        voice_type="soprano",
        centre_midi=69,
        tract_cm=14.0,
        formant_factors=(1.04, 1.05, 0.98, 1.04, 1.05),
        vowel_space=1.05,
        bandwidth_factor=0.85,
        rd=0.75,
        breath=0.03,
        vibrato_hz=6.3,
        vibrato_semitones=0.4,
        vibrato_onset_s=0.15,
        jitter=0.002,
        shimmer=0.02,
        rasp=0.0,
        nasality=0.0,
        portamento_s=0.07,
        scoop_semitones=0.4,
        cluster=0.2,
    ),
    Voice(
        name="Dario Vellacourt",  # operatic tenor with a ringing singer's formant
        voice_type="tenor",
        centre_midi=58,
        tract_cm=16.9,
        formant_factors=(1.03, 0.97, 1.0, 0.93, 0.9),
        vowel_space=0.95,
        bandwidth_factor=0.9,
        rd=0.65,
        breath=0.015,
        vibrato_hz=5.8,
        vibrato_semitones=0.75,
        vibrato_onset_s=0.1,
        jitter=0.002,
        shimmer=0.02,
        rasp=0.0,
        nasality=0.0,
        portamento_s=0.13,
        scoop_semitones=0.6,
        cluster=0.6,
    ),
    Voice(
        name="Cleo Amarunde",  # close, breathy alto
        voice_type="alto",
        centre_midi=58,
        tract_cm=16.3,
        formant_factors=(0.94, 1.0, 1.08, 1.06, 0.98),
        vowel_space=0.8,
        bandwidth_factor=1.4,
        rd=1.8,
        breath=0.11,
        vibrato_hz=5.5,
        vibrato_semitones=0.12,
        vibrato_onset_s=0.5,
        jitter=0.005,
        shimmer=0.05,
        rasp=0.0,
        nasality=0.15,
        portamento_s=0.06,
        scoop_semitones=0.8,
        cluster=0.0,
    ),
    Voice(
        name="Oskar Fennwood",  # low and pressed, with a creak
        voice_type="bass",
        centre_midi=48,
        tract_cm=18.8,
        formant_factors=(1.05, 0.93, 1.04, 1.04, 1.02),
        vowel_space=1.0,
        bandwidth_factor=0.9,
        rd=0.5,
        breath=0.03,
        vibrato_hz=5.0,
        vibrato_semitones=0.3,
        vibrato_onset_s=0.4,
        jitter=0.009,
        shimmer=0.08,
        rasp=0.12,
        nasality=0.0,
        portamento_s=0.05,
        scoop_semitones=0.5,
        cluster=0.3,
    ),
    Voice(
        name="Juno Parrish-Bell",  # rough rock voice in the middle
        voice_type="alto",
        centre_midi=61,
        tract_cm=16.4,
        formant_factors=(1.07, 1.02, 0.94, 0.97, 1.06),
        vowel_space=0.95,
        bandwidth_factor=1.1,
        rd=0.8,
        breath=0.12,
        vibrato_hz=6.7,
        vibrato_semitones=0.22,
        vibrato_onset_s=0.45,
        jitter=0.014,
        shimmer=0.14,
        rasp=0.4,
        nasality=0.1,
        portamento_s=0.05,
        scoop_semitones=2.4,
        cluster=0.15,
    ),
    Voice(
        name="Íris Montalvane",  # light, nasal, youthful
        voice_type="soprano",
        centre_midi=63,
        tract_cm=14.2,
        formant_factors=(0.96, 1.10, 1.08, 0.94, 0.92),
        vowel_space=1.0,
        bandwidth_factor=1.0,
        rd=1.0,
        breath=0.07,
        vibrato_hz=5.9,
        vibrato_semitones=0.08,
        vibrato_onset_s=0.7,
        jitter=0.003,
        shimmer=0.03,
        rasp=0.0,
        nasality=0.45,
        portamento_s=0.04,
        scoop_semitones=0.2,
        cluster=0.0,
    ),
)
