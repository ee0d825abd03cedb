"""How fast training is, from made-up songs to a table, in one run on whatever device there is.

    python benchmarks/training_speed.py              # this processor, in two minutes
    sh benchmarks/training_gpu.sh                    # all that needs a GPU, in eight

For every system and size of a batch: pairs per second, eager and compiled; their share of the *bare
network*, which is the same forward and backward pass and optimiser step on excerpts that lie ready
(no drawing, no mixing, no head, no loss); memory at its peak; and what was compiled again while the
clock ran, which should be nothing. Then the *reader* alone, and a *plain recipe* as one writes it
first: float32, contiguous tensors, a DataLoader whose workers mix. Last, real training for a while,
streamed from disk, whose loss must end below 0.9 of that of knowing nothing.
Figures of different runs or machines are not to be compared; shares within a run are.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

import engine  # noqa: F401  # before torch, whose threads it keeps from spinning

# isort: split
import torch
from torch.utils.data import DataLoader, IterableDataset

from engine.heap import keep_freed_memory
from engine.models.segments import SAMPLE_RATE_HZ, SEGMENT_SAMPLES
from engine.networks.cvsm.encoder import Encoder
from training.config import Precision, StemsMode, SystemConfig, load_system
from training.data.data_set import (
    FORMAT_VERSION,
    ROW_BYTES,
    ROWS_PER_SHARD,
    SEGMENT_DTYPE,
    Dataset,
    shard_path,
)
from training.data.rows import Buffer
from training.data.stems import DRAWS_PER_ROW
from training.heads import make_head
from training.losses import contrastive
from training.trainer import RunOptions, Trainer

EXCERPT_SAMPLES = 16_000
PAPER = ("cola", "cola-art", "mscol", "cvsm-a", "cvsm-ah", "cvsm-af", "cvsm-art")
ROWS_PER_ARTIST, ROWS_PER_SONG = 32, 8


def write_songs(folder: Path, num_rows: int) -> Dataset:
    """Buzzing voices of their own pitch over soft noise; a quarter of the artists validate."""
    rng = np.random.default_rng(0)
    table = np.zeros(num_rows, SEGMENT_DTYPE)
    numbers = np.arange(num_rows)
    table["shard"], table["row"] = np.divmod(numbers, ROWS_PER_SHARD)
    table["clean"], table["track"] = numbers, numbers // ROWS_PER_SONG
    table["artist"] = numbers // ROWS_PER_ARTIST
    table["part"] = table["artist"] % 4 == 3
    table["has_vocals"], table["vocal_level"] = True, 0.1
    time_s = np.arange(SEGMENT_SAMPLES, dtype=np.float32) / SAMPLE_RATE_HZ
    noise = rng.standard_normal(2 * SEGMENT_SAMPLES).astype(np.float32)
    for number in numbers:
        pitch_hz = 90 * 1.02 ** rng.uniform(0, 100)
        harmonics = [rng.uniform(0.1, 1) / n * np.sin(2 * np.pi * n * pitch_hz * time_s) for n in
                     range(1, 7)]  # fmt: skip
        start = rng.integers(SEGMENT_SAMPLES)
        backing = 0.05 * noise[start : start + SEGMENT_SAMPLES]
        vocals = 0.1 * np.sum(harmonics, axis=0)
        stems = np.rint(np.stack([vocals + backing, vocals]) * 32767).astype("<i2")
        with shard_path(folder, table["shard"][number]).open("ab") as file:
            file.write(stems.tobytes())
    np.save(folder / "segments.npy", table)
    artists = [str(n) for n in range(int(table["artist"][-1]) + 1)]
    info = {"format_version": FORMAT_VERSION, "artists": artists, "sources": []}
    (folder / "dataset.json").write_text(json.dumps(info), encoding="utf-8")
    return Dataset.open(folder)


def num_compiled() -> int:
    """Graphs that were compiled in this process until now."""
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def pairs_per_second(
    step: Callable[[], object], num_pairs: int, seconds: float, device: torch.device
) -> float:
    """Mean of at least three steps, after some that compile, choose kernels and record graphs."""
    for _ in range(12 if device.type == "cuda" else 1):
        step()
    wait(device)
    started_s, num_steps = time.perf_counter(), 0
    while num_steps < 3 or time.perf_counter() - started_s < seconds:
        for _ in range(20 if device.type == "cuda" else 1):
            step()
            num_steps += 1
        wait(device)
    return num_pairs * num_steps / (time.perf_counter() - started_s)


def bare_step(trainer: Trainer) -> Callable[[], None]:
    """The trainer's network and optimiser, on excerpts that do not change."""
    num = 2 * trainer.config.optim.num_pairs
    excerpts = torch.randn(num, EXCERPT_SAMPLES, device=trainer.device) / SEGMENT_SAMPLES**0.5

    def step() -> None:
        trainer.network.train()
        with torch.autocast(trainer.device.type, torch.bfloat16, enabled=trainer.is_bfloat16):
            embeddings = trainer.forward(excerpts).float()
        trainer.optimiser.zero_grad(set_to_none=True)
        embeddings.square().mean().backward()  # type: ignore[no-untyped-call]
        trainer.optimiser.step()

    return step


