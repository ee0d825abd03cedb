"""Ray: processes of this machine, or of a whole cluster, that listen; dead ones are replaced."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from catalogue.errors import CatalogueError, extra_packages
from catalogue.listener import Ears, Listener, RowReport, ShardTask
from catalogue.manifest import Manifest
from catalogue.storage import ShardFolder
from engine.errors import SingalikeError
from engine.records import SpaceKey

# Results pass through this store; shards do not: workers write them.
OBJECT_STORE_BYTES = 100 * 2**20


@contextmanager
def joined_cluster(address: str | None, num_workers: int) -> Iterator[int]:
    """Be part of a Ray cluster, for a ``with`` block; gives the number of workers to start.

    Without an address, one is started on this machine and ended afterwards. A program that has
    joined one already stays in it. Nothing is reported to Ray's makers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with extra_packages():
        import ray

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


@dataclass(eq=False)
class Worker:
    """One process.

    Attributes:
        pending: what is awaited of it: its spaces first, then a stream of reports.
        task: what it is at; None while it loads its models.
        reports: of this task, so far.
        spaces: that it embeds in; empty while it loads its models.
    """

    actor: Any
    pending: Any
    task: ShardTask | None = None
    reports: list[RowReport] = field(default_factory=list)
    spaces: tuple[SpaceKey, ...] = ()


class WorkerLostError(Exception):
    """The process, or its whole machine, is gone."""


class Crew:
    """Workers, started and asked through Ray. Only ``ready`` waits for anything."""

    def __init__(self, ears: Ears, folder: ShardFolder, manifest: Manifest) -> None:
        self._ray: Any = import_module("ray")
        self._arguments = (ears, folder, manifest)
        self.workers: list[Worker] = []

    def hire(self) -> None:
        """Start a process; the first thing that it has to tell is that its models are loaded."""
        # Restarts and retries are ours: Ray would go on for ever with a file that kills its reader.
        kind = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Listener)
        actor = kind.remote(*self._arguments)
        self.workers.append(Worker(actor, actor.load.remote()))

    def assign(self, worker: Worker, task: ShardTask) -> None:
        method = worker.actor.make_shard.options(num_returns="streaming")
        worker.task, worker.reports, worker.pending = task, [], method.remote(task)

    def dismiss(self, worker: Worker) -> None:
        self.workers.remove(worker)
        self._ray.kill(worker.actor)

    def ready(self, timeout_s: float) -> list[Worker]:
        """Those that have something to tell; waits until there is one, at most this long."""
        awaited = {worker.pending: worker for worker in self.workers}
        for num, time_s in ((len(awaited), 0.0), (1, timeout_s)):
            found, _ = self._ray.wait(
                list(awaited), num_returns=num, timeout=time_s, fetch_local=False
            )
            if found:
                break
        return [awaited[one] for one in found]

    def is_done(self, worker: Worker) -> bool:
        """Take what a worker that is ready has to tell; True: its task, or its loading, is done.

        Raises WorkerLostError, and what the worker raised.
        """
        try:
            if worker.task is None:
                worker.spaces = self._ray.get(worker.pending)
                return True
            worker.reports.append(self._ray.get(next(worker.pending)))
        except StopIteration:
            return True
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except self._ray.exceptions.RayError as error:
            raise WorkerLostError(str(error)) from error
        return False


def _cause(error: Any) -> Exception:
    """What went wrong in the worker, as it was raised there."""
    cause = error.cause
    if isinstance(cause, SingalikeError):
        return cause
    return CatalogueError(f"A worker failed: {type(cause).__name__}: {cause}.")
