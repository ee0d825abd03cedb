"""Pairs per second of every training system, beside a ceiling and a plain recipe, in one run.

    python benchmarks/training.py                            # whatever device there is
    python benchmarks/training.py --pairs 1024 --batches 50  # as the goals are stated, on a GPU

The *ceiling* is the same encoder, forward, backward and optimiser step, on log-mels that are
already on the device: no sampling, no mixing, no front end, no head. The *plain recipe* is what
one writes first: float32, contiguous tensors, a DataLoader whose workers mix on the CPU.
Figures of different runs or machines are not to be compared; ratios within a run are.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

# The folder of a script comes first on the path, where this very file is called "training".
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from engine.models import SEGMENT_SAMPLES  # noqa: E402
from engine.networks.cvsm.encoder import Encoder  # noqa: E402
from training.config import SystemConfig, load_system, system_names  # noqa: E402
from training.data.data_set import FORMAT_VERSION, SEGMENT_DTYPE, STEMS, Dataset, shard_path  # noqa: E402
from training.heads import make_head  # noqa: E402
from training.losses import contrastive  # noqa: E402
from training.trainer import RunOptions, Trainer  # noqa: E402

EXCERPT_SAMPLES = 16_000


def write_noise(folder: Path, num_segments: int) -> Dataset:
    """Segments of noise by eight artists with two songs each; a quarter of them for validation."""
    rng = np.random.default_rng(0)
    table = np.zeros(num_segments, SEGMENT_DTYPE)
    table["row"] = table["clean"] = np.arange(num_segments)
    table["artist"] = np.arange(num_segments) * 8 // num_segments
    table["track"] = np.arange(num_segments) * 16 // num_segments
    table["part"] = table["artist"] >= 6
    table["has_vocals"] = True
    with shard_path(folder, 0).open("wb") as file:
        for _ in range(num_segments):
            stems = rng.integers(-3000, 3000, (len(STEMS), SEGMENT_SAMPLES), dtype=np.int16)
            file.write(stems.tobytes())
    np.save(folder / "segments.npy", table)
    info = {"format_version": FORMAT_VERSION, "artists": [str(n) for n in range(8)]}
    (folder / "dataset.json").write_text(json.dumps(info), encoding="utf-8")
    return Dataset.open(folder)


def pairs_per_second(
    step: Callable[[], object], num_pairs: int, num_batches: int, device: torch.device
) -> float:
    """Mean over ``num_batches`` steps, after warm-up steps that compile and choose kernels."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(5 if device.type == "cuda" else 1):
        step()
    wait()
    started_s = time.perf_counter()
    for _ in range(num_batches):
        step()
    wait()
    return num_pairs * num_batches / (time.perf_counter() - started_s)


def ceiling_step(trainer: Trainer) -> Callable[[], None]:
    """The trainer's encoder and optimiser on log-mels that do not change."""
    encoder = trainer.network
    assert isinstance(encoder, Encoder)
    num = 2 * trainer.config.optim.num_pairs
    excerpts = torch.randn(num, EXCERPT_SAMPLES, device=trainer.device) / SEGMENT_SAMPLES**0.5
    with torch.no_grad():
        log_mel = encoder.log_mel(excerpts).contiguous(memory_format=torch.channels_last)
    net = torch.compile(encoder.net) if trainer.device.type == "cuda" else encoder.net

    def step() -> None:
        encoder.train()
        with torch.autocast(trainer.device.type, torch.bfloat16, enabled=trainer.is_bfloat16):
            embeddings = encoder.pool(net(log_mel)).float()
        trainer.optimiser.zero_grad(set_to_none=True)
        embeddings.square().mean().backward()
        trainer.optimiser.step()

    return step


class PlainPairs(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """CVSM-A, one example at a time in Python, on the CPU."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __iter__(self):  # type: ignore[no-untyped-def]
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng(worker.id if worker else 0)
        stems = self.dataset.shard(0)
        while True:
            own, other = rng.integers(len(stems), size=2)
            vocals = stems[own, 1] / 32767.0
            vocals = vocals / np.linalg.norm(vocals)
            backing = (stems[other, 0].astype(np.float64) - stems[other, 1]) / 32767.0
            backing = backing / np.linalg.norm(backing)
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
        loss.backward()
        optimiser.step()

    return step


def measure(dataset: Dataset, args: argparse.Namespace) -> dict[str, float]:
    """Name -> pairs per second."""
    results: dict[str, float] = {}
    options = RunOptions(device=args.device, stems=args.stems, precision=args.precision)
    overrides = [f"optim.num_pairs={args.pairs}", "distil.teacher=''"]
    for name in args.systems:
        trainer = Trainer(load_system(name, overrides), dataset, options)
        results[name] = pairs_per_second(trainer.step, args.pairs, args.batches, trainer.device)
        print(f"{name:16} {results[name]:10,.1f} pairs/s", flush=True)
        trainer.stems.close()
    trainer = Trainer(load_system("cvsm-a", overrides), dataset, options)
    step = ceiling_step(trainer)
    results["ceiling"] = pairs_per_second(step, args.pairs, args.batches, trainer.device)
    print(f"{'ceiling':16} {results['ceiling']:10,.1f} pairs/s", flush=True)
    if not args.no_plain:
        plain = plain_step(dataset, load_system("cvsm-a", overrides), trainer.device)
        results["plain"] = pairs_per_second(plain, args.pairs, args.batches, trainer.device)
        print(f"{'plain recipe':16} {results['plain']:10,.1f} pairs/s", flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--stems", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--pairs", type=int, default=128)
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--segments", type=int, default=256, help="of noise, 320 KB each")
    systems = [name for name in system_names() if name != "singalike-ge2e"]
    parser.add_argument("--systems", nargs="*", default=systems)
    parser.add_argument("--no-plain", action="store_true")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    args = parser.parse_args()
    is_gpu = torch.cuda.is_available() and args.device != "cpu"
    name = torch.cuda.get_device_name() if is_gpu else platform.processor() or "CPU"
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads on the CPU")
    with tempfile.TemporaryDirectory() as folder:
        results = measure(write_noise(Path(folder), args.segments), args)
    for system in args.systems:
        share = results[system] / results["ceiling"]
        times = f", {results[system] / results['plain']:.1f} x plain" if "plain" in results else ""
        print(f"{system:16} {share:6.1%} of the ceiling{times}")
    if args.json:
        args.json.write_text(json.dumps({"device": name, **results}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
