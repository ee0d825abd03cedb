"""What a file says about itself, and what its path says where the file does not."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence
from pathlib import Path

from engine.errors import DecodeError
from engine.library.records import Tags
from engine.library.text import display, plain
from engine.sound.decoding import pool

_DISC_FOLDER = re.compile(r"(cd|disc|disk|dvd)[ _-]?\d{1,2}", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"(?:\d{1,2}-)?(\d{1,3})(?:\s*[._)-]\s*|\s+)(?=\S)")


def read_tags(path: Path, folder: Path) -> Tags:
    """Tags of a file below ``folder``; what is missing is guessed from the path below it.

    Never raises: a file without readable tags is still a track.
    """
    return tags_of(path, path.relative_to(folder))


def tags_of(path: Path, place: Path) -> Tags:
    """The same for a copy of a file: ``place`` is where the original lies in its folder."""
    found, guess = _embedded(path), from_path(place)
    artist = found.get("artist", "") or found.get("album_artist", "") or guess.artist
    return Tags(
        title=found.get("title", "") or guess.title,
        artist=artist,
        album=found.get("album", "") or guess.album,
        album_artist=found.get("album_artist", ""),
        genre=found.get("genre", ""),
        year=_year(found.get("year", "")),
        track_number=leading_number(found.get("track_number", "")) or guess.track_number,
    )


def from_path(relative: Path) -> Tags:
    """Tags guessed from a path relative to the folder that the user gave.

    ``Artist/Album/03 Title.ext``, ``Artist/Title.ext``, ``Artist - Title.ext``, ``03 - Title.ext``,
    ``Artist - Album - 03 - Title.ext``, with folders for discs left out.
    """
    names = [plain(display(name).replace("_", " ")) for name in relative.parts[:-1]]
    folders = [name for name in names if not _DISC_FOLDER.fullmatch(name)]
    stem = plain(display(relative.stem).replace("_", " "))
    numbered = _LEADING_NUMBER.match(stem)
    number = int(numbered[1]) if numbered else None
    parts = [part for part in (stem[numbered.end() :] if numbered else stem).split(" - ") if part]
    for part in parts[1:-1]:  # Artist - Album - 03 - Title
        if part.isdecimal():
            number = int(part[:4])
            parts.remove(part)
            break
    artist = parts[0].strip() if len(parts) > 1 else ""
    album = parts[1].strip() if len(parts) > 2 else ""
    if not artist and folders:
        artist = folders[-2] if len(folders) > 1 else folders[-1]
        album = folders[-1] if len(folders) > 1 else ""
    elif folders and not album and folders[-1] != artist:
        album = folders[-1]
    return Tags(
        title=(parts[-1] if parts else stem).strip() or display(relative.name).strip(),
        artist=artist,
        album=album,
        track_number=number,
    )


def _embedded(path: Path) -> dict[str, str]:
    """Read in a decoder process: tags break parsers in every way there is."""
    for reader in ("mutagen", "ffmpeg"):
        request = {"do": "texts", "reader": reader, "path": os.path.abspath(path)}  # noqa: PTH100
        try:
            (found,) = (head["texts"] for head, _ in pool.ask(request))
        except DecodeError:  # the path serves then
            continue
        return {field: _first(candidates) for field, candidates in found.items()}
    return {}


def _first(candidates: Sequence[Sequence[str]]) -> str:
    """The first of the names of a field under which there is something; its values, each once."""
    for values in candidates:
        texts = (plain(html.unescape(value)) for value in values)
        if text := ", ".join(dict.fromkeys(filter(None, texts))):
            return plain(text)
    return ""


def _year(text: str) -> int | None:
    found = re.search(r"(?<!\d)(1[0-9]|20)\d\d(?!\d)", text)
    return int(found[0]) if found else None


def leading_number(text: str) -> int | None:
    """``7/12`` -> 7, ``1999-05-01`` -> 1999; None where there is none of at most four digits."""
    found = re.match(r"\d{1,4}(?!\d)", text)
    return int(found[0]) if found else None
