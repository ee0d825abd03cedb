"""Ray: processes of this machine, or of a whole cluster, that listen; dead ones are replaced."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from typing import Any

from catalogue.listener import Ears, listener
from catalogue.manifest import Entry
from engine.errors import CatalogueError, SingalikeError
from engine.library.imports import Song
from engine.progress import CancelToken
from engine.records import SpaceKey
from engine.search.remote.rows import Skipped

REPORT_INTERVAL_S = 0.2
MAX_LOSSES = 3  # workers that may die at one recording before it is taken for the cause
# Results pass through this store, some 20 kB each.
OBJECT_STORE_BYTES = 100 * 2**20


@contextmanager
def joined_cluster(address: str | None, num_workers: int) -> Iterator[int]:
    """Be part of a Ray cluster, for a ``with`` block; gives the number of workers to start.

    Without an address, one is started on this machine and ended afterwards. A program that has
    joined one already stays in it. Nothing is reported to Ray's makers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_task_oom_retries", str(MAX_LOSSES - 1))  # else it goes on for ever
    ray: Any = import_module("ray")
    if ray.is_initialized():
        yield num_workers or _num_cpus()
        return
    local: dict[str, Any] = {
        "num_cpus": num_workers or os.cpu_count() or 1,
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on defaults of Ray that are about to change
            ray.init(
                address=address or "local",
                logging_level=logging.ERROR,
                log_to_driver=False,
                **({} if address else local),
            )
    except Exception as error:
        where = f"The Ray cluster at {address}" if address else "Ray"
        raise CatalogueError(
            f"{where} could not be joined or started: {error}. Check the address, and that the "
            "same version of Ray runs there."
        ) from error
    try:
        yield num_workers or _num_cpus()
    finally:
        ray.shutdown()


def _num_cpus() -> int:
    ray: Any = import_module("ray")
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def spaces_of(ears: Ears, cancel: CancelToken) -> tuple[SpaceKey, ...]:
    """What a worker's embeddings will be in. Raises what loading its models raises."""
    ray: Any = import_module("ray")
    pending = _task(load).remote(ears)
    while not ray.wait([pending], timeout=REPORT_INTERVAL_S)[0]:
        cancel.check()
    try:
        spaces: tuple[SpaceKey, ...] = ray.get(pending)
    except ray.exceptions.RayTaskError as error:
        raise _cause(error) from None
    except ray.exceptions.RayError as error:
        raise CatalogueError(
            "Workers end as soon as they load the models. Give each about 1 GB of memory."
        ) from error
    return spaces


def listen(
    ears: Ears, spaces: Sequence[SpaceKey], entries: Iterator[Entry], num_workers: int
) -> Generator[Song | Skipped | None, None, None]:
    """What is heard, in the order in which it comes; None where nothing came for a moment.

    A recording whose worker dies is given to another; after a few, it is skipped with a reason.
    Raises CatalogueError where a worker hears in another way, and what else workers raise.
    """
    ray: Any = import_module("ray")
    task, pending = _task(hear), dict[Any, Entry]()
    # Where all processors are ours, each has a second one at hand while songs are written.
    num_most = 2 * num_workers if num_workers >= _num_cpus() else num_workers
    try:
        while True:
            for entry in islice(entries, num_most - len(pending)):
                pending[task.remote(ears, tuple(spaces), entry)] = entry
            if not pending:
                return
            ready, _ = ray.wait(list(pending), timeout=REPORT_INTERVAL_S)
            if not ready:
                yield None
            for one in ready:
                yield _told(one, pending.pop(one))
    finally:
        for one in pending:
            ray.cancel(one, force=True)


def load(ears: Ears) -> tuple[SpaceKey, ...]:
    """In a worker."""
    return listener(ears).spaces


def hear(ears: Ears, spaces: tuple[SpaceKey, ...], entry: Entry) -> Song | Skipped:
    """In a worker."""
    own = listener(ears)
    if own.spaces != spaces:
        raise CatalogueError(
            "A worker has another version of a model than the others. Install the same "
            "Singalike on every machine, then run the same command again."
        )
    return own.hear(entry)


def _task(work: Callable[..., Any]) -> Any:
    """Ray gives it to another process when one dies, so many times."""
    return import_module("ray").remote(num_cpus=1, max_retries=MAX_LOSSES - 1)(work)


def _told(pending: Any, entry: Entry) -> Song | Skipped:
    ray: Any = import_module("ray")
    try:
        told: Song | Skipped = ray.get(pending)
    except ray.exceptions.RayTaskError as error:
        raise _cause(error) from None
    except ray.exceptions.RayError:
        reason = (
            f"Listening to it ended {MAX_LOSSES} workers. Look at the file, and at the memory "
            "of the machines, then retry it."
        )
        return Skipped(entry.address, reason, is_failed=True)
    return told


def _cause(error: Any) -> Exception:
    """What went wrong in the worker, as it was raised there."""
    cause = error.cause
    if isinstance(cause, SingalikeError):
        return cause
    return CatalogueError(f"A worker failed: {type(cause).__name__}: {cause}.")
