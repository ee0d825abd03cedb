"""Build a data set: every song rendered once, written by one writer, resumable at each song."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from engine.errors import SingalikeError
from engine.models.segments import SEGMENT_S
from engine.networks.processor import single_threaded_torch
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress, with_eta
from engine.separation import Separator
from engine.separation import load as load_separator
from training.data.plan import PrepareOptions, Task, plan
from training.data.rendering import Rendered, render, separate_waveform, stems_of
from training.data.shards import Writer
from training.data.sources import Song
from training.data.tables import Summary, finish
from training.errors import DataError


def prepare(
    songs: Sequence[Song],
    folder: Path,
    options: PrepareOptions,
    *,
    num_workers: int = 0,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
    separators: Callable[[str], Separator] = load_separator,
    notes: Sequence[str] = (),
) -> Summary:
    """Write the data set, or go on with an unfinished one.

    Songs are heard side by side, one per core (``num_workers``: 0) and on one core each, as a
    library's are. Memory is bounded by a few songs per worker, whatever the number of songs.
    ``notes`` on the source come first in the summary.

    Raises:
        DataError: impossible split, other options than the data set was begun with, full disk,
            or nothing usable at all. CancelledError; what was finished is kept.
    """
    tasks = plan(songs, options)
    begin(folder, options)
    needs = any(t.is_separated_again or t.song.kind == "mixture" for t in tasks)
    separator = separators(options.separator) if needs else None
    try:
        with single_threaded_torch(), Writer(folder) as writer:
            open_tasks = [task for task in tasks if task.key not in writer.finished]
            num_done, progress = len(tasks) - len(open_tasks), with_eta(progress)
            progress(Progress("prepare", num_done, len(tasks), message="the first song"))
            num_workers = num_workers or os.cpu_count() or 1
            for task, rendered in _rendered(open_tasks, separator, num_workers, cancel):
                writer.add(task, rendered)
                num_done += 1
                message = f"{task.key} ({rendered})" if isinstance(rendered, str) else task.key
                progress(Progress("prepare", num_done, len(tasks), message=message))
    except OSError as error:
        raise DataError(
            f"The data set cannot be written: {error.strerror or error}. Make room "
            "(about 1.9 MB per 30 s of music) and start again; finished songs are kept."
        ) from error
    return finish(folder, {task.key for task in tasks}, asdict(options), notes)


def begin(folder: Path, options: PrepareOptions) -> None:
    """Note how a data set is made. Raises DataError where it was begun with other options."""
    path = folder / "options.json"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.loads(json.dumps(asdict(options)))
    if not path.exists():
        path.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    elif json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise DataError(
            f"{folder} was begun with other options (see {path}). Give the same ones to go on, "
            "or choose another folder."
        )


def _rendered(
    tasks: Sequence[Task],
    separator: Separator | None,
    num_workers: int,
    cancel: CancelToken | None,
) -> Iterator[tuple[Task, Rendered | str]]:
    """Rendered in parallel, in the order of the tasks, a few ahead of the writer at most."""
    source = iter(tasks)
    with ThreadPoolExecutor(num_workers) as pool:
        ahead = [pool.submit(_render, t, separator) for t in islice(source, 2 * num_workers)]
        try:
            while ahead:
                if cancel is not None:
                    cancel.check()
                yield ahead.pop(0).result()
                ahead += [pool.submit(_render, t, separator) for t in islice(source, 1)]
        finally:
            for future in ahead:
                future.cancel()


def _render(task: Task, separator: Separator | None) -> tuple[Task, Rendered | str]:
    """The segments of a song, or the reason why there are none."""
    if missing := [path for path in task.song.paths if not path.exists()]:
        return task, f"The file {missing[0]} is missing."
    try:
        mixture, vocals = stems_of(task.song, separator, task.backing)
        if task.is_separated_again:
            assert separator is not None
            vocals = separate_waveform(mixture, separator)
        rendered = render(mixture, vocals)
    except SingalikeError as error:
        return task, str(error)
    if not len(rendered.stems):
        return task, f"It is shorter than {SEGMENT_S:.0f} seconds."
    return task, rendered
