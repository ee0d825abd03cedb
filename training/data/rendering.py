"""One song to stems of 5 s segments: decode, separate or compose, gate, cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.models.segments import SAMPLE_RATE_HZ
from engine.separation import SAMPLE_RATE_HZ as SEPARATION_RATE_HZ
from engine.separation import Separator, voice
from engine.sound.audio import decode, decode_all, probe
from engine.sound.resampling import resample
from training.data.data_set import INT16_SCALE, cut
from training.data.sources import Song

VOCAL_GATE = 0.01  # mean |vocals| of a 5 s segment (CVSM, section 4.1)


@dataclass(frozen=True)
class Rendered:
    """Segments of one song.

    Attributes:
        stems: (n, 2, 80000) int16: mixture and vocals; one gain per song avoids clipping.
        starts_s, vocal_levels, loudness_db: (n,), measured before that gain.
    """

    stems: np.ndarray
    starts_s: np.ndarray
    vocal_levels: np.ndarray
    loudness_db: np.ndarray


@dataclass(frozen=True)
class Backing:
    """Which accompaniment a voice alone is set against.

    Attributes:
        start_share: where in it to start, 0 to 1.
        level_db: its energy relative to the voice's.
    """

    path: Path
    start_share: float
    level_db: float = 0.0


def decode_mono(path: Path) -> np.ndarray:
    """(n,) float32 at 16 kHz. Raises DecodeError."""
    return decode_all(path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=1)[0]


def separate(chunks: Iterator[np.ndarray], separator: Separator) -> np.ndarray:
    """(2, n) chunks at 44.1 kHz -> vocals (n,) float32 at 16 kHz, as a library hears them."""
    return np.concatenate(list(voice(separator, chunks)))


def separate_file(path: Path, separator: Separator) -> np.ndarray:
    """Vocals (n,) at 16 kHz of a mixture file."""
    chunks = decode(path, sample_rate_hz=SEPARATION_RATE_HZ, num_channels=2)
    return separate(chunks, separator)


def separate_waveform(mixture: np.ndarray, separator: Separator) -> np.ndarray:
    """Vocals (n,) of a mono mixture (n,) that exists at 16 kHz only."""
    wide = resample(mixture, SAMPLE_RATE_HZ, SEPARATION_RATE_HZ)
    blocks = np.array_split(np.stack([wide, wide]), max(1, len(wide) // SEPARATION_RATE_HZ), axis=1)
    return separate(iter(blocks), separator)[: len(mixture)]


def stems_of(
    song: Song, separator: Separator | None, backing: Backing | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mixture and vocals, (n,) each at 16 kHz, equally long. Raises DecodeError, SeparatorError."""
    if song.kind == "accompaniment":
        mixture = decode_mono(_required(song.accompaniment))
        return mixture, np.zeros_like(mixture)
    if song.kind == "mixture":
        assert separator is not None
        mixture = decode_mono(_required(song.mixture))
        vocals = separate_file(_required(song.mixture), separator)
        return _same_length(mixture, vocals)
    vocals = decode_mono(_required(song.vocals))
    if song.mixture is not None:
        return _same_length(decode_mono(song.mixture), vocals)
    if song.accompaniment is not None:
        accompaniment, vocals = _same_length(decode_mono(song.accompaniment), vocals)
        return accompaniment + vocals, vocals
    if backing is None:
        return vocals, vocals
    accompaniment = _backing_part(backing, len(vocals) / SAMPLE_RATE_HZ)
    return compose(vocals, accompaniment, backing.level_db), vocals


def _backing_part(backing: Backing, length_s: float) -> np.ndarray:
    """From the drawn start on, (n,) at 16 kHz; up to length_s, less where the file ends."""
    duration_s = probe(backing.path).duration_s
    start_s = backing.start_share * max(0.0, duration_s - length_s)
    return decode_all(
        backing.path,
        sample_rate_hz=SAMPLE_RATE_HZ,
        num_channels=1,
        start_s=start_s,
        end_s=start_s + length_s,
    )[0]


def compose(vocals: np.ndarray, accompaniment: np.ndarray, level_db: float = 0.0) -> np.ndarray:
    """A voice over an accompaniment at a level relative to it, repeated where it is too short."""
    repeats = -(-len(vocals) // len(accompaniment))
    backing = np.tile(accompaniment, repeats)[: len(vocals)]
    equal = np.linalg.norm(vocals) / max(float(np.linalg.norm(backing)), 1e-9)
    return np.asarray(vocals + equal * 10 ** (level_db / 20) * backing, dtype=np.float32)


def render(mixture: np.ndarray, vocals: np.ndarray) -> Rendered:
    """Cut both stems (n,) into segments and quantise them with one gain for the song."""
    both = np.stack([mixture, vocals])
    gain = 1.0 / max(1.0, float(np.abs(both).max(initial=0.0)))
    segments, starts_s = cut(both)
    levels = np.abs(segments[:, 1]).mean(-1)
    rms = np.sqrt(np.square(segments[:, 0]).mean(-1))
    # Below the gate there are no vocals: the segment counts as accompaniment as a whole.
    segments[levels <= VOCAL_GATE, 1] = 0.0
    stems = np.rint(segments * (gain * INT16_SCALE)).astype(np.int16)
    return Rendered(stems, starts_s, levels, 20 * np.log10(np.maximum(rms, 1e-6)))


def _same_length(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    num_samples = min(len(first), len(second))
    return first[:num_samples], second[:num_samples]


def _required(path: Path | None) -> Path:
    assert path is not None
    return path
