"""A file that is published elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from engine.models.checkpoint import file_sha256


@dataclass(frozen=True)
class RemoteFile:
    """A file as its publisher describes it.

    Attributes:
        url: where it lies, over https; the last part is its name.
        sha256: hex; publishers that name only the first digits are taken at these.
        size_bytes: told to people before the download; the server's word counts during it.
    """

    url: str
    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        if not _is_safe(self.url):
            raise ValueError(f"{self.url} is not fetched: only https is")
        if not re.fullmatch(r"[0-9a-f]{8,64}", self.sha256):
            raise ValueError(f"{self.sha256!r} is no sha256, nor the first digits of one")

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[-1]

    def is_at(self, path: Path) -> bool:
        """Whether ``path`` is this file, by its sha256."""
        return path.is_file() and file_sha256(path).startswith(self.sha256)


def _is_safe(url: str) -> bool:
    """https; within this machine, where nobody else listens, also http."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")
