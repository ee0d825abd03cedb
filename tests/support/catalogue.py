"""Songs, manifests and workers for tests of catalogue runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.libraries import at, vector_embedding
from support.sound import buzz, write_wav

from catalogue.cluster import WorkerLostError
from catalogue.listener import Ears, Listener
from catalogue.manifest import Entry
from catalogue.run import RunOptions
from engine.library import Tags
from engine.library.imports import Song
from engine.records import SpaceKey, TrackEmbedding, View, VoicePortrait
from engine.search.remote.table import SongTable, songs_in

MODEL = "ge2e"  # the smallest one that comes with Singalike
OPTIONS = RunOptions(models={"overall": MODEL}, views=("overall",), num_workers=2)


def write_songs(folder: Path, num: int) -> list[str]:
    """``Artist 0/Song 0.wav`` and so on, of 2 s; their paths in the folder."""
    songs = [f"Artist {number % 3}/Song {number}.wav" for number in range(num)]
    for number, song in enumerate(songs):
        (folder / song).parent.mkdir(parents=True, exist_ok=True)
        write_wav(folder / song, buzz(2, 16_000, 110.0 * 1.1**number))
    return songs


def write_manifest(target: Path, paths: Iterable[str]) -> str:
    lines = [json.dumps({"path": path}) for path in paths]
    target.write_text("\n".join(lines) + "\n", "utf-8")
    return str(target)


def songs_of(place: Path | str) -> list[Song]:
    """All songs of a catalogue, by path."""
    found = [song for some in songs_in(SongTable.open(str(place))) for song in some]
    return sorted(found, key=lambda song: song.path)


def skipped_of(place: Path | str) -> dict[str, str]:
    """Reasons by path."""
    rows = SongTable.open(str(place)).skipped.search().to_arrow().to_pylist()
    return {row["path"]: row["reason"] for row in rows}


def song(
    path: str,
    degrees: float,
    tags: Tags = Tags(),  # noqa: B008, frozen
    *,
    sound: str = "",
    sings: bool = True,
    duration_s: float = 0.0,
) -> Song:
    """As a listener would have heard it; two views, at right angles to each other."""
    notes = (45 + degrees / 5, 55.0, 65.0)
    portrait = VoicePortrait(*notes, None, None, 0.1, 3.0, 2.0, 1500.0, 0.5)
    heard: dict[View, TrackEmbedding | None] = {
        "vocals": replace(vector_embedding(at(degrees)), portrait=portrait) if sings else None,
        "overall": vector_embedding(at(90 - degrees)),
    }
    return Song(
        path, tags, 1000, 1, sound or f"sound of {path}", duration_s or 200.0 + len(path), heard
    )


def write_table(place: Path, songs: Sequence[Song], spaces: Sequence[SpaceKey]) -> SongTable:
    """What they have in common is nothing: cosines are those of the vectors as they are."""
    table = SongTable.create(str(place), spaces)
    table.add(songs)
    for key in spaces:
        table.set_centre(key, 0 * at(0))
    return table


@dataclass(eq=False)
class _Worker:
    listener: Listener
    entry: Entry | None = None


class LocalCrew:
    """Real listeners in this process; some recordings end the one that meets them."""

    is_fatal: Callable[[str], bool] = staticmethod(lambda address: False)
    can_load = True

    def __init__(self, ears: Ears, root: str) -> None:
        self._arguments = (ears, root)
        self.workers: list[_Worker] = []

    def hire(self) -> None:
        self.workers.append(_Worker(Listener(*self._arguments)))

    def assign(self, worker: _Worker, entry: Entry) -> None:
        worker.entry = entry

    def dismiss(self, worker: _Worker) -> None:
        self.workers.remove(worker)

    def ready(self, timeout_s: float) -> list[_Worker]:
        return list(self.workers)

    def told(self, worker: _Worker) -> Any:
        if worker.entry is None:
            if not self.can_load:
                raise WorkerLostError
            return worker.listener.load()
        if self.is_fatal(worker.entry.address):
            raise WorkerLostError
        return worker.listener.hear(worker.entry)


@contextmanager
def no_cluster(*arguments: Any) -> Iterator[int]:
    """In the place of ``joined_cluster``."""
    yield 2
