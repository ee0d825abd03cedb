"""A soak: a library in use for a long time, by somebody who does everything at random.

``make soak MINUTES=60 SEED=0``. The pipeline is the real one, with the separator Spleeter and the
voice model ge2e. What must hold all the time: answers are those of an exact search, memory is flat.
At the end: the library is sound, and what it knows is what a new library learns of the same files.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from faults.music import write_song
from faults.snapshot import Tables, contents
from support.libraries import retag

from engine.errors import QueryError
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library, TrackStatus
from engine.library.upkeep import verify
from engine.search import Searcher, SearchOptions

OPTIONS = IndexOptions(models={"vocals": "ge2e", "overall": "ge2e"}, num_workers=2)
NUM_SONGS = 60
NUM_SEARCHES = 20  # per round
K = 10
TOLERANCE = 1e-5  # of a cosine: sums in another order
WARM_UP_SHARE = 0.3  # of the rounds, before memory is expected to be flat
MAX_GROWTH_BYTES = 32_000_000  # from there on; a leak of one decoded song a round is far more
SUFFIXES = (".wav", ".flac", ".mp3")


@dataclass
class Soak:
    """One library, its folder of music, and what has been done to them."""

    folder: Path
    random: random.Random
    options: IndexOptions = OPTIONS
    num_songs: int = NUM_SONGS  # at the beginning; there are never fewer
    done: Counter[str] = field(default_factory=Counter)
    memory_bytes: list[int] = field(default_factory=list)

    @property
    def music(self) -> Path:
        return self.folder / "Music"

    @property
    def library_path(self) -> Path:
        return self.folder / "library.db"

    def run(self, is_over: Callable[[], bool]) -> None:
        for _ in range(self.num_songs):
            self.add()
        changes = (self.add, self.add, self.delete, self.move, self.retag, self.replace, self.spoil)
        while not is_over():
            for _ in range(self.random.randint(1, 5)):
                self.random.choice(changes)()
            with Library.open(self.library_path) as library:
                self.use(library)
            self.done["rounds"] += 1
            self.memory_bytes.append(used_memory_bytes())

    # what happens to files

    def songs(self) -> list[Path]:
        return sorted(path for path in self.music.rglob("*.*") if path.is_file())

    def new_path(self) -> Path:
        singer = self.random.randint(1, 12)
        name = f"{self.random.getrandbits(32):08x}{self.random.choice(SUFFIXES)}"
        return self.music / f"Singer {singer}" / name

    def add(self) -> None:
        seconds = self.random.uniform(1.1, 7.0)
        write_song(self.new_path(), self.random.uniform(90, 900), seconds)
        self.done["files added"] += 1

    def delete(self) -> None:
        if len(songs := self.songs()) > self.num_songs:
            self.random.choice(songs).unlink()
            self.done["files deleted"] += 1

    def move(self) -> None:
        song, target = self.random.choice(self.songs()), self.new_path()
        target.parent.mkdir(exist_ok=True)
        song.rename(target.with_suffix(song.suffix))
        self.done["files moved"] += 1

    def retag(self) -> None:
        songs = [path for path in self.songs() if path.suffix == ".wav" and path.stat().st_size]
        title = f"Title {self.random.randint(1, 99)}"
        retag(self.random.choice(songs), TIT2=title, TPE1=f"Artist {self.random.randint(1, 9)}")
        self.done["files retagged"] += 1

    def replace(self) -> None:
        """A WAV by one of equal size at times: with a time of its own, or with the same."""
        song = write_song(self.random.choice(self.songs()), self.random.uniform(90, 900), 3.0)
        if self.random.random() < 0.5:
            os.utime(song)
        self.done["files replaced"] += 1

    def spoil(self) -> None:
        song = self.random.choice([path for path in self.songs() if path.suffix != ".wav"])
        song.write_bytes(song.read_bytes()[: self.random.choice((0, 10, 100))])
        self.done["files spoilt"] += 1

    # what a person does with the library

    def use(self, library: Library) -> None:
        if self.random.random() < 0.05:
            library.forget_folder(self.music)
            self.done["folders forgotten"] += 1
        summary = index_folders(library, [self.music], self.options)
        self.done["songs heard"] += summary.indexed
        self.done["songs moved"] += summary.moved
        searcher = Searcher(library)
        for _ in range(NUM_SEARCHES):
            self.search(searcher)
        if self.random.random() < 0.2:
            self.search_file(searcher)

    def search(self, searcher: Searcher) -> None:
        library = searcher.source.library
        track_id = self.random.choice(library.track_ids(status=TrackStatus.INDEXED))
        by = self.random.choice(("vocals", "overall"))
        try:
            result = searcher.by_track(track_id, SearchOptions(by, k=K))
        except QueryError:  # nobody sings in it
            self.done["questions without an answer"] += 1
            return
        found = [neighbour.similarity for neighbour in result.neighbours]
        np.testing.assert_allclose(found, exact_answer(searcher, track_id, by), atol=TOLERANCE)
        self.done["answers equal to exact search"] += 1

    def search_file(self, searcher: Searcher) -> None:
        path = write_song(self.folder / "query.wav", self.random.uniform(90, 900), 3.0)
        result = searcher.by_file(
            path, SearchOptions("overall", k=K, model=self.options.models["overall"])
        )
        assert len(result.neighbours) == K
        self.done["files searched with"] += 1

    # what must hold

    def check_end(self) -> None:
        report = verify(self.library_path)
        assert report.is_fine, report.problems
        fresh = self.folder / "fresh.db"
        with Library.open(fresh) as library:
            index_folders(library, [self.music], self.options)
        assert known(self.library_path) == known(fresh)


def exact_answer(searcher: Searcher, track_id: int, by: str) -> np.ndarray:
    """Similarities of the K nearest songs that are there, over all vectors of the view.

    In double precision and without any code of the search, but for the centre that it takes away.
    """
    library = searcher.source.library
    space_id = next(i for i, key in library.spaces() if key.view == by)
    ids, vectors = library.embeddings(space_id)
    rest = vectors.astype(np.float64)
    rest -= searcher.source.space(library.space(space_id).view, None).centre
    rest /= np.linalg.norm(rest, axis=1, keepdims=True)
    is_answer = np.isin(ids, library.track_ids(status=TrackStatus.INDEXED)) & (ids != track_id)
    similarities = rest[is_answer] @ rest[ids == track_id][0]
    return -np.sort(-similarities)[:K]


def known(path: Path) -> Tables:
    """What a library knows of the files that are there, whatever it has been through."""
    with Library.open(path) as library, library.database.write() as db:
        db.execute("DELETE FROM track WHERE is_missing")
    return contents(path)


def growth_bytes(measures: list[int]) -> int:
    """Between the first and the last third of them after warming up, by their medians."""
    settled = measures[int(WARM_UP_SHARE * len(measures)) :]
    third = max(1, len(settled) // 3)
    return int(np.median(settled[-third:]) - np.median(settled[:third]))


def used_memory_bytes() -> int:
    """Resident, after what is free has been given back to the system."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="singalike-soak-"))
    soak = Soak(folder, random.Random(given.seed))
    end = time.monotonic() + 60 * given.minutes
    try:
        soak.run(lambda: time.monotonic() > end)
        soak.check_end()
    except BaseException as error:
        error.add_note(f"seed {given.seed}, after {soak.done['rounds']} rounds, kept in {folder}")
        raise
    facts = {
        **soak.done,
        "memory_bytes": [min(soak.memory_bytes), max(soak.memory_bytes)],
        "growth_bytes": growth_bytes(soak.memory_bytes),
    }
    json.dump(facts, sys.stdout, indent=1)
    print()
    shutil.rmtree(folder)
    assert growth_bytes(soak.memory_bytes) < MAX_GROWTH_BYTES, "memory grows"


if __name__ == "__main__":
    main()
