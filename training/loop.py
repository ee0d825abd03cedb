"""A run and its folder: train, validate, save, log; stop and go on at any time."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch

from engine.cli.common import clock
from engine.paths import written_whole
from engine.progress import Progress, ProgressCallback, ignore_progress
from training.config import SystemConfig, config_from
from training.data.data_set import PARTS, Dataset
from training.distributed import any_of, join_world, leave_world
from training.errors import RunError
from training.trainer import RunOptions, Trainer

STATE_NAME = "state.pt"
CONFIG_NAME = "config.json"
DATA_NAME = "data.json"
METRICS_NAME = "metrics.jsonl"
TELL_EVERY_S = 1.0


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Whole or not at all. Raises RunError when it cannot be written."""
    try:
        with written_whole(folder / STATE_NAME) as draft:
            torch.save(state, draft)
    except (OSError, RuntimeError) as error:  # torch raises RuntimeError on a full disk
        raise RunError(
            f"The run cannot be saved in {folder}: {error}. Make room and start it again; it goes "
            "on from the last save."
        ) from error


def load_state(folder: Path) -> dict[str, Any]:
    """Raises RunError when there is none or it is damaged."""
    try:
        state = torch.load(folder / STATE_NAME, map_location="cpu", weights_only=True)
    except OSError as error:
        raise RunError(f"There is no saved run in {folder}. Start one first.") from error
    except Exception as error:
        raise RunError(
            f"{folder / STATE_NAME} is damaged ({error}). Start the run anew."
        ) from error
    assert isinstance(state, dict)
    return state


def read_config(folder: Path) -> SystemConfig:
    """The config a run folder was begun with. Raises RunError, ConfigError."""
    path = folder / CONFIG_NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} is no run folder: {CONFIG_NAME} cannot be read.") from error
    return config_from(values, str(path))


