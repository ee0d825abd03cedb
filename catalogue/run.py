"""Listening to a whole manifest: shards of consecutive rows, handed to whoever is free.

What is finished is a file that appeared whole. So a run can be killed at any time, on any machine,
and run again: it goes on with the shards that are not there. A worker that dies costs the shard it
was at; a file that kills its reader again and again becomes a row with a reason.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice
from typing import Any, cast

from catalogue.cluster import Crew, Worker, WorkerLostError, joined_cluster
from catalogue.errors import CatalogueError
from catalogue.listener import Ears, RowReport, ShardTask
from catalogue.manifest import Manifest, read_manifest
from catalogue.shards import is_shard_name, read_shard, shard_name
from catalogue.storage import ShardFolder, absolute, opened
from engine import models, separation
from engine.models import VIEWS
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.records import SpaceKey, View

RUN_NAME = "run.json"
MAX_SHARD_ROWS = 256
MIN_SHARDS_PER_WORKER = 4  # so that all are busy nearly to the end of a small manifest
REPORT_INTERVAL_S = 0.2
MAX_LOSSES = 3  # workers that may die at one row before the row is taken for the cause


@dataclass(frozen=True)
class RunOptions:
    """How to listen.

    Attributes:
        models: by view; a view that is not named gets its default. Empty views are not heard.
        num_workers: processes, one core each; 0: one per core of the machine or cluster.
        address: of a Ray cluster; None: this machine.
        shard_rows: 0: up to 256, fewer where the manifest is small.
        is_retry: listen again to the rows that failed.
    """

    models: Mapping[View, str] = field(default_factory=dict)
    separator: str = separation.DEFAULT
    views: tuple[View, ...] = VIEWS
    num_workers: int = 0
    address: str | None = None
    shard_rows: int = 0
    is_retry: bool = False


@dataclass(frozen=True)
class RunSummary:
    """What became of a manifest's rows.

    Attributes:
        rows: of the manifest = done_before + heard + failed.
        done_before: by an earlier run; failed ones among them.
        no_vocals: of all heard now, those in which nobody sings.
        workers_lost: processes that died and were replaced.
        audio_seconds: length of what was heard now.
    """

    rows: int
    done_before: int
    heard: int
    failed: int
    no_vocals: int
    workers_lost: int
    seconds: float
    audio_seconds: float


@dataclass(frozen=True)
class _Plan:
    """What a folder of shards is for; it stays so until the last shard is there."""

    manifest_sha256: str
    num_rows: int
    shard_rows: int
    models: Mapping[str, str]
    separator: str
    spaces: tuple[SpaceKey, ...] = ()

    @property
    def ears(self) -> Ears:
        return Ears(cast(Mapping[View, str], self.models), self.separator)

    @property
    def num_shards(self) -> int:
        return -(-self.num_rows // self.shard_rows)

    def num_rows_left(self, done: Collection[str]) -> int:
        """Of shards that are not among these names."""
        return sum(
            min(self.shard_rows, self.num_rows - number * self.shard_rows)
            for number in range(self.num_shards)
            if shard_name(number) not in done
        )

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> _Plan:
        spaces = tuple(SpaceKey(**space) for space in values.pop("spaces"))
        return cls(**values, spaces=spaces)


def run_catalogue(
    manifest_place: str,
    out: str,
    options: RunOptions | None = None,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> RunSummary:
    """Listen to every row of a manifest and write shards to a folder or address.

    Raises CatalogueError (nothing to read, write or run on; the folder holds shards of another
    manifest or of other models), CheckpointError, SeparatorError, CancelledError.
    """
    options, cancel = options or RunOptions(), cancel or CancelToken()
    progress(Progress("manifest", message=manifest_place))
    manifest, folder = read_manifest(manifest_place), ShardFolder(absolute(out))
    done = folder.names()
    plan = _plan(manifest, folder, done, options)
    tasks = _tasks(manifest, folder, plan, done, options.is_retry)
    tally = _RowCounts(plan.num_rows, None if options.is_retry else plan.num_rows_left(done))
    first = next(tasks, None)
    if first is None:
        return tally.summary(0)
    tasks = chain([first], tasks)
    with joined_cluster(options.address, options.num_workers) as num_workers:
        crew = Crew(plan.ears, folder, manifest)
        return _Run(crew, plan, folder, tasks, num_workers, tally, progress, cancel).run()


def _plan(
    manifest: Manifest, folder: ShardFolder, names: Collection[str], options: RunOptions
) -> _Plan:
    """That of an earlier run where there is one. CatalogueError where it was for something else."""
    num_workers = options.num_workers or os.cpu_count() or 1  # of a cluster, at the least
    even_rows = -(-manifest.num_rows // (MIN_SHARDS_PER_WORKER * num_workers))
    plan = _Plan(
        manifest.sha256,
        manifest.num_rows,
        options.shard_rows or max(1, min(MAX_SHARD_ROWS, even_rows)),
        {
            view: options.models.get(view) or models.default_model_name(view)
            for view in options.views
        },
        options.separator,
    )
    if RUN_NAME not in names:
        if any(map(is_shard_name, names)):
            raise CatalogueError(
                f"{folder.place} holds shards of unknown origin. Name another folder."
            )
        return plan
    with opened(folder.path_of(RUN_NAME)) as file:
        before = _Plan.from_json(json.loads(file.read()))
    if before.manifest_sha256 != plan.manifest_sha256:
        raise CatalogueError(
            f"{folder.place} holds shards of another manifest, or of an earlier version of this "
            "one. Name another folder."
        )
    if (before.models, before.separator) != (plan.models, plan.separator):
        heard = ", ".join(f"{view} by {name}" for view, name in before.models.items())
        raise CatalogueError(
            f"{folder.place} holds shards made otherwise ({heard}, separator {before.separator}). "
            "Give the same models, views and separator, or name another folder."
        )
    return before


def _tasks(
    manifest: Manifest, folder: ShardFolder, plan: _Plan, done: Collection[str], is_retry: bool
) -> Iterator[ShardTask]:
    """What is left to do, in order, read from the manifest as it is asked for."""
    entries = manifest.entries()
    for number in range(plan.num_shards):
        some = tuple(islice(entries, plan.shard_rows))
        if shard_name(number) not in done:
            yield ShardTask(number, some)
        elif is_retry:
            place = folder.path_of(shard_name(number))
            if read_shard(place, ["error"]).table.column("error").null_count < len(some):
                yield ShardTask(number, some, is_retry=True)


class _Run:
    """Hands out shards, takes reports, replaces workers that die."""

    def __init__(
        self,
        crew: Crew,
        plan: _Plan,
        folder: ShardFolder,
        tasks: Iterator[ShardTask],
        num_workers: int,
        tally: _RowCounts,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> None:
        self._plan, self._folder, self._num_workers = plan, folder, num_workers
        self._progress, self._cancel = progress, cancel
        self._tasks = tasks
        self._again = deque[ShardTask]()
        self._crew = crew
        self._losses = Counter[int]()  # by row; -1: while models were being loaded
        self._tally = tally

    def run(self) -> RunSummary:
        try:
            self._work()
        finally:
            for worker in list(self._crew.workers):
                self._crew.dismiss(worker)
        return self._tally.summary(self._losses.total())

    def _work(self) -> None:
        self._again.extend(islice(self._tasks, self._num_workers))  # no more workers than shards
        for _ in range(len(self._again)):
            self._crew.hire()
        while self._crew.workers:
            self._cancel.check()
            for worker in self._crew.ready(REPORT_INTERVAL_S):
                self._hear(worker)
            self._progress(self._tally.report(self._crew.workers))

    def _hear(self, worker: Worker) -> None:
        try:
            if not self._crew.is_done(worker):
                return
        except WorkerLostError:
            self._replace(worker)
            return
        if worker.task is None:
            self._check_spaces(worker.spaces)
        else:
            self._tally.add(worker.reports)
        task = self._next_task()
        if task is None:
            self._crew.dismiss(worker)
        else:
            self._crew.assign(worker, task)

    def _next_task(self) -> ShardTask | None:
        return self._again.popleft() if self._again else next(self._tasks, None)

    def _check_spaces(self, spaces: tuple[SpaceKey, ...]) -> None:
        """All workers of all runs must hear alike; what the first one says is kept."""
        if not self._plan.spaces:
            self._plan = replace(self._plan, spaces=spaces)
            self._folder.write(RUN_NAME, self._plan.as_json())
        elif spaces != self._plan.spaces:
            raise CatalogueError(
                "A worker has another version of a model than made the shards that are there. "
                "Install the same Singalike on every machine, or name another folder."
            )

    def _replace(self, worker: Worker) -> None:
        """Another worker does the shard again, without the row at which workers keep dying."""
        task = worker.task
        self._crew.dismiss(worker)
        self._crew.hire()
        row = -1 if task is None else _row_at(task, len(worker.reports))
        self._losses[row] += 1
        if task is None and self._losses[row] > MAX_LOSSES * self._num_workers:
            raise CatalogueError(
                "Workers end as soon as they load the models. Give each about 1 GB of memory."
            )
        if task is None:
            return
        if self._losses[row] > MAX_LOSSES:
            raise CatalogueError(
                f"Workers end again and again at shard {task.number}. Look at the memory and the "
                "disk of the machines, then run the same command again; finished shards are kept."
            )
        if self._losses[row] == MAX_LOSSES:
            reason = f"Listening to it ended {MAX_LOSSES} workers. Look at the file, then retry it."
            task = replace(task, refused={**task.refused, row: reason})
        self._again.appendleft(task)


def _row_at(task: ShardTask, num_reports: int) -> int:
    """The row that a worker was at when it had told of so many."""
    return task.entries[min(num_reports, len(task.entries) - 1)].row


class _RowCounts:
    """Counts what was heard, and estimates when the rest will be.

    ``num_to_do`` is None where it is not known, as when only failures are tried again.
    """

    def __init__(self, num_rows: int, num_to_do: int | None) -> None:
        self._num_rows, self._num_to_do = num_rows, num_to_do
        self._started = time.monotonic()
        self._num_heard = self._num_failed = self._num_no_vocals = 0
        self._audio_s = 0.0

    def add(self, reports: Iterable[RowReport]) -> None:
        """A shard that is finished."""
        for report in reports:
            if not report.is_known:
                self._num_heard += not report.is_failed
                self._num_failed += report.is_failed
                self._num_no_vocals += report.has_no_vocals
                self._audio_s += report.audio_s

    def report(self, workers: Iterable[Worker]) -> Progress:
        """With the songs of shards that are being made now."""
        fresh = [report for worker in workers for report in worker.reports if not report.is_known]
        num_new = self._num_heard + self._num_failed + len(fresh)
        audio_s = self._audio_s + sum(report.audio_s for report in fresh)
        last = fresh[-1].address if fresh else ""
        if self._num_to_do is None:
            return Progress("embed", num_new, None, audio_s, message=last)
        num_left = self._num_to_do - num_new
        elapsed_s = time.monotonic() - self._started
        eta_s = elapsed_s / num_new * num_left if num_new else None
        num_done = self._num_rows - num_left
        return Progress("embed", num_done, self._num_rows, audio_s, 0.0, eta_s, last)

    def summary(self, num_lost: int) -> RunSummary:
        return RunSummary(
            rows=self._num_rows,
            done_before=self._num_rows - self._num_heard - self._num_failed,
            heard=self._num_heard,
            failed=self._num_failed,
            no_vocals=self._num_no_vocals,
            workers_lost=num_lost,
            seconds=time.monotonic() - self._started,
            audio_seconds=self._audio_s,
        )
