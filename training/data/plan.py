"""What there is to do to prepare a data set: one task per song, with all that is drawn for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.records import LISTENING_VERSION
from training.data.rendering import Backing
from training.data.sources import Song
from training.data.split import split_artists
from training.data.tables import SEPARATED_SUFFIX

LEVELS_DB = (-6.0, 6.0)  # of a backing relative to the voice that it is drawn for


@dataclass(frozen=True)
class PrepareOptions:
    """How a data set is made; kept in it, and compared when the work goes on.

    Attributes:
        separator: for songs that come as mixtures only.
        parts: shares of the artists for training, validation and test.
        separate_again: voices alone and stems come a second time, as the separator hears them in
            their mixture: the sound that a library's tracks will have.
        listening: version of how a library hears separated voices, as these are made. Half of a
            set is not made by another one.
    """

    separator: str = "spleeter"
    parts: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    separate_again: bool = False
    listening: int = LISTENING_VERSION


@dataclass(frozen=True)
class Task:
    """One song with all that was drawn for it."""

    song: Song
    key: str
    part: int
    backing: Backing | None = None
    is_separated_again: bool = False


def plan(songs: Sequence[Song], options: PrepareOptions) -> list[Task]:
    """All tasks in a fixed order, with backings drawn from the same part as the voice."""
    parts = split_artists(songs, options.parts, options.seed)
    backings: dict[int, list[Path]] = defaultdict(list)
    for song in songs:
        if song.kind == "accompaniment" and song.accompaniment is not None:
            backings[parts[song.key]].append(song.accompaniment)
    pool = [path for part in range(3) for path in backings[part]]
    rng = np.random.default_rng(options.seed + 1)
    tasks = []
    for song in songs:
        number, share = rng.integers(1 << 30), float(rng.random())
        level_db = float(rng.uniform(*LEVELS_DB))
        part = parts[song.key]
        choice = backings[part] or pool
        is_alone = song.kind in ("vocals", "speech")
        drawn = Backing(choice[number % len(choice)], share, level_db) if choice else None
        backing = drawn if is_alone else None
        tasks.append(Task(song, song.key, part, backing))
        if options.separate_again and song.kind in ("vocals", "speech", "stems"):
            tasks.append(Task(song, song.key + SEPARATED_SUFFIX, part, backing, True))
    return tasks
