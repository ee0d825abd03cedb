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

import torch

from engine.progress import Progress, ProgressCallback, ignore_progress
from training.config import SystemConfig, config_from
from training.data.data_set import Dataset
from training.distributed import World, any_of, join_world, leave_world
from training.errors import RunError
from training.trainer import RunOptions, Trainer

STATE_NAME = "state.pt"
CONFIG_NAME = "config.json"
METRICS_NAME = "metrics.jsonl"


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Whole or not at all. Raises RunError when it cannot be written."""
    partial_path = folder / f"{STATE_NAME}.partial"
    try:
        torch.save(state, partial_path)
        partial_path.replace(folder / STATE_NAME)
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


def check_folder(folder: Path, config: SystemConfig) -> None:
    """Make it, or see that it holds this very run. Raises RunError for another one."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / CONFIG_NAME).exists():
        text = json.dumps(config.as_dict(), indent=1) + "\n"
        (folder / CONFIG_NAME).write_text(text, encoding="utf-8")
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
            check_folder(folder, config)
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
    log = Log(folder, trainer.batch, options.tensorboard) if world.is_main else None
    started_s = last_save_s = time.monotonic()
    first_batch = trainer.batch
    while trainer.batch < trainer.num_batches and not stop.is_set():
        parts = trainer.step()
        is_last = trainer.batch == trainer.num_batches
        if trainer.batch % options.log_every == 0 or is_last:
            pace = (trainer.batch - first_batch) / (time.monotonic() - started_s)
            if log is not None:
                pairs_per_s = pace * trainer.config.optim.num_pairs
                log.write("train", trainer.batch, {**parts, "pairs_per_s": pairs_per_s})
                progress(_progress(trainer, parts, pairs_per_s, pace))
        if trainer.batch % trainer.config.optim.validate_every == 0:
            results = trainer.validate()
            if log is not None:
                log.write("valid", trainer.batch, results)
            if trainer.is_exhausted:
                break
        if world.size > 1 and trainer.batch % options.log_every == 0:
            stop_together(stop, world, trainer.device)
        if log is not None and time.monotonic() - last_save_s > options.save_every_s:
            save_state(folder, trainer.state())
            last_save_s = time.monotonic()
    if log is not None and trainer.batch > first_batch:
        save_state(folder, trainer.state())


def stop_together(stop: threading.Event, world: World, device: torch.device) -> None:
    """A process that stopped alone would leave the others waiting for it for ever."""
    if any_of(stop.is_set(), world, device):
        stop.set()


def _progress(
    trainer: Trainer, parts: Mapping[str, float | torch.Tensor], pairs_per_s: float, pace: float
) -> Progress:
    message = (
        f"loss {float(parts['loss']):.3f}, accuracy {float(parts['accuracy']):.2f}, "
        f"{pairs_per_s:,.0f} pairs/s"
    )
    eta_s = (trainer.num_batches - trainer.batch) / pace
    return Progress("train", trainer.batch, trainer.num_batches, eta_s=eta_s, message=message)


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
    """JSON lines, and TensorBoard's files if asked for.

    Lines beyond the state that a run goes on from are taken back. Raises RunError when TensorBoard
    is asked for and not installed.
    """

    def __init__(self, folder: Path, batch: int, with_tensorboard: bool = False) -> None:
        self.path = folder / METRICS_NAME
        kept = []
        if self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _batch_of(line) <= batch]
        self.path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        self._board = _tensorboard(folder) if with_tensorboard else None

    def write(self, kind: str, batch: int, values: Mapping[str, Any]) -> None:
        plain = {name: float(value) for name, value in values.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, "batch": batch, **plain}) + "\n")
        if self._board is not None:
            for name, value in plain.items():
                self._board.add_scalar(f"{kind}/{name}", value, batch)


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise RunError(
            "TensorBoard is not installed. Install it with `pip install tensorboard`, or leave "
            "--tensorboard away; metrics.jsonl holds the same figures."
        ) from error
    return SummaryWriter(folder / "tensorboard")


def _batch_of(line: str) -> float:
    try:
        return float(json.loads(line)["batch"])
    except (ValueError, KeyError, TypeError):
        return math.inf
