"""Memory and time of every protocol on many clips, as two models hear them.

    python benchmarks/evaluation.py [NUM_CLIPS [NUM_SINGERS]]

Embeddings (1280 dimensions, 10 excerpts a clip) are drawn by chance around a voice for each
singer and lie in a cache on disk, as those of sound do. Listening itself holds a clip a worker,
however many there are; it is not measured here, nor is the sound of a listening test. Printed are
CPU seconds and the peak of the whole process so far.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from engine.evaluation.cache import EmbeddingCache
from engine.evaluation.embeddings import EmbeddedData, ModelEmbeddings
from engine.evaluation.evaluation_data import Clip
from engine.evaluation.protocols import PROTOCOLS, protocol
from engine.evaluation.results import Context, Options
from engine.networks.processor import single_threaded_torch
from engine.progress import CancelToken, ignore_progress

DIM, NUM_SEGMENTS, NUM_EXCERPTS = 1280, 2, 5


def embeddings(
    model: str, num_clips: int, num_singers: int, cache: EmbeddingCache
) -> ModelEmbeddings:
    """What a model might hear: voices that differ, songs that do, and noise."""
    rng = np.random.default_rng(len(model))
    voices = rng.normal(size=(num_singers, DIM)).astype(np.float32)
    clips, means, paths = [], [], []
    for number in range(num_clips):
        singer = number % num_singers
        song = voices[singer] + 2 * rng.standard_normal(DIM, dtype=np.float32)
        noise = rng.standard_normal((NUM_SEGMENTS, NUM_EXCERPTS, DIM), dtype=np.float32)
        path = cache.path(model * 16, "vocals", str(number))
        cache.save(path, song + noise, np.ones(NUM_SEGMENTS))
        label = {"gender": "ab"[singer % 2]}
        clips.append(Clip(f"singer {singer}", f"song {number}", labels=label))
        means.append((song + noise).mean((0, 1)))
        paths.append(path)
    counts = np.full(num_clips, NUM_SEGMENTS)
    return ModelEmbeddings(
        model, "vocals", tuple(clips), np.stack(means), counts, None, cache, tuple(paths)
    )


def main() -> None:
    num_clips, num_singers = [*map(int, sys.argv[1:]), *(10_000, 1_500)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder, single_threaded_torch():
        cache = EmbeddingCache(Path(folder))
        all_embeddings = [
            embeddings(model, num_clips, num_singers, cache) for model in ("one", "other")
        ]
        options = Options(label="gender")
        context = Context(
            EmbeddedData(tuple(all_embeddings), "", ()),
            options,
            Path(folder),
            ignore_progress,
            CancelToken(),
        )
        for name in PROTOCOLS:
            if name == "listening-test":
                continue
            started = time.process_time()
            _, run = protocol(name)
            run(context)
            peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(
                f"{name:<20} {time.process_time() - started:7.1f} s   {peak_gb:.2f} GB", flush=True
            )


if __name__ == "__main__":
    main()
