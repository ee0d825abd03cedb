"""Finding the audio files below a folder, each once, whatever the file system holds."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.library.records import Folder

# What FFmpeg reads sound from. Not ".ts": far more often it is a program's source.
_EXTENSIONS = """
    .3g2 .3ga .3gp .aa3 .aac .ac3 .adts .aif .aifc .aiff .alac .amr .ape .asf .at3 .au .avi .awb
    .caf .dff .dsf .dts .dtshd .eac3 .ec3 .f4a .f4v .flac .flv .gsm .m2ts .m4a .m4b .m4r .m4v
    .mka .mkv .mlp .mov .mp+ .mp1 .mp2 .mp3 .mp4 .mpa .mpc .mpeg .mpg .mpga .mpp .mts .mxf .nut
    .oga .ogg .ogm .ogv .ogx .oma .opus .qt .ra .rf64 .rm .rmvb .shn .snd .spx .tak .thd .tta
    .vob .voc .w64 .wav .wave .webm .wma .wmv .wtv .wv
"""
AUDIO_EXTENSIONS = frozenset(_EXTENSIONS.split())
_SYSTEM_FOLDERS = frozenset(
    ("$recycle.bin", "system volume information", "@eadir", "#recycle", "__macosx", "lost+found")
)
_HIDDEN_ON_WINDOWS = 0x2 | 0x4  # FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_SYSTEM


@dataclass(frozen=True)
class Skipped:
    """Something that could not be looked at, and why, in a sentence."""

    path: Path
    reason: str


@dataclass(frozen=True)
class FoundFile:
    """An audio file, as ``stat`` sees it. ``path`` is a str for speed; see ``os.fsencode``.

    ``ctime_ns``: when anything of it was changed last, which no program can set; None on Windows,
    which has no such time.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int | None


@dataclass
class Walk:
    """One walk over one or more folders; files and folders seen before are not seen again.

    Attributes:
        is_found_elsewhere: tells of the target of a link whether it lies in a folder that is
            scanned anyhow; such links are not followed.
        skipped: what could not be read. Nothing may be concluded about what lies below.
    """

    is_found_elsewhere: Callable[[str], bool]
    skipped: list[Skipped] = field(default_factory=list)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def files(self, root: Path) -> Iterator[FoundFile]:
        """Depth first, by name. Links come after the real files of their folder.

        Raises OSError where the root itself cannot be read.
        """
        self._is_first_visit(os.stat(root))  # noqa: PTH116
        with os.scandir(root) as entries:
            found = sorted(entries, key=_order)
        pending = list(reversed(found))
        while pending:
            entry = pending.pop()
            try:
                if self._is_folder_to_enter(entry):
                    with os.scandir(entry.path) as entries:
                        pending += sorted(entries, key=_order, reverse=True)
                elif (file := self._file(entry)) is not None:
                    yield file
            except FileNotFoundError:
                continue  # deleted since it was listed, or a link to nowhere
            except OSError as error:
                if error.errno == errno.ELOOP:
                    continue  # a link to itself leads nowhere as well
                reason = f"It cannot be read: {error.strerror or error}."
                self.skipped.append(Skipped(Path(entry.path), reason))

    def _is_folder_to_enter(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_dir() or is_hidden(entry.name):
            return False
        attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
        if attributes & _HIDDEN_ON_WINDOWS or self._is_link_to_known(entry):
            return False
        return self._is_first_visit(os.stat(entry.path))  # noqa: PTH116

    def _file(self, entry: os.DirEntry[str]) -> FoundFile | None:
        if os.path.splitext(entry.name)[1].lower() not in AUDIO_EXTENSIONS:  # noqa: PTH122
            return None
        if is_hidden(entry.name) or not entry.is_file() or self._is_link_to_known(entry):
            return None
        stat = entry.stat()
        # a file with one name and no link to it cannot be met twice
        if (stat.st_nlink > 1 or entry.is_symlink()) and not self._is_first_visit(stat):
            return None
        ctime_ns = None if sys.platform == "win32" else stat.st_ctime_ns
        return FoundFile(entry.path, stat.st_size, stat.st_mtime_ns, ctime_ns)

    def _is_link_to_known(self, entry: os.DirEntry[str]) -> bool:
        return entry.is_symlink() and self.is_found_elsewhere(os.path.realpath(entry.path))

    def _is_first_visit(self, stat: os.stat_result) -> bool:
        identity = (stat.st_dev, stat.st_ino)
        if stat.st_ino and identity in self._seen:
            return False
        self._seen.add(identity)
        return True


def is_hidden(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _SYSTEM_FOLDERS


def why_unavailable(folder: Folder) -> str | None:
    """Why nothing may be concluded about a folder's files now, in a sentence; None: it is there."""
    try:
        with os.scandir(folder.path) as entries:
            is_empty = all(is_hidden(entry.name) for entry in entries)
    except PermissionError:
        return "The folder may not be read. Change its permissions; its tracks are kept."
    except OSError as error:
        return (
            f"The folder cannot be read: {error.strerror or error}. If it is on a drive, plug the "
            "drive in; its tracks are kept."
        )
    if is_empty and folder.num_tracks:
        return "The folder is empty. If it is on a drive, plug the drive in; its tracks are kept."
    return None


def _order(entry: os.DirEntry[str]) -> tuple[bool, str]:
    return entry.is_symlink(), entry.name
