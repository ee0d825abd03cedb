"""One file per protocol; this is the list of them, in the order of a full report."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.evaluation.results import Context, Result

PROTOCOLS = {
    "artist-similarity": "artist_similarity",
    "artist-id": "artist_id",
    "gender-id": "gender_id",
    "latent-space": "latent_space",
    "overall-similarity": "overall_similarity",
    "agreement": "agreement",
    "listening-test": "listening_test",
}


def protocol(name: str) -> tuple[str, Callable[[Context], Result]]:
    """(title, function) of a protocol. Its module is imported now, not before."""
    module = import_module(f"{__name__}.{PROTOCOLS[name]}")
    return module.TITLE, module.run
