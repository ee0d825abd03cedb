"""Where things lie: files of this machine, or whatever fsspec reaches (``s3://…``, ``https://…``)."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from catalogue.errors import CatalogueError
from engine.errors import DecodeError

NUM_TRIES = 3
FIRST_PAUSE_S = 1.0
MAX_NAME_BYTES = 200  # file systems take 255, and some keep a part of it for themselves
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
class ShardFolder:
    """A folder of small files, here or elsewhere; each appears whole or not at all."""

    place: str

    def names(self) -> set[str]:
        """Names of the files in it; none where the folder does not exist yet."""
        try:
            system, root = url_to_fs(self.place)
            return {
                str(path).rstrip("/").rpartition("/")[2]
                for path in system.ls(root, detail=False, refresh=True)
            }
        except FileNotFoundError:
            return set()
        except Exception as error:
            raise CatalogueError(f"{self.place} cannot be read: {_in_words(error)}.") from error

    def path_of(self, name: str) -> str:
        return f"{self.place.rstrip('/')}/{name}"

    def write(self, name: str, data: bytes) -> None:
        """Raises CatalogueError: a run that cannot write must stop."""
        try:
            if is_remote(self.place):  # stores of objects show an object once it is complete
                system, root = url_to_fs(self.place)
                system.pipe_file(f"{root.rstrip('/')}/{name}", data)
            else:
                _write_whole(Path(self.place) / name, data)
        except Exception as error:
            raise CatalogueError(
                f"{self.path_of(name)} cannot be written: {_in_words(error)}. Make room, check "
                "that you may write there, then repeat the command; finished shards are kept."
            ) from error


def _write_whole(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{platform.node()}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@dataclass(frozen=True)
class LocalCopy:
    """A song on this machine.

    Attributes:
        root: a folder above it that is no part of its name; tags may be guessed from what is below.
        size_bytes, mtime_ns: of the original; the time is 0 where its store tells none.
    """

    path: Path
    root: Path
    size_bytes: int
    mtime_ns: int


@contextmanager
def local_copy(address: str, root: str) -> Iterator[LocalCopy]:
    """The file itself where it is local, else a scratch copy that goes away afterwards.

    ``root``: a folder above it that tells nothing; "" where there is none.

    Raises DecodeError (NotFetchedError), and CatalogueError where this machine lacks the package
    that reaches such addresses.
    """
    if not is_remote(address):
        path = Path(address)
        try:
            stat = path.stat()
        except OSError as error:
            raise DecodeError(f"The file cannot be read: {error.strerror or error}.") from error
        top = Path(root) if root and path.is_relative_to(root) else path.parent
        yield LocalCopy(path, top, stat.st_size, stat.st_mtime_ns)
        return
    with tempfile.TemporaryDirectory(prefix="singalike-", ignore_cleanup_errors=True) as scratch:
        target = Path(scratch).joinpath(*telling_parts(address, root))
        yield LocalCopy(target, Path(scratch), *_fetch(address, target))


def telling_parts(address: str, root: str = "") -> list[str]:
    """The names of an address below a folder, made safe as names of folders and of a file."""
    split = urlsplit(address.partition("::")[0])
    inside = split.path
    if root and address.startswith(root + "/"):
        inside = urlsplit(address[len(root) :].partition("::")[0]).path
    parts = [part for part in unquote(inside).split("/") if part.strip(". ")]
    parts = (parts or [split.netloc or "song"])[-NUM_TELLING_PARTS:]
    return [_safe(part) for part in parts]


def _safe(name: str) -> str:
    bare = "".join("_" if char in '\\:*?"<>|' or not char.isprintable() else char for char in name)
    stem, dot, suffix = bare.rpartition(".")
    if dot and len(suffix) < 10:
        return os.fsdecode(os.fsencode(stem)[: MAX_NAME_BYTES - 10]) + dot + suffix
    return os.fsdecode(os.fsencode(bare)[:MAX_NAME_BYTES])


def _fetch(address: str, target: Path) -> tuple[int, int]:
    """Copy to ``target``; returns (size in bytes, time of change in ns, 0 if not told)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    pause_s = FIRST_PAUSE_S
    for number in range(1, NUM_TRIES + 1):
        try:
            system, path = url_to_fs(address)
            info = system.info(path)
            system.get_file(path, str(target))
            return target.stat().st_size, _time_ns(info)
        except (ImportError, ValueError) as error:  # no such protocol, or its package is not here
            raise CatalogueError(
                f"{address} cannot be reached from this machine: {_in_words(error)}. Install what "
                "is missing on every worker, then run the same command again."
            ) from error
        except FileNotFoundError as error:
            raise DecodeError("There is no file at this address. Correct the manifest.") from error
        except Exception as error:
            if number == NUM_TRIES:
                raise NotFetchedError(
                    f"It could not be fetched: {_in_words(error)}. Run with --retry to try again."
                ) from error
            time.sleep(pause_s)
            pause_s *= 4
    raise AssertionError("the last try returns or raises")


def _time_ns(info: dict[str, Any]) -> int:
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = info.get(key)
        if isinstance(value, datetime):
            value = value.timestamp()
        if isinstance(value, int | float):
            return int(value * 1e9)
    return 0


def _in_words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:300].rstrip(".")
