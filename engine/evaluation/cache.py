"""Embeddings on disk: computed once per sound, model and input, whatever is asked of them.

One small file per clip and model; any thread or process may use them, and deleting any of them
costs only time. A clip in which no segment passes the gate is kept as such, with no excerpts.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from engine.errors import EvaluationError
from engine.paths import written_whole

# Raised when files change, and when clips come to be heard in another way than before: another
# decoding, other cutting, a separator that does the same job differently.
VERSION = 7
FLOAT16_MAX = 60_000.0


def path_of(folder: Path, model_sha256: str, source: str, content: str) -> Path:
    """Where an embedding lies.

    Args:
        source: which input, with everything that shapes it (separator, part of the clip).
        content: hash of the sound.
    """
    digest = hashlib.blake2b(f"{source}\n{content}".encode(), digest_size=16).hexdigest()
    return folder / f"v{VERSION}-{model_sha256[:16]}" / digest[:2] / f"{digest}.npz"


def save(
    path: Path, excerpts: np.ndarray, weights: np.ndarray, numbers: np.ndarray | None = None
) -> None:
    """Excerpts (num_segments, excerpts per segment, dim) float32, weights (num_segments,).

    There are no segments where nothing was heard; weights are those of the mean; numbers say which
    segments of the clip these are (all of them, if not given).

    Raises EvaluationError when the folder cannot be written.
    """
    per_segment = excerpts.mean(1, dtype=np.float64)
    mean = np.average(per_segment, 0, weights) if len(excerpts) else np.zeros(0)
    fits = not excerpts.size or np.abs(excerpts).max() < FLOAT16_MAX
    stored = excerpts.astype(np.float16 if fits else np.float32)
    mean = mean.astype(np.float32)
    numbers = np.arange(len(stored)) if numbers is None else numbers
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path, path.suffix) as draft:
            np.savez(draft, mean=mean, excerpts=stored, numbers=numbers)
    except OSError as error:
        raise EvaluationError(
            f"What was heard cannot be kept in {path.parent}: {error.strerror or error}. Make room "
            "there, or choose another folder for the cache."
        ) from error


def read(path: Path, *members: str) -> list[np.ndarray] | None:
    """What was saved, of these; None when it is not in the cache.

    ``mean``: (dim,) weighted over segments, empty where nothing was heard; ``excerpts``:
    (num_segments, excerpts per segment, dim), rounded to half precision; ``numbers``:
    (num_segments,) int.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [arrays[member] for member in members]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # not there, or damaged: made again, as everything here can be
