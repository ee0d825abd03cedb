"""Mixture to vocals: one protocol, one file per separator, a registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable
from weakref import WeakValueDictionary

import numpy as np

from engine.errors import SeparatorError
from engine.preferences import read_choices
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from engine.separation import published
from engine.separation.published import PUBLISHED
from engine.sound.channels import in_phase
from engine.sound.resampling import resampled

SAMPLE_RATE_HZ = 44_100
DEFAULT = "spleeter"
_in_use = WeakValueDictionary[str, "Separator"]()  # 100 MB and more each: nobody needs it twice


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


@runtime_checkable
class VoiceSeparator(Separator, Protocol):
    """A separator that gives what voice models hear with less work than all that people hear."""

    def voice(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        """Like ``vocals``, at 16 kHz: ceil(n * 160 / 441) samples in all, or one more."""


def voice(
    separator: Separator, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
) -> Iterator[np.ndarray]:
    """Vocals for voice models: (2, n) chunks at 44.1 kHz -> (n,) pieces at 16 kHz.

    Raises what ``Separator.vocals`` raises.
    """
    mixture = map(in_phase, chunks)  # since the voice is the mean of its channels
    if isinstance(separator, VoiceSeparator):
        return separator.voice(mixture, cancel)
    return resampled(separator.vocals(mixture, cancel))


@dataclass(frozen=True)
class SeparatorInfo:
    """A separator of the registry.

    Attributes:
        licence: of its weights, in words for people.
        size_bytes: of the download that installs it; 0 where it comes with Singalike.
        url: what would be downloaded, or "".
        is_installed: whether it can be loaded now.
    """

    name: str
    title: str
    licence: str
    size_bytes: int = 0
    url: str = ""
    is_installed: bool = True


def available() -> list[SeparatorInfo]:
    """All separators, the default first, installed or not."""
    return [
        SeparatorInfo("spleeter", "Spleeter, 2 stems (comes with Singalike)", "MIT"),
        *(
            SeparatorInfo(
                p.name, p.title, p.licence, p.remote.size_bytes, p.remote.url, p.is_installed
            )
            for p in PUBLISHED
        ),
    ]


def default_name() -> str:
    """The separator in use: the user's choice where that is installed, else ``DEFAULT``."""
    chosen = read_choices().separator
    is_there = any(one.name == chosen and one.is_installed for one in available())
    return chosen if is_there else DEFAULT


def info(name: str) -> SeparatorInfo:
    """Raises SeparatorError for a name that is unknown."""
    for candidate in available():
        if candidate.name == name:
            return candidate
    known = ", ".join(candidate.name for candidate in available())
    raise SeparatorError(f"There is no separator {name!r}. Choose one of: {known}.")


def load(name: str = DEFAULT) -> Separator:
    """One for all who use it at the same time, in whatever threads; gone after the last of them.

    Raises SeparatorError for a name that is unknown or not installed, or damaged weights.
    """
    if (found := _in_use.get(name)) is None:
        found = _in_use[name] = _load(name)
    return found


def _load(name: str) -> Separator:
    if name == "spleeter":
        from engine.separation.spleeter import load_spleeter

        return load_spleeter()
    return published.load(_published(name))


def install(
    name: str,
    weights_path: Path | None = None,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> None:
    """Install a separator, after its size and licence have been shown.

    Args:
        name: of ``available()``; one that is installed is installed again.
        weights_path: the published file, where it is at hand already; by default it is downloaded.
        progress: stage ``download`` counts megabytes, ``install`` says that weights are converted.
        cancel: what has been downloaded is kept for the next time.

    Raises:
        SeparatorError: unknown, or weights that are not its own or cannot be written.
        DownloadError: offline, refused, damaged, no room.
        CancelledError.
    """
    if name != "spleeter":
        published.install(_published(name), weights_path, progress, cancel)


def _published(name: str) -> published.Published:
    info(name)  # refuses what is unknown
    return next(candidate for candidate in PUBLISHED if candidate.name == name)
