"""How fast songs are listened to, beside the arithmetic alone, in one run.

    python benchmarks/indexing.py FOLDER [--songs N]

Speeds are seconds of audio per second by the clock with all cores, but for the stages, which are
timed on one core by processor time. "Arithmetic" is the networks alone on ready-made tensors, as
many as the songs need, on all cores: what no pipeline around them can beat.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine import models, separation
from engine.errors import DecodeError
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library
from engine.listening.embedding import every_for, segment_batches
from engine.models.segments import SAMPLE_RATE_HZ, SEGMENT_S, SEGMENT_SAMPLES
from engine.networks.processor import single_threaded_torch
from engine.records import View
from engine.separation import SAMPLE_RATE_HZ as SEPARATION_RATE_HZ
from engine.separation.spleeter import PLAN, load_spleeter
from engine.sound.audio import decode_all
from engine.sound.decoding import pool, streams

NUM_CORES = os.cpu_count() or 1
STAGE_SONGS = 3
MIN_S = 60.0
SONG_S = 210.0  # of which songs an hour are told
VIEWS: tuple[View, View] = ("overall", "vocals")


def timed(work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    work()
    return clock() - started


def songs_in(folder: Path, num_songs: int) -> list[Path]:
    paths = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            if streams.probe(path)["duration_s"] > MIN_S:
                paths.append(path)
        except DecodeError:
            continue
    return paths[:num_songs]


def every_of(view: View, num_segments: int) -> int:
    return every_for(num_segments) if view == "overall" else 1


# Stages, one core


def stages(paths: list[Path]) -> dict[str, float]:
    """Processor time of each stage per second of audio."""
    spent: dict[str, float] = {}
    total_s = 0.0
    separator = separation.load()
    voices = {view: models.load(models.default_model_name(view)) for view in VIEWS}

    def decoded(path: Path, rate_hz: int) -> list[Any]:
        return list(streams.pieces(path, rate_hz, 0.0, None, 2.0))

    def note(stage: str, work: Callable[[], Any]) -> None:
        spent[stage] = spent.get(stage, 0.0) + timed(work, time.process_time)

    with single_threaded_torch():
        for path in paths:
            mono = decode_all(path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=1)[0]
            stereo = decode_all(path, sample_rate_hz=SEPARATION_RATE_HZ, num_channels=2)
            total_s += len(mono) / SAMPLE_RATE_HZ
            chunks = np.array_split(stereo, 20, axis=1)
            segments = np.concatenate([batch for _, batch in segment_batches([mono])])
            note("hash", lambda: list(streams.audio_hash(path)))  # noqa: B023
            note("decode (overall)", lambda: decoded(path, SAMPLE_RATE_HZ))  # noqa: B023
            note("decode (vocals)", lambda: decoded(path, SEPARATION_RATE_HZ))  # noqa: B023
            note("separate", lambda: list(separation.voice(separator, chunks)))  # noqa: B023
            for view in VIEWS:
                model, every = voices[view], every_of(view, len(segments))
                note(f"embed ({view})", lambda: model.embed_segments(segments, every))  # noqa: B023
    return {stage: seconds / total_s for stage, seconds in spent.items()}


# What the networks take


def arithmetic(view: View) -> float:
    """Seconds of audio per second, all cores: networks on tensors that are there already."""
    model = models.load(models.default_model_name(view))
    num_segments = 40  # 200 s
    every = every_of(view, num_segments)
    rng = np.random.default_rng(0)
    segments = rng.standard_normal((num_segments, SEGMENT_SAMPLES)).astype(np.float32)
    audio_s = num_segments * SEGMENT_S
    mask = load_spleeter()._gain_of
    shape = (PLAN.blocks_per_batch, 2, PLAN.block_frames, PLAN.num_bins)
    magnitude = torch.from_numpy(rng.gamma(0.5, 4.0, shape).astype(np.float32))
    block_s = PLAN.blocks_per_batch * PLAN.step_frames * PLAN.hop_samples / SEPARATION_RATE_HZ

    def work(_: int) -> None:
        model.embed_segments(segments, every)
        if view == "vocals":
            with torch.inference_mode():
                for _ in range(round(audio_s / block_s)):
                    mask(magnitude)

    rounds = 1 if view == "vocals" else 5
    with single_threaded_torch(), ThreadPoolExecutor(NUM_CORES) as threads:
        list(threads.map(work, range(NUM_CORES)))
        seconds = timed(lambda: list(threads.map(work, range(rounds * NUM_CORES))))
    return rounds * NUM_CORES * audio_s / seconds


# The whole


def children_s() -> float:
    """Processor time of the decoder processes that run now. Linux only; elsewhere 0."""
    spent = 0.0
    for pid in pool.pids():
        path = Path(f"/proc/{pid}/stat")
        if path.exists():
            fields = path.read_text().rsplit(")", 1)[1].split()
            spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def pipeline(paths: list[Path], view: View, scratch: Path) -> tuple[float, float]:
    """(seconds of audio per second, share of all cores). A short first run loads all there is."""
    for name, songs in (("warm", paths[:1]), ("songs", paths)):
        music = scratch / f"{view}-{name}"
        music.mkdir()
        for number, path in enumerate(songs):
            (music / f"{number}{path.suffix}").symlink_to(path.resolve())
        with Library.open(scratch / f"{view}-{name}.db") as library:
            before = time.process_time() + children_s()
            summary = index_folders(library, [music], IndexOptions(views=(view,)))
            cpu_s = time.process_time() + children_s() - before
        assert summary.indexed == len(songs), summary
    return summary.audio_seconds / summary.seconds, cpu_s / summary.seconds / NUM_CORES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", type=int, default=20)
    options = parser.parse_args()
    paths = songs_in(options.folder, options.songs)
    spent = stages(paths[:STAGE_SONGS])
    print(f"stages, one core, {STAGE_SONGS} songs")
    for stage, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {stage:<20} {1 / seconds:>6.0f} x")
    with tempfile.TemporaryDirectory() as scratch:
        for view in VIEWS:
            limit = arithmetic(view)
            speed, share = pipeline(paths, view, Path(scratch))
            limit = (limit + arithmetic(view)) / 2  # before and after, for what else goes on
            print(f"{view}: {len(paths)} songs, {NUM_CORES} cores")
            print(f"  {speed:.0f} x real time, {speed * 3600 / SONG_S:.0f} songs of {SONG_S:.0f} s")
            print(f"  arithmetic alone {limit:.0f} x: {speed / limit:.0%} of it")
            print(f"  processor share {share:.0%}")
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory {peak_bytes / 1e9:.2f} GB, stages included")


if __name__ == "__main__":
    main()
