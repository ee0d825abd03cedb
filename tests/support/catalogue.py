"""Songs, manifests and workers for tests of catalogue runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.sound import buzz, write_wav

from catalogue.cluster import WorkerLostError
from catalogue.listener import Ears, Listener, RowReport, ShardTask
from catalogue.manifest import Entry, Manifest, read_manifest
from catalogue.run import RunOptions
from catalogue.shards import (
    ShardHeader,
    ShardRow,
    pack_shard,
    read_shard,
    shard_name,
    shard_places,
)
from catalogue.storage import ShardFolder
from engine.library import Tags
from engine.records import SpaceKey, TrackEmbedding, View

MODEL = "ge2e"  # the smallest one that comes with Singalike
SHARD_ROWS = 2
OPTIONS = RunOptions(
    models={"overall": MODEL}, views=("overall",), num_workers=2, shard_rows=SHARD_ROWS
)


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


def rows_of(shards: Path | str) -> list[ShardRow]:
    return [row for place in shard_places([str(shards)]) for row in read_shard(place).rows()]


def contents(folder: Path) -> dict[str, bytes]:
    """Of all shards in a folder, where nothing else may be but the plan of the run."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found.pop("run.json")
    assert all(name.startswith("shard-") for name in found)
    return found


def undisturbed(manifest: str, folder: Path) -> dict[str, bytes]:
    """The shards that one listener writes, in this process, one after the other."""
    read = read_manifest(manifest)
    listener = Listener(Ears(OPTIONS.models, OPTIONS.separator), ShardFolder(str(folder)), read)
    listener.load()
    entries = list(read.entries())
    for number, first in enumerate(range(0, len(entries), SHARD_ROWS)):
        list(listener.make_shard(ShardTask(number, tuple(entries[first : first + SHARD_ROWS]))))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@dataclass(eq=False)
class _Worker:
    listener: Listener
    task: ShardTask | None = None
    pending: Iterator[RowReport] | None = None
    reports: list[RowReport] = field(default_factory=list)
    spaces: tuple[SpaceKey, ...] = ()


class LocalCrew:
    """Real listeners in this process, one row at a time; some rows end the one that meets them."""

    is_fatal: Callable[[str], bool] = staticmethod(lambda address: False)
    can_load = True

    def __init__(self, ears: Ears, folder: ShardFolder, manifest: Manifest) -> None:
        self._arguments = (ears, folder, manifest)
        self.workers: list[_Worker] = []

    def hire(self) -> None:
        self.workers.append(_Worker(Listener(*self._arguments)))

    def assign(self, worker: _Worker, task: ShardTask) -> None:
        worker.task, worker.reports = task, []
        worker.pending = worker.listener.make_shard(task)

    def dismiss(self, worker: _Worker) -> None:
        self.workers.remove(worker)

    def ready(self, timeout_s: float) -> list[_Worker]:
        return list(self.workers)

    def is_done(self, worker: _Worker) -> bool:
        if worker.task is None:
            if not self.can_load:
                raise WorkerLostError
            worker.spaces = worker.listener.load()
            return True
        num_told = len(worker.reports)
        if num_told < len(worker.task.entries):
            entry = worker.task.entries[num_told]
            if entry.row not in worker.task.refused and self.is_fatal(entry.address):
                raise WorkerLostError
        assert worker.pending is not None
        report = next(worker.pending, None)
        if report is not None:
            worker.reports.append(report)
        return report is None


@contextmanager
def no_cluster(*arguments: Any) -> Iterator[int]:
    """In the place of ``joined_cluster``."""
    yield 2


def heard_row(
    row: int,
    path: str,
    tags: Tags,
    heard: dict[View, TrackEmbedding | None],
    *,
    sound: str = "",
    mtime_ns: int = 1,
) -> ShardRow:
    """As a listener would have written it, of a song of 200 s and more."""
    entry = Entry(row, path, None, tags)
    return ShardRow(entry, 1000 + row, mtime_ns, sound or f"sound {row}", 200.0 + row, None, heard)


def failed_row(row: int, path: str, reason: str) -> ShardRow:
    return ShardRow(Entry(row, path, None, Tags()), error=reason, heard={})


def write_shards(
    folder: Path, rows: Sequence[ShardRow], spaces: tuple[SpaceKey, ...], num_rows: int = 2
) -> str:
    for number, first in enumerate(range(0, len(rows), num_rows)):
        some = rows[first : first + num_rows]
        header = ShardHeader(spaces, "0" * 64, some[0].entry.row, len(some))
        ShardFolder(str(folder)).write(shard_name(number), pack_shard(header, some))
    return str(folder)
