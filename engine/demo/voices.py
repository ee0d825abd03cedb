"""Everything that makes a voice one person's own."""

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
    formant_factors: tuple[float, ...]
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
