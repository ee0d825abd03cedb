"""Ray: processes of this machine, or of a whole cluster, that listen; dead ones are replaced."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from catalogue.listener import Ears, Listener
from catalogue.manifest import Entry
from engine.errors import CatalogueError, SingalikeError

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


@dataclass(eq=False)
class Worker:
    """One process.

    Attributes:
        pending: what is awaited of it: its spaces first, then what it hears.
        entry: what it listens to; None while it loads its models.
    """

    actor: Any
    pending: Any
    entry: Entry | None = None


class WorkerLostError(Exception):
    """The process, or its whole machine, is gone."""


class Crew:
    """Workers, started and asked through Ray. Only ``ready`` waits for anything."""

    def __init__(self, ears: Ears, root: str) -> None:
        self._ray: Any = import_module("ray")
        self._arguments = (ears, root)
        self.workers: list[Worker] = []

    def hire(self) -> None:
        """Start a process; the first thing that it has to tell is that its models are loaded."""
        # Restarts and retries are ours: Ray would go on for ever with a file that kills its reader.
        kind = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Listener)
        actor = kind.remote(*self._arguments)
        self.workers.append(Worker(actor, actor.load.remote()))

    def assign(self, worker: Worker, entry: Entry) -> None:
        worker.entry, worker.pending = entry, worker.actor.hear.remote(entry)

    def dismiss(self, worker: Worker) -> None:
        self.workers.remove(worker)
        self._ray.kill(worker.actor)

    def ready(self, timeout_s: float) -> list[Worker]:
        """Those that have something to tell; waits until there is one, at most this long."""
        awaited = {worker.pending: worker for worker in self.workers}
        found, _ = self._ray.wait(list(awaited), num_returns=1, timeout=timeout_s)
        return [awaited[one] for one in found]

    def told(self, worker: Worker) -> Any:
        """Its spaces, or what became of its entry. WorkerLostError, and what it raised itself."""
        try:
            return self._ray.get(worker.pending)
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except self._ray.exceptions.RayError as error:
            raise WorkerLostError(str(error)) from error


def _cause(error: Any) -> Exception:
    """What went wrong in the worker, as it was raised there."""
    cause = error.cause
    if isinstance(cause, SingalikeError):
        return cause
    return CatalogueError(f"A worker failed: {type(cause).__name__}: {cause}.")
