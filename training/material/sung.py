"""``singalike train sing``: the spoken voices of a table sing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from engine.models.segments import SAMPLE_RATE_HZ
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from training.data.rendering import decode_mono
from training.data.sources import Song
from training.errors import DataError
from training.material.files import Row, begin, file_name, write_mono
from training.material.making import Made, make_all
from training.material.melody import compose
from training.material.singing import sing
from training.material.voice import Voice, analyse

_LOWEST_MIDI, _HIGHEST_MIDI = 43.0, 72.0  # centre of a melody: G2 to C5


@dataclass(frozen=True)
class SingOptions:
    """How voices sing; kept in the folder, and compared when the work goes on.

    Attributes:
        num_songs: per voice, in keys that lie ``keys`` semitones about the speaking pitch.
        speech_s: how much of each voice's speech is used at most.
    """

    num_songs: int = 2
    song_s: float = 15.0
    keys: tuple[float, float] = (-6.0, 13.0)
    speech_s: float = 24.0
    seed: int = 0


@dataclass(frozen=True)
class Reader:
    """One spoken voice: a job of `making`."""

    name: str
    paths: tuple[Path, ...]
    licence: str
    source: str
    options: SingOptions

    def rows(self, folder: Path) -> list[Row]:
        seed = self.options.seed
        return [
            Row(
                path=f"sung/{file_name(self.name)}__{seed}.{number}.opus",
                singer=self.name,
                song=f"sung {seed}.{number}",
                kind="vocals",
                duration_s=self.options.song_s,
                licence=self.licence,
                source=f"{self.source}, sung by code".lstrip(", "),
            )
            for number in range(1, self.options.num_songs + 1)
        ]

    def rng(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng([self.options.seed, crc32(self.name.encode()), *numbers])


def sing_table(
    songs: Sequence[Song],
    folder: Path,
    options: SingOptions,
    *,
    num_processes: int = 1,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> Made:
    """Every spoken voice among ``songs`` sings. Resumable; see `making.make_all`.

    Raises:
        DataError: no speech in the table, other options than the folder was begun with, or
            nothing could be sung. CancelledError.
    """
    readers = readers_of(songs, options)
    if not readers:
        raise DataError("No rows of kind speech in the table. Check it, and --only if you gave it.")
    begin(folder, {"made by": "sing"} | asdict(options))
    return make_all(
        readers,
        sing_reader,
        folder,
        stage="sing",
        num_processes=num_processes,
        progress=progress,
        cancel=cancel,
    )


def readers_of(songs: Sequence[Song], options: SingOptions) -> list[Reader]:
    """All speech of one name is one voice; in an order that shows each kind of voice early."""
    groups: dict[str, list[Song]] = defaultdict(list)
    for song in songs:
        if song.kind == "speech":
            groups[song.artist].append(song)
    return [
        Reader(
            name,
            tuple(path for song in group for path in song.paths),
            group[0].licence,
            group[0].corpus,
            options,
        )
        for name, group in groups.items()
    ]


def sing_reader(reader: Reader, folder: Path) -> None:
    """All songs of one voice. Raises DataError, DecodeError."""
    options = reader.options
    speech = np.concatenate([decode_mono(path) for path in reader.paths])
    voice = analyse(speech[: round(options.speech_s * SAMPLE_RATE_HZ)])
    centres = keys_of(voice, reader.rng(1, 0), options)
    for number, (row, centre_midi) in enumerate(zip(reader.rows(folder), centres, strict=True)):
        path = folder / row.path
        if not path.exists():
            rng = reader.rng(2, 0, number)
            notes = compose(rng, centre_midi, options.song_s)
            write_mono(path, sing(voice, notes, rng, options.song_s))


def keys_of(voice: Voice, rng: np.random.Generator, options: SingOptions) -> np.ndarray:
    """Centres of the songs in semitones, one from each equal part of the range of keys."""
    low, high = (
        float(np.clip(voice.median_midi + offset, _LOWEST_MIDI, _HIGHEST_MIDI))
        for offset in options.keys
    )
    edges = np.linspace(low, high, options.num_songs + 1)
    return rng.permutation(rng.uniform(edges[:-1], edges[1:]))