def check_folder(folder: Path, config: SystemConfig, dataset: Dataset) -> None:
    """Make it, or see that it holds this very run. Raises RunError for another one."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / CONFIG_NAME).exists():
        _write_json(folder / DATA_NAME, {"identity": dataset.identity, **dataset.info})
        _write_json(folder / CONFIG_NAME, config.as_dict())
        return
    begun = read_config(folder)
    if begun.name != config.name:
        raise RunError(
            f"{folder} holds a run of the system {begun.name}, not {config.name}. "
            "Choose another folder."
        )
    if begun != config:
        raise RunError(
            f"{folder} was begun with other settings ({CONFIG_NAME} there). Give the same ones to "
            "go on, or choose another folder."
        )
    check_data(folder, dataset)


def check_data(folder: Path, dataset: Dataset) -> None:
    """See that a run learns, or has learned, from this data set. Raises RunError if it does not.

    Runs that were begun before this was noted are believed.
    """
    try:
        text = (folder / DATA_NAME).read_text(encoding="utf-8")
    except OSError:
        return
    if json.loads(text)["identity"] != dataset.identity:
        raise RunError(
            f"{folder} was begun with other data than {dataset.path} holds now (see {DATA_NAME} "
            "there). Give the same data sets in the same order, or begin another run."
        )


def _write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def run(
    config: SystemConfig,
    dataset: Dataset,
    folder: Path,
    options: RunOptions,
    progress: ProgressCallback = ignore_progress,
) -> Trainer:
    """Train to the end, or go on with what the folder holds. SIGTERM and Ctrl-C save, then stop.

    Raises:
        RunError, DataError, ConfigError; out of memory becomes a RunError that names the switch.
    """
    world = join_world()
    try:
        if world.is_main:
            check_folder(folder, config, dataset)
            progress(Progress(config.name, message=_data_in_words(dataset)))
        trainer = Trainer(config, dataset, options, world, progress)
        if (folder / STATE_NAME).exists():
            trainer.restore(load_state(folder))
        with closing(trainer.stems), stop_requests() as stop:
            _run(trainer, folder, stop, progress)
    except torch.OutOfMemoryError as error:
        raise RunError(
            "The GPU is out of memory. Take fewer pairs per batch (--set optim.num_pairs="
            f"{config.optim.num_pairs // 2}), or keep the stems on disk (--stems stream)."
        ) from error
    finally:
        leave_world(world)
    return trainer


def _run(trainer: Trainer, folder: Path, stop: threading.Event, progress: ProgressCallback) -> None:
    options, world = trainer.options, trainer.world
    log = Log(folder, trainer.batch) if world.is_main else None
    last_batch = min(options.stop_after or trainer.num_batches, trainer.num_batches)
    first_batch = validated_at = trainer.batch
    pace = Pace(trainer.batch, num_warm=10 if trainer.is_compiled else 1)
    saved_s, is_stopped = time.monotonic(), False
    while trainer.batch < last_batch and not trainer.is_finished:
        is_stopped = any_of(stop.is_set(), world)
        if is_stopped:
            break
        parts = trainer.step()
        pace.note(trainer.batch)
        if log is not None:
            _tell(trainer, parts, pace, progress)
            if trainer.batch % options.log_every == 0 or trainer.batch == last_batch:
                pairs_per_s = pace.batches_per_s * trainer.config.optim.num_pairs
                log.write("train", trainer.batch, {**parts, "pairs_per_s": pairs_per_s})
        if trainer.batch % trainer.config.optim.batches_between_validations == 0:
            validated_at = trainer.batch
            results = _validate(trainer, log)
            trainer.note_loss(results["loss"])
        if log is not None and time.monotonic() - saved_s > options.save_every_s:
            save_state(folder, trainer.state())
            saved_s = time.monotonic()
    if log is not None and trainer.batch > first_batch:
        save_state(folder, trainer.state())
    if not is_stopped and trainer.batch > validated_at:
        _validate(trainer, log)


def _validate(trainer: Trainer, log: Log | None) -> dict[str, float]:
    results = trainer.validate()
    if log is not None:
        log.write("valid", trainer.batch, results)
    return results


def _data_in_words(dataset: Dataset) -> str:
    """How much there is to learn from, and who validates."""
    words = []
    for part, purpose in (("train", "to learn from"), ("valid", "to validate with")):
        rows = dataset.segments[dataset.segments["part"] == PARTS.index(part)]
        voiced = rows[rows["has_vocals"]]
        num_artists, num_songs = len(np.unique(voiced["artist"])), len(np.unique(voiced["track"]))
        words.append(f"{num_songs:,} songs by {num_artists:,} artists {purpose}")
    return ", ".join(words)


class Pace:
    """How fast batches go; of the first ones, which compile and warm up, only until there are more.

    Args:
        batch: how many there were before. num_warm: how many of this run's do not count.
    """

    def __init__(self, batch: int, num_warm: int) -> None:
        self.tell_schedule_at = batch + 2 * num_warm - 1
        self._warm_batch, self._from_batch = batch + num_warm, batch
        self._from_s = self._told_s = time.monotonic()
        self.batches_per_s = 0.0

    def note(self, batch: int) -> None:
        now_s = time.monotonic()
        if batch > self._from_batch:
            self.batches_per_s = (batch - self._from_batch) / (now_s - self._from_s)
        if batch == self._warm_batch:
            self._from_s, self._from_batch = now_s, batch

    def is_time_to_tell(self) -> bool:
        """Once a second at most: reading a loss waits for the GPU."""
        is_due = time.monotonic() - self._told_s >= TELL_EVERY_S
        if is_due:
            self._told_s = time.monotonic()
        return is_due


def _tell(
    trainer: Trainer,
    parts: Mapping[str, float | torch.Tensor],
    pace: Pace,
    progress: ProgressCallback,
) -> None:
    """As soon as that can be told how long all will take, in words; then how it goes."""
    is_first = trainer.batch == pace.tell_schedule_at
    if not (is_first or trainer.batch == trainer.num_batches or pace.is_time_to_tell()):
        return
    loss, accuracy = float(parts["loss"]), float(parts["accuracy"])
    pace.note(trainer.batch)  # anew: a GPU has only now come as far as this
    num_total, per_s = trainer.num_batches, pace.batches_per_s
    if is_first:
        where = "GPU" if trainer.device.type == "cuda" else "processor"
        words = f"{num_total:,} batches take about {clock(num_total / per_s)} on this {where}"
        progress(Progress("schedule", trainer.batch, num_total, message=words))
    pairs_per_s = per_s * trainer.config.optim.num_pairs
    message = f"loss {loss:.3f}, accuracy {accuracy:.2f}, {pairs_per_s:,.0f} pairs/s"
    eta_s = (num_total - trainer.batch) / per_s
    progress(Progress("train", trainer.batch, num_total, eta_s=eta_s, message=message))


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, instead of ending the process at once."""
    stop = threading.Event()

    def request(number: int, frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Log:
    """JSON lines. Those beyond the state that a run goes on from are taken back."""

    def __init__(self, folder: Path, batch: int) -> None:
        self.path = folder / METRICS_NAME
        kept = []
        if self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _batch_of(line) <= batch]
        self.path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def write(self, kind: str, batch: int, values: Mapping[str, float | torch.Tensor]) -> None:
        """Waits for the device once, however many values there are."""
        on_device = [value for value in values.values() if isinstance(value, torch.Tensor)]
        read = iter(torch.stack([v.float() for v in on_device]).tolist() if on_device else [])
        plain = {
            name: next(read) if isinstance(value, torch.Tensor) else float(value)
            for name, value in values.items()
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, "batch": batch, **plain}) + "\n")


def _batch_of(line: str) -> float:
    try:
        return float(json.loads(line)["batch"])
    except (ValueError, KeyError, TypeError):
        return math.inf
