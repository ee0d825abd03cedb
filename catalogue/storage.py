"""Where things lie: files of this machine, or whatever fsspec reaches (``s3://…``, ``https://…``)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from engine.errors import CatalogueError, DecodeError
from engine.library.processes import temporary_folder

NUM_TELLING_PARTS = 3  # artist/album/song: what tags are guessed from where a file has none


class NotFetchedError(DecodeError):
    """A remote file could not be brought here; a later try may succeed."""


def is_remote(place: str) -> bool:
    return "://" in place and not place.startswith(("file://", "local://"))


def absolute(place: str, base: str = "") -> str:
    """A path or address as it is meant in a document that lies in the folder ``base``."""
    if is_remote(place):
        return place
    if "://" in place:
        place = str(LocalFileSystem._strip_protocol(place))
    if is_remote(base) and not os.path.isabs(place):  # noqa: PTH117
        return f"{base.rstrip('/')}/{place}"
    return os.path.normpath(Path(base).absolute() / place)


def folder_of(place: str) -> str:
    return place.rpartition("/")[0] if is_remote(place) else str(Path(place).parent)


def common_folder(first: str, second: str) -> str:
    """The nearest folder that holds both; "" where they have none in common."""
    if second == first or second.startswith(first + "/"):  # as in nearly every row
        return first
    pairs = zip(_parts(first), _parts(second), strict=False)
    return "/".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _parts(place: str) -> list[str]:
    return place.split("/") if is_remote(place) else Path(place).as_posix().split("/")


@contextmanager
def opened(place: str) -> Iterator[IO[bytes]]:
    """A file to read bytes from, seekable. CatalogueError where it cannot be opened or read."""
    try:
        file = fsspec.open(place, "rb").open()
    except Exception as error:  # each of fsspec's systems has errors of its own
        raise _unreadable(place, error) from error
    with file:
        try:
            yield file
        except OSError as error:
            raise _unreadable(place, error) from error


def _unreadable(place: str, error: Exception) -> CatalogueError:
    return CatalogueError(
        f"{place} cannot be read: {_in_words(error)}. Check the address, and that you may read it."
    )


@dataclass(frozen=True)
class LocalCopy:
    """A song on this machine.

    Attributes:
        mtime_ns: 0 for what was fetched: stores tell the time of uploading, if any.
    """

    path: Path
    size_bytes: int
    mtime_ns: int


@contextmanager
def local_copy(address: str) -> Iterator[LocalCopy]:
    """The file itself where it is local, else a scratch copy that goes away afterwards.

    Raises DecodeError (NotFetchedError), and CatalogueError where this machine lacks the package
    that reaches such addresses.
    """
    if not is_remote(address):
        try:
            stat = Path(address).stat()
        except OSError as error:
            raise DecodeError(f"The file cannot be read: {error.strerror or error}.") from error
        yield LocalCopy(Path(address), stat.st_size, stat.st_mtime_ns)
        return
    with temporary_folder() as scratch:
        target = Path(scratch) / f"song{place_in(address).suffix[:8]}"
        _fetch(address, target)
        yield LocalCopy(target, target.stat().st_size, 0)


def place_in(address: str, root: str = "") -> Path:
    """Where a song lies below a folder, as far as it tells who sings: artist/album/song."""
    if root and address.startswith(root + "/"):
        address = address[len(root) :]
    inside = address.partition("::")[0]
    inside = unquote(urlsplit(inside).path) if "://" in inside else inside
    parts = [part for part in inside.split("/") if part.strip(". ")]
    return Path(*parts[-NUM_TELLING_PARTS:] or ["song"])


def _fetch(address: str, target: Path) -> None:
    try:
        system, path = url_to_fs(address)
        system.get_file(path, str(target))
    except (ImportError, ValueError) as error:  # no such protocol, or its package is not here
        raise CatalogueError(
            f"{address} cannot be reached from this machine: {_in_words(error)}. Install what "
            "is missing on every worker, then run the same command again."
        ) from error
    except FileNotFoundError as error:
        raise DecodeError("There is no file at this address. Correct the manifest.") from error
    except Exception as error:  # each of fsspec's systems has errors of its own
        raise NotFetchedError(
            f"It could not be fetched: {_in_words(error)}. Run with --retry to try again."
        ) from error


def _in_words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:300].rstrip(".")
