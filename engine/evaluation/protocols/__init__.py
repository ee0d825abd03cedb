"""One file per protocol; this is the list of them, in the order of a full report."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from engine.evaluation.results import Context, Result

PROTOCOLS = {
    "artist-similarity": "artist_similarity",
}


def protocol(name: str) -> tuple[str, Callable[[Context], Result]]:
    """(title, function) of a protocol. Its module is imported now, not before."""
    module = import_module(f"{__name__}.{PROTOCOLS[name]}")
    return module.TITLE, module.run