class PlainPairs(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """CVSM-A, one example at a time in Python, on the CPU."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng(worker.id if worker else 0)
        while True:
            pair = self.dataset.read(rng.integers(len(self.dataset.segments), size=2)) / 32767.0
            vocals, backing = pair[0, 1], pair[1, 0] - pair[1, 1]
            vocals, backing = (stem / np.linalg.norm(stem) for stem in (vocals, backing))
            weight = rng.uniform(0.6, 0.8)
            mixture = weight * backing + (1 - weight**2) * vocals
            first, second = rng.integers(SEGMENT_SAMPLES - EXCERPT_SAMPLES, size=2)
            yield (
                torch.from_numpy(mixture[first : first + EXCERPT_SAMPLES]).float(),
                torch.from_numpy(vocals[second : second + EXCERPT_SAMPLES]).float(),
            )


def plain_step(dataset: Dataset, config: SystemConfig, device: torch.device) -> Callable[[], None]:
    """float32, contiguous, not compiled, Adam without fusion."""
    torch.manual_seed(0)
    encoder = Encoder().to(device)
    head = make_head(config.loss, encoder.dim).to(device)
    optimiser = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 1e-3, fused=False)
    num_workers = max(1, min(8, (os.cpu_count() or 2) - 1))
    batches = iter(DataLoader(PlainPairs(dataset), config.optim.num_pairs, num_workers=num_workers))

    def step() -> None:
        anchors, positives = next(batches)
        log_mel = encoder.log_mel(torch.cat([anchors, positives]).to(device))
        embeddings = encoder.pool(encoder.net(log_mel.contiguous()))
        loss = contrastive(head(*embeddings.chunk(2)))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


class Table:
    """Rows as they come, and all of them for a file."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        print("| what | pairs | compiled | pairs/s | of the bare network | recompiled | peak GB |")
        print("| --- | ---: | --- | ---: | ---: | ---: | ---: |", flush=True)

    def add(self, what: str, pairs: int, mode: str, rate: float, bare: float, again: int) -> None:
        share = f"{rate / bare:.1%}" if bare else ""
        peak = peak_gb()
        print(f"| {what} | {pairs} | {mode} | {rate:,.1f} | {share} | {again} | {peak:.1f} |")
        sys.stdout.flush()
        self.rows.append({"what": what, "pairs": pairs, "compiled": mode, "pairs_per_s": rate,
                          "share": share, "recompiled": again, "peak_gb": peak})  # fmt: skip


def peak_gb() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure(dataset: Dataset, args: argparse.Namespace, is_gpu: bool) -> Table:
    table = Table()
    for pairs in args.pairs:
        for is_compiled in (False, True) if is_gpu or args.compile else (False,):
            measure_systems(table, dataset, args, pairs, is_compiled)
    if not args.no_plain:
        trainer = make_trainer("cvsm-a", dataset, args, args.pairs[0], False)
        step = plain_step(dataset, trainer.config, trainer.device)
        rate = pairs_per_second(step, args.pairs[0], args.seconds, trainer.device)
        table.add("plain recipe", args.pairs[0], "no", rate, 0, 0)
        trainer.stems.close()
    return table


def make_trainer(
    system: str, dataset: Dataset, args: argparse.Namespace, pairs: int, is_compiled: bool
) -> Trainer:
    options = RunOptions(
        device=args.device, stems=args.stems, precision=args.precision, compile=is_compiled
    )
    config = load_system(system, [f"optim.num_pairs={pairs}", "distil.teacher=''"])
    return Trainer(config, dataset, options)


def measure_systems(
    table: Table, dataset: Dataset, args: argparse.Namespace, pairs: int, is_compiled: bool
) -> None:
    """The paper's systems draw and mix differently; one network, compiled once, serves them all."""
    mode = "yes" if is_compiled else "no"
    trainer = make_trainer("cvsm-ah", dataset, args, pairs, is_compiled)
    bare = pairs_per_second(bare_step(trainer), pairs, args.seconds, trainer.device)
    table.add("bare network", pairs, mode, bare, bare, 0)
    for system in args.systems:
        config = load_system(system, [f"optim.num_pairs={pairs}", "distil.teacher=''"])
        if system in PAPER:
            trainer.config = replace(trainer.config, pairs=config.pairs, stages=config.stages)
        else:
            trainer.stems.close()
            trainer = make_trainer(system, dataset, args, pairs, is_compiled)
        for _ in range(2):
            trainer.step()
        before = num_compiled()
        rate = pairs_per_second(trainer.step, pairs, args.seconds, trainer.device)
        table.add(system, pairs, mode, rate, bare, num_compiled() - before)
    trainer.stems.close()


def measure_reader(dataset: Dataset, device: torch.device) -> dict[str, float]:
    """Rows from disk (or its cache) to the device, in random order as a pool's are."""
    indices = np.random.default_rng(0).permutation(len(dataset.segments))
    buffer = Buffer(len(indices), device)
    buffer.fill(dataset, indices)
    wait(device)
    started_s = time.perf_counter()
    buffer.fill(dataset, indices)
    wait(device)
    rows_per_s = len(indices) / (time.perf_counter() - started_s)
    print(
        f"\nReader alone: {rows_per_s:,.0f} rows/s, {rows_per_s * ROW_BYTES / 1e9:.2f} GB/s; at "
        f"{DRAWS_PER_ROW} draws a row it feeds {rows_per_s * DRAWS_PER_ROW:,.0f} pairs/s.",
        flush=True,
    )
    return {"rows_per_s": rows_per_s, "gb_per_s": rows_per_s * ROW_BYTES / 1e9}


def train_for_real(
    dataset: Dataset, args: argparse.Namespace, pairs: int, is_gpu: bool
) -> dict[str, float]:
    """CVSM-AH, streamed, for ``--train-s`` seconds from the first step to the last."""
    args = argparse.Namespace(**{**vars(args), "stems": "stream"})
    trainer = make_trainer("cvsm-ah", dataset, args, pairs, is_gpu)
    started_s, losses = time.perf_counter(), []
    while time.perf_counter() - started_s < args.train_s:
        losses.append(trainer.step()["loss"])
        if len(losses) % 50 == 0:
            wait(trainer.device)
    wait(trainer.device)
    seconds = time.perf_counter() - started_s
    last = float(torch.stack([torch.as_tensor(loss) for loss in losses[-20:]]).mean())
    chance = math.log(pairs)
    validation = trainer.validate()
    trainer.stems.close()
    print(
        f"Real training, {seconds:.0f} s: {len(losses):,} batches of {pairs}, "
        f"{len(losses) * pairs / seconds:,.0f} pairs/s with compiling; loss {last:.3f}, validation "
        f"{validation['loss']:.3f}, where knowing nothing is {chance:.3f}: "
        f"{'below 0.9 of it' if last < 0.9 * chance else 'NOT BELOW 0.9 of it'}.",
        flush=True,
    )
    return {"loss": last, "valid_loss": validation["loss"], "chance": chance}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--stems", choices=get_args(StemsMode), default="auto")
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    parser.add_argument("--compile", action="store_true", help="on a processor as well")
    parser.add_argument("--pairs", type=int, nargs="+", default=[128])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rows", type=int, default=256, help="made-up segments, 320 KB each")
    parser.add_argument("--systems", nargs="*", default=[*PAPER, "singalike"])
    parser.add_argument("--no-plain", action="store_true")
    parser.add_argument("--train-s", type=float, default=0.0, help="of real training")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    args = parser.parse_args()
    keep_freed_memory()
    started_s = time.perf_counter()
    is_gpu = torch.cuda.is_available() and args.device != "cpu"
    name = torch.cuda.get_device_name() if is_gpu else platform.processor() or "CPU"
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads on the CPU\n")
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_songs(Path(folder), args.rows)
        figures: dict[str, object] = {"device": name, "table": measure(dataset, args, is_gpu).rows}
        device = torch.device("cuda" if is_gpu else "cpu")
        figures["reader"] = measure_reader(dataset, device)
        if args.train_s:
            figures["real"] = train_for_real(dataset, args, args.pairs[0], is_gpu)
    print(f"All of it took {time.perf_counter() - started_s:.0f} s.")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
