"""Where the time of indexing goes: each stage alone on one core, then the whole pipeline on all.

    python benchmarks/indexing.py FOLDER

Stages are timed on ready-made inputs in this one process, so their shares can be compared; the
pipeline is ``index_folders`` into a new library. Speeds are seconds of audio per second.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine import models, separation
from engine.audio import audio_hash, decode
from engine.embedding import resampled, segment_batches
from engine.errors import DecodeError
from engine.indexer import index_folders
from engine.library import Library
from engine.models import VIEWS

MAX_STAGE_SONGS = 5


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def stage_seconds(path: Path) -> tuple[float, dict[str, float]]:
    """(length of the song, {stage: CPU seconds}), everything in this thread."""
    spent: dict[str, float] = {}
    separator = separation.load()
    voices = {view: models.load(models.default_model_name(view)) for view in VIEWS}
    _, spent["hash"] = timed(lambda: audio_hash(path))
    mono, spent["decode to 16 kHz"] = timed(
        lambda: [c[0] for c in decode(path, sample_rate_hz=16_000, num_channels=1)]
    )
    stereo, spent["decode to 44.1 kHz"] = timed(
        lambda: list(decode(path, sample_rate_hz=44_100, num_channels=2))
    )
    vocals, spent["separate"] = timed(lambda: list(separator.vocals(stereo)))
    vocals_16k, spent["resample vocals"] = timed(lambda: list(resampled(vocals)))
    for view, chunks in (("overall", mono), ("vocals", vocals_16k)):
        segments = np.concatenate([batch for _, batch in segment_batches(chunks)])
        model = voices[view]
        _, spent[f"embed {view} ({model.name})"] = timed(lambda: model.embed_segments(segments))  # noqa: B023
    return sum(map(len, mono)) / 16_000, spent


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    total_s, totals = 0.0, dict[str, float]()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if total_s and len(totals) and total_s > MAX_STAGE_SONGS * 200:
            break
        try:
            song_s, spent = stage_seconds(path)
        except DecodeError:
            continue
        total_s += song_s
        for stage, seconds in spent.items():
            totals[stage] = totals.get(stage, 0.0) + seconds
    whole = sum(totals.values())
    print(f"stages, one core, {total_s:.0f} s of audio")
    for stage, seconds in sorted(totals.items(), key=lambda item: -item[1]):
        print(f"  {stage:<28} {total_s / seconds:>7.0f} x   {seconds / whole:>5.1%}")
    print(f"  {'all':<28} {total_s / whole:>7.0f} x")
    with (
        tempfile.TemporaryDirectory() as scratch,
        Library.open(Path(scratch) / "library.db") as library,
    ):
        cpu = time.process_time()
        summary = index_folders(library, [folder])
        cpu = time.process_time() - cpu
    speed = summary.audio_seconds / summary.seconds
    num_cores = os.cpu_count() or 1
    print(f"pipeline, {num_cores} cores, {summary.indexed} songs, {summary.audio_seconds:.0f} s")
    print(
        f"  {speed:.0f} x real time, {summary.indexed / summary.seconds * 3600:.0f} songs an hour"
    )
    print(f"  CPU share {cpu / summary.seconds / num_cores:.0%}")
    print(f"  {speed / (total_s / whole) / num_cores:.2f} of what the stages alone would allow")
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"  peak memory {peak_bytes / 1e9:.2f} GB (stages included)")


if __name__ == "__main__":
    main()
