"""Mixture to vocals: one protocol, one file per separator, a registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.errors import SeparatorError
from engine.progress import CancelToken

SAMPLE_RATE_HZ = 44_100
DEFAULT = "spleeter"


class Separator(Protocol):
    """Cuts the vocals out of a mixture. Streams: memory does not grow with the song."""

    @property
    def name(self) -> str:
        """Part of the identity of embeddings: another name, another embedding space."""

    def vocals(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        """Separate a stream.

        Args:
            chunks: (2, n) float32 at 44.1 kHz, any n.
            cancel: checked at least once per 10 seconds of audio.

        Yields:
            (n,) float32: vocals, mean of both channels; as many samples in all as came in.

        Raises:
            SeparatorError, CancelledError.
        """


@dataclass(frozen=True)
class SeparatorInfo:
    """A separator that can be loaded by its name."""

    name: str
    title: str
    licence: str


def available() -> list[SeparatorInfo]:
    """All separators installed here, the default first."""
    return [SeparatorInfo("spleeter", "Spleeter, 2 stems (Deezer)", "MIT")]


def load(name: str = DEFAULT) -> Separator:
    """Raises SeparatorError for a name that is not installed, or damaged weights."""
    if name == "spleeter":
        from engine.separation.spleeter import load_spleeter

        return load_spleeter()
    known = ", ".join(info.name for info in available())
    raise SeparatorError(f"There is no separator {name!r}. Choose one of: {known}.")
