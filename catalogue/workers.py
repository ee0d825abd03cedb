"""Workers: processes of this machine, or of a whole cluster of Ray, that listen to recordings.

Each loads the models once and computes on one core. Ray hands recordings to whoever is free, and
replaces workers that die.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs

from catalogue.manifest import Entry
from engine import models, separation
from engine.errors import CatalogueError, DecodeError, SingalikeError
from engine.library import Tags
from engine.library.filenames import is_address
from engine.library.imports import Song
from engine.library.processes import temporary_folder
from engine.library.scan.tags import tags_of
from engine.listening.embedding import check_serves, embed_file
from engine.networks.processor import single_threaded_torch
from engine.progress import CancelToken
from engine.records import SpaceKey, TrackEmbedding, View
from engine.search.remote.rows import Skipped

REPORT_INTERVAL_S = 0.2
MAX_LOSSES = 3  # workers that may die at one recording before it is taken for the cause

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_task_oom_retries", str(MAX_LOSSES - 1))  # else it goes on for ever
ray: Any = import_module("ray")  # which reads these


@dataclass(frozen=True)
class Ears:
    """What to listen with.

    ``model``: for all views, by name or checkpoint folder as each worker finds it; None: each
    view's default.
    """

    views: tuple[View, ...] = models.VIEWS
    model: str | None = None
    separator: str = separation.DEFAULT


class Listener:
    """Everything that these ears need, loaded; on one core. Raises CheckpointError, SeparatorError.

    Attributes:
        spaces: those that embeddings will be in.
    """

    def __init__(self, ears: Ears) -> None:
        load = cache(models.load)  # the same model may serve both views
        self._models = {v: load(ears.model or models.default_model_name(v)) for v in ears.views}
        for view, model in self._models.items():
            check_serves(model, view)
        self._separator = separation.load(ears.separator) if "vocals" in self._models else None
        name = None if self._separator is None else self._separator.name
        self.spaces = tuple(
            SpaceKey(m.name, m.sha256, view, name if view == "vocals" else None, m.vector_dim)
            for view, m in self._models.items()
        )

    def hear(self, entry: Entry) -> Song | Skipped:
        """What fails is skipped with its reason."""
        try:
            with single_threaded_torch(), local_copy(entry) as path:
                return self._listen(entry, path)
        except Exception as error:  # one bad file must not end the run
            unexpected = f"Unexpected failure ({type(error).__name__}: {error}). Retry it."
            reason = str(error) if isinstance(error, SingalikeError) else unexpected
            return Skipped(entry.address, reason, is_failed=True)

    def _listen(self, entry: Entry, path: Path) -> Song:
        heard, identities = dict[View, TrackEmbedding | None](), list[str]()
        for view, model in self._models.items():
            decoded_s = list[float]()
            heard[view] = embed_file(
                path,
                model,
                view,
                separator=self._separator if view == "vocals" else None,
                on_decoded=decoded_s.append,
                on_hash=identities.append,
            )
        tags, stat = _completed(entry.tags, tags_of(path, entry.place)), path.stat()
        mtime_ns = 0 if is_address(entry.address) else stat.st_mtime_ns  # stores tell of uploading
        facts = (stat.st_size, mtime_ns, identities[-1], sum(decoded_s))
        return Song(entry.address, tags, *facts, heard, entry.id)


listener = cache(Listener)  # the one of this process


def join_cluster(num_workers: int) -> None:
    """Be part of a Ray cluster until this program ends.

    Of the one that this program has joined, that ``RAY_ADDRESS`` names, or that runs here; where
    there is none, one is started, of so many workers (0: one per core). Nothing is reported to
    Ray's makers.
    """
    try:
        ray.init(
            num_cpus=num_workers or None,
            include_dashboard=False,
            ignore_reinit_error=True,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except Exception as error:
        raise CatalogueError(
            f"Ray could not be joined or started ({error}). Check RAY_ADDRESS and RAY_AUTH_MODE, "
            "and that the same version of Ray runs there."
        ) from error


def listen(
    ears: Ears, spaces: Sequence[SpaceKey], entries: Iterator[Entry], cancel: CancelToken
) -> Iterator[Song | Skipped]:
    """What is heard, in the order in which it comes, until all is heard or it is cancelled.

    A recording whose worker dies is given to another; after a few, it is skipped with a reason.
    Raises CatalogueError where a worker hears in another way, and what else workers raise.
    """
    task = ray.remote(num_cpus=1, max_retries=MAX_LOSSES - 1)(hear)
    pending = dict[Any, Entry]()
    while not cancel.is_cancelled:
        # each worker has a second one at hand while songs are written
        num_most = 2 * int(ray.cluster_resources().get("CPU", 1))
        for entry in islice(entries, max(0, num_most - len(pending))):
            pending[task.remote(ears, tuple(spaces), entry)] = entry
        if not pending:
            return
        for one in ray.wait(list(pending), timeout=REPORT_INTERVAL_S)[0]:
            yield _told(one, pending.pop(one))


def hear(ears: Ears, spaces: tuple[SpaceKey, ...], entry: Entry) -> Song | Skipped:
    """In a worker."""
    own = listener(ears)
    if own.spaces != spaces:
        raise CatalogueError("it has other models than the machine that was called")
    return own.hear(entry)


def _told(pending: Any, entry: Entry) -> Song | Skipped:
    try:
        return ray.get(pending)
    except ray.exceptions.RayTaskError as error:
        raise CatalogueError(
            f"A worker cannot listen ({error.cause!s:.300}). Install the same Singalike on every "
            "machine, then run the same command again."
        ) from None
    except ray.exceptions.RayError:
        reason = (
            f"Listening to it ended {MAX_LOSSES} workers. Look at the file, and at the memory of "
            "the machines (each worker needs about 1 GB), then retry it."
        )
        return Skipped(entry.address, reason, is_failed=True)


@contextmanager
def local_copy(entry: Entry) -> Iterator[Path]:
    """The file itself where it is local, else a scratch copy that goes away. Raises DecodeError."""
    if not is_address(entry.address):
        if not Path(entry.address).exists():
            raise DecodeError("There is no such file. Correct the manifest, or connect its drive.")
        yield Path(entry.address)
        return
    with temporary_folder() as scratch:
        target = Path(scratch) / f"song{entry.place.suffix[:8]}"
        try:
            system, path = url_to_fs(entry.address)
            system.get_file(path, str(target))
        except Exception as error:  # each of fsspec's systems has errors of its own
            raise DecodeError(
                f"It could not be fetched ({error!r:.300}). Look at the address, and at what is "
                "installed on the workers, then run with --retry."
            ) from error
        yield target


def _completed(given: Tags, found: Tags) -> Tags:
    """What the manifest says counts; what it leaves open, the file tells."""
    names = Tags.__dataclass_fields__
    return Tags(**{name: getattr(given, name) or getattr(found, name) for name in names})
