"""Reading playlists of other programs: M3U and M3U8."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

from engine.errors import LibraryError
from engine.library import filenames
from engine.library.scan.walk import AUDIO_EXTENSIONS

MAX_BYTES = 32 * 2**20
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_FILE_ADDRESS = re.compile(rb"file:(?://([^/\\]*))?(.*)", re.IGNORECASE)
_WINDOWS_LETTERS = "cp1252"  # of lists from before UTF-8


def read_m3u(path: Path) -> list[tuple[Path, str]]:
    """(absolute path or address, name or "") of each song, in order.

    Paths may be relative to the playlist, absolute, or ``file:`` addresses. LibraryError where the
    file cannot be read or is no playlist.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror
        raise LibraryError(f"{path} cannot be read: {reason}. Choose another one.") from error
    content = content.removeprefix(b"\xef\xbb\xbf")
    is_named = path.suffix.lower() in (".m3u8", ".m3u")
    is_list = is_named or content.lstrip().upper().startswith(b"#EXTM3U")
    if is_list and b"\0" not in content and len(content) <= MAX_BYTES:
        songs = list(_songs(content, path.absolute().parent))
        if not songs or any(_may_be_music(song) for song, _ in songs):
            return songs
    raise LibraryError(f"{path} is no playlist. Choose a file of songs that ends in .m3u8 or .m3u.")


def _may_be_music(path: Path) -> bool:
    return path.suffix.lower() in AUDIO_EXTENSIONS or filenames.is_address(path)


def _songs(content: bytes, folder: Path) -> Iterator[tuple[Path, str]]:
    name = ""
    for line in (line.strip(b" \t") for line in _LINE_ENDS.split(content)):
        if line.upper().startswith(b"#EXTINF:"):
            name = _text(line.partition(b",")[2])
        elif line and not line.startswith(b"#"):
            yield _path(line, folder), name
            name = ""


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(_WINDOWS_LETTERS, "replace")


def _path(line: bytes, folder: Path) -> Path:
    if address := _FILE_ADDRESS.fullmatch(line):
        host, line = address[1], unquote_to_bytes(address[2])
        if os.name == "nt":  # "/C:/Music" is C:/Music; another host is a share
            is_here = host in (None, b"", b"localhost")
            line = line.lstrip(b"/") if is_here else b"//" + host + line
    elif filenames.is_address(_text(line)):
        return Path(_text(line))
    path = _absolute(os.fsdecode(line), folder)
    if _text(line).encode() == line or path.exists():
        return path
    return _absolute(_text(line), folder)


def _absolute(text: str, folder: Path) -> Path:
    if os.name != "nt" and "/" not in text:
        text = text.replace("\\", "/")  # a list from Windows
    return Path(os.path.normpath(folder / text))
