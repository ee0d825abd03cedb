"""Paths as the store keeps them: bytes, since a file name need not be text."""

from __future__ import annotations

import os
from pathlib import Path


def to_bytes(path: Path | str) -> bytes:
    """An absolute path as stored. It is not resolved here."""
    return os.fsencode(path)


def from_bytes(raw: bytes) -> Path:
    return Path(os.fsdecode(raw))


def given(path: Path) -> Path:
    """A path as a person gives it, absolute; links in it are not resolved.

    Unlike ``Path.expanduser`` it raises nothing: "~nobody" is then the name of a file.
    """
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111


def relative_bytes(path: Path, folder: Path) -> bytes:
    """A path inside a folder, with "/" on every platform. ValueError where it is not inside."""
    relative = os.fspath(path.relative_to(folder))
    return os.fsencode(relative.replace(os.sep, "/") if os.sep != "/" else relative)


def join(folder: bytes, relative: bytes) -> Path:
    return from_bytes(folder.rstrip(b"/") + b"/" + relative)  # a third of the time of Path / str
