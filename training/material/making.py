"""Run many independent jobs that each write files: parallel, resumable, a bad one not fatal."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from engine.errors import SingalikeError
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from training.errors import DataError
from training.material.files import Row, write_table


class Job(Protocol):
    """Something to make; picklable, and always the same for the same fields."""

    @property
    def name(self) -> str: ...

    def rows(self, folder: Path) -> list[Row]:
        """What it makes; the files need not exist yet."""


J = TypeVar("J", bound=Job)
Make = Callable[[J, Path], None]


@dataclass
class Made:
    """What there is in the end, and what could not be made and why."""

    table_path: Path
    rows: list[Row] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def minutes(self) -> float:
        return sum(row.duration_s for row in self.rows) / 60

    def text(self) -> str:
        """For people."""
        singers = len({row.singer for row in self.rows})
        lines = [
            f"{len(self.rows)} files, {self.minutes:.0f} minutes, {singers} names; "
            f"table: {self.table_path}"
        ]
        lines += [f"Left out: {name}: {reason}" for name, reason in self.failures]
        return "\n".join(lines)


def make_all(
    jobs: Sequence[J],
    make: Make[J],
    folder: Path,
    *,
    stage: str,
    num_processes: int = 1,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> Made:
    """Make what is not there yet; the table lists what there is.

    Args:
        make: a module-level function; raises SingalikeError for a job that cannot be done.

    Raises:
        CancelledError: what was finished is kept and listed.
        DataError: nothing at all could be made.
    """
    made = Made(folder / "tracks.csv")
    finished = {job.name for job in jobs if _is_there(job, folder)}
    missing = [job for job in jobs if job.name not in finished]
    started_s = time.monotonic()
    try:
        for number, (job, reason) in enumerate(_outcomes(missing, make, folder, num_processes), 1):
            if reason:
                made.failures.append((job.name, reason))
            else:
                finished.add(job.name)
            eta_s = (time.monotonic() - started_s) / number * (len(missing) - number)
            num_done = len(jobs) - len(missing) + number
            note = f"{job.name} ({reason})" if reason else job.name
            progress(Progress(stage, num_done, len(jobs), eta_s=eta_s, message=note))
            if cancel is not None:
                cancel.check()
    finally:
        made.rows = [row for job in jobs if job.name in finished for row in job.rows(folder)]
        write_table(folder, made.rows)
    if not made.rows:
        raise DataError(f"Nothing could be made. {made.failures[0][1] if made.failures else ''}")
    return made


def _is_there(job: Job, folder: Path) -> bool:
    return all((folder / row.path).exists() for row in job.rows(folder))


def _outcomes(
    jobs: Sequence[J], make: Make[J], folder: Path, num_processes: int
) -> Iterator[tuple[J, str]]:
    """Each job with the reason why it failed, or ""; in the order in which they end."""
    if num_processes <= 1:
        yield from ((job, _attempt(make, job, folder)) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")  # forked numpy and threads do not go together
    with ProcessPoolExecutor(num_processes, context, initializer=_start_worker) as pool:
        running = {pool.submit(_attempt, make, job, folder): job for job in jobs}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _attempt(make: Make[J], job: J, folder: Path) -> str:
    try:
        make(job, folder)
    except SingalikeError as error:
        return str(error)
    return ""


def _start_worker() -> None:
    """Ctrl-C is for the main process, which ends the others; each process has one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
