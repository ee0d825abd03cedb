"""``singalike train sing``: the spoken voices of a table, and voices made of them, sing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from engine.models import SAMPLE_RATE_HZ
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from training.data.rendering import decode_mono
from training.data.sources import Song
from training.errors import DataError
from training.material.files import Row, begin, file_name, write_mono
from training.material.making import Made, make_all
from training.material.melody import compose
from training.material.singing import sing
from training.material.voice import Voice, analyse, warped

_LOWEST_MIDI, _HIGHEST_MIDI = 43.0, 72.0  # centre of a melody: G2 to C5
_WARPS = ((0.84, 0.92), (1.09, 1.19))


@dataclass(frozen=True)
class SingOptions:
    """How voices sing; kept in the folder, and compared when the work goes on.

    Attributes:
        num_songs: per voice, in keys that lie ``keys`` semitones about the speaking pitch.
        num_warps: further persons made of each voice, by vocal tracts of other lengths.
        speech_s: how much of each voice's speech is used at most.
    """

    num_songs: int = 2
    song_s: float = 15.0
    num_warps: int = 0
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

    def warps(self) -> list[tuple[str, float]]:
        """Name and ratio of each person made of this voice; the first is the voice itself."""
        persons = [(self.name, 1.0)]
        rng = self.rng(0)
        for number in range(self.options.num_warps):
            low, high = _WARPS[(number + crc32(self.name.encode())) % 2]
            ratio = round(float(rng.uniform(low, high)), 3)
            persons.append((f"{self.name}~{ratio:.3f}", ratio))
        return persons

    def rows(self, folder: Path) -> list[Row]:
        seed = self.options.seed
        return [
            Row(
                path=f"sung/{file_name(person)}__{seed}.{number}.opus",
                singer=person,
                song=f"sung {seed}.{number}",
                kind="vocals",
                duration_s=self.options.song_s,
                licence=self.licence,
                source=f"{self.source}, sung by code".lstrip(", "),
                origin=self.name,
            )
            for person, _ in self.warps()
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
    """All songs of one voice and of the persons made of it. Raises DataError, DecodeError."""
    options = reader.options
    speech = np.concatenate([decode_mono(path) for path in reader.paths])
    voice = analyse(speech[: round(options.speech_s * SAMPLE_RATE_HZ)])
    rows = iter(reader.rows(folder))
    for person, (_, ratio) in enumerate(reader.warps()):
        singer = voice if ratio == 1.0 else warped(voice, ratio)
        centres = keys_of(voice, reader.rng(1, person), options)
        for number, centre_midi in enumerate(centres):
            path = folder / next(rows).path
            if path.exists():
                continue
            rng = reader.rng(2, person, number)
            notes = compose(rng, centre_midi, options.song_s)
            write_mono(path, sing(singer, notes, rng, options.song_s))


def keys_of(voice: Voice, rng: np.random.Generator, options: SingOptions) -> np.ndarray:
    """Centres of the songs in semitones, one from each equal part of the range of keys."""
    low, high = (
        float(np.clip(voice.median_midi + offset, _LOWEST_MIDI, _HIGHEST_MIDI))
        for offset in options.keys
    )
    edges = np.linspace(low, high, options.num_songs + 1)
    return rng.permutation(rng.uniform(edges[:-1], edges[1:]))
