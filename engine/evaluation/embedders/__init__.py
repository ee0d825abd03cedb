"""What can be evaluated: anything that turns a second or so of sound into a vector.

Names are looked up among the built-in baselines, then among the plug-ins of other packages (entry
point group ``singalike.embedders``), then among voice models (name or folder of a checkpoint).
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

import numpy as np

from engine.errors import CheckpointError, EvaluationError

ENTRY_POINT_GROUP = "singalike.embedders"
BUILT_IN = {
    "mfcc": "engine.evaluation.embedders.mfcc:Mfcc",
    "mert": "engine.evaluation.embedders.mert:load_mert",
}


class Embedder(Protocol):
    """A model under test. ``engine.models.voice_model.VoiceModel`` is one.

    Attributes:
        name: for people.
        sha256: identity of weights and settings, hex; embeddings are cached under it.
        dim: of its vectors.
        excerpt_samples: length of what it hears at a time, at 16 kHz; at most 80,000.

    One that has a method ``geometry(view) -> Geometry``, as voice models do, is also measured with
    each clip's mean put in its place by that, as the program does it.
    """

    name: str
    sha256: str
    dim: int
    excerpt_samples: int

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, excerpt_samples) float32 at 16 kHz -> (n, dim) float32. Called from any thread.

        Excerpts are cut from segments of 5 s that have an L2 norm of 1 (CVSM.md, front end).
        """


def available() -> list[str]:
    """All names that ``load`` knows without a path."""
    from engine import models

    plug_ins = [entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)]
    return [*BUILT_IN, *plug_ins, *(info.name for info in models.available())]


def load(name: str, *, allow_download: bool = False) -> Embedder:
    """Raises EvaluationError (unknown name, a plug-in that fails), CheckpointError.

    ``allow_download``: fetch weights of ``mert`` that are missing; all others are at hand anyway.
    """
    from engine import models

    if name in BUILT_IN:
        make = EntryPoint(name, BUILT_IN[name], ENTRY_POINT_GROUP).load()
        return make(allow_download=allow_download) if name == "mert" else make()
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        return _load_plug_in(entry)
    try:
        return models.load(name)
    except CheckpointError as error:
        if "/" in name or name in available():
            raise
        raise EvaluationError(
            f"There is no model {name!r}. Known are {', '.join(available())}; the folder of a "
            "checkpoint works too."
        ) from error


def _load_plug_in(entry: EntryPoint) -> Embedder:
    try:
        embedder: Embedder = entry.load()()
    except Exception as error:  # foreign code: whatever it raises, the others must go on
        message = f"The plug-in {entry.name} ({entry.value}) failed: {error}"
        raise EvaluationError(message) from error
    wanted = ("name", "sha256", "dim", "excerpt_samples", "embed_excerpts")
    if missing := [attribute for attribute in wanted if not hasattr(embedder, attribute)]:
        raise EvaluationError(
            f"The plug-in {entry.name} ({entry.value}) is no embedder: it lacks "
            f"{', '.join(missing)}."
        )
    return embedder
