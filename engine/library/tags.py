"""What a file says about itself (mutagen), and what its path says where the file does not."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mutagen

from engine.library import big_tags
from engine.library.records import Tags
from engine.library.text import display, plain

# one field, under the names that the tag formats give it: Vorbis and "easy" names, ID3, APEv2, ASF
_KEYS = {
    "title": ("title", "TIT2", "Title"),
    "artist": ("artist", "TPE1", "Artist", "Author"),
    "album": ("album", "TALB", "Album", "WM/AlbumTitle"),
    "album_artist": ("albumartist", "TPE2", "Album Artist", "album artist", "WM/AlbumArtist"),
    "genre": ("genre", "TCON", "Genre", "WM/Genre"),
    "year": ("date", "TDRC", "TYER", "year", "Year", "WM/Year"),
    "track_number": ("tracknumber", "TRCK", "Track", "track", "WM/TrackNumber"),
}
_MAX_RAW_CHARS = 2000  # more than is shown, less than a junk tag's megabytes
_MAX_VALUES = 4  # several artists are joined; a tag with thousands of values is junk
_DISC_FOLDER = re.compile(r"(cd|disc|disk|dvd)[ _-]?\d{1,2}", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"(?:\d{1,2}-)?(\d{1,3})(?:\s*[._)-]\s*|\s+)(?=\S)")


def read_tags(path: Path, folder: Path) -> Tags:
    """Tags of a file below ``folder``; what is missing is guessed from the path below it.

    Never raises: a file without readable tags is still a track.
    """
    found = _embedded(path)
    guess = from_path(path.relative_to(folder))
    artist = found.get("artist", "") or found.get("album_artist", "") or guess.artist
    return Tags(
        title=found.get("title", "") or guess.title,
        artist=artist,
        album=found.get("album", "") or guess.album,
        album_artist=found.get("album_artist", ""),
        genre=found.get("genre", ""),
        year=_year(found.get("year", "")),
        track_number=_leading_number(found.get("track_number", "")) or guess.track_number,
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
    try:
        if big_tags.has_huge_text(path):
            found = big_tags.read(path)
            return {field: _text(found, (field,)) for field in _KEYS}
        file = mutagen.File(path, easy=True)
        if file is None or not file.tags:
            return {}
        return {field: _text(file.tags, keys) for field, keys in _KEYS.items()}
    except Exception:  # broken tags break parsers in every way there is; the path serves then
        return {}


def _text(tags: Any, keys: Iterable[str]) -> str:
    for key in keys:
        try:
            value = tags[key]
        except (KeyError, ValueError):
            continue
        values = getattr(value, "text", value)  # an ID3 frame holds a list of texts
        values = values if isinstance(values, list) else [values]
        texts = (plain(html.unescape(str(one)[:_MAX_RAW_CHARS])) for one in values[:_MAX_VALUES])
        text = ", ".join(filter(None, texts))
        if text:
            return plain(text)
    return ""


def _year(text: str) -> int | None:
    found = re.search(r"(?<!\d)(1[0-9]|20)\d\d(?!\d)", text)
    return int(found[0]) if found else None


def _leading_number(text: str) -> int | None:
    found = re.match(r"\d{1,4}(?!\d)", text)
    return int(found[0]) if found else None
