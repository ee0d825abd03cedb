"""Tracks and search results for other programs: M3U8 playlists, JSON, CSV."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from engine.errors import SingalikeError
from engine.library import Track
from engine.library.filenames import is_address, resolved, shown
from engine.library.kept.marks import Mark
from engine.library.kept.songs import KeptSong
from engine.library.text import plain
from engine.paths import written_whole
from engine.search import Neighbour, Query, SearchResult

RESULT_VERSION = 1  # of what `similar --json` prints (docs/formats.md)
ExportFormat = Literal["m3u8", "json", "csv"]
_FORMATS: dict[str, ExportFormat] = {
    ".m3u8": "m3u8",
    ".m3u": "m3u8",
    ".json": "json",
    ".csv": "csv",
}
_CSV_COLUMNS = (
    "rank similarity percent track_id path artist title album album_artist genre year track_number"
    " duration_s status query_start_s start_s"
)
_MARK_COLUMNS = (
    "is_same track_id path artist title other_track_id other_path other_artist other_title"
)
# Windows takes these for devices in every folder and with every ending.
_DEVICES = frozenset(
    ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
     *(f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"))
)  # fmt: skip
# What players would take for a remark, an address, a home or another computer.
_MISTAKABLE = re.compile(r"[#~\\]|[^/\\]*:")
# Spreadsheets compute what begins so, and a formula can send or start things.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r\n]")


class ExportError(SingalikeError):
    """A file cannot be written, or its name does not tell what it should be."""


def format_of(target: Path) -> ExportFormat:
    """What a file is, by the end of its name. Raises ExportError."""
    if target.name.split(".")[0].rstrip().upper() in _DEVICES:
        raise ExportError(
            f"{target.name} is the name of a device on Windows, where the list may be taken to. "
            "Choose another name."
        )
    try:
        return _FORMATS[target.suffix.lower()]
    except KeyError:
        raise ExportError(
            f"{target} does not tell what to write. End the name in .m3u8, .json or .csv."
        ) from None


def export(
    items: Sequence[Track | Neighbour], target: Path, *, has_relative_paths: bool = False
) -> None:
    """Write a playlist, JSON or CSV, by the end of the target's name.

    The target appears whole or not at all; an earlier one is replaced. ``has_relative_paths`` is
    for playlists: paths are then relative to the target's folder. Raises ExportError.
    """
    folder = target.absolute().parent if has_relative_paths else None
    _write(target, render(items, format_of(target), relative_to=folder))


def export_marks(marks: Sequence[Mark], target: Path) -> None:
    """Write pairs of songs, and whether they have the same voice, as CSV. Raises ExportError."""
    if format_of(target) != "csv":
        raise ExportError(f"{target.name} is to be a table. End the name in .csv.")
    out = io.StringIO()
    writer = csv.DictWriter(out, _MARK_COLUMNS.split(), lineterminator="\n")
    writer.writeheader()
    for mark in marks:
        row = mark_as_dict(mark)
        writer.writerow({name: _cell(value) for name, value in row.items()})
    _write(target, out.getvalue().encode("utf-8", "surrogateescape"))


def mark_as_dict(mark: Mark) -> dict[str, Any]:
    """A mark as JSON can hold it."""
    told: dict[str, Any] = {"is_same": int(mark.is_same)}
    for prefix, song in (("", mark.song), ("other_", mark.other)):
        told |= {f"{prefix}{name}": value for name, value in as_dict(song).items()}
    return told


def _write(target: Path, content: bytes) -> None:
    """All of it or nothing, in the place of an earlier file."""
    target = resolved(target)  # a link to a file stays a link
    try:
        if target.exists() and not target.is_file():
            raise OSError(0, "there is something that is no file")
        with written_whole(target) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise ExportError(
            f"{target} cannot be written: {error.strerror or error}. Choose another place."
        ) from error


def render(
    items: Sequence[Track | Neighbour], kind: ExportFormat, *, relative_to: Path | None = None
) -> bytes:
    """The bytes of the file: UTF-8, but for paths that are not text, which are as they are."""
    if kind == "m3u8":
        text = _m3u8([_track(item) for item in items], relative_to)
    elif kind == "csv":
        text = _csv(items)
    else:
        text = json.dumps([as_dict(item) for item in items], indent=2) + "\n"
    return text.encode("utf-8", "surrogateescape")


def as_dict(item: Track | Neighbour | KeptSong) -> dict[str, Any]:
    """A track, a neighbour, or a song that need not be in the library, as JSON can hold it."""
    if isinstance(item, KeptSong):
        place, names = shown(item.path), {"artist": item.artist, "title": item.title}
        return {"track_id": item.track_id, "path": place, **names}
    if isinstance(item, Neighbour):
        more = {} if item.more is None else {"more": [as_dict(one) for one in item.more]}
        return {
            "rank": item.rank,
            **as_dict(item.track),
            "similarity": round(item.similarity, 6),
            "percent": item.percent,
            **({"percents": dict(item.parts)} if item.parts else {}),
            "voice_from": "whole song" if item.is_from_mixture else "separated",
            "portrait": None if item.portrait is None else asdict(item.portrait),
            "moments": [
                {
                    "query_start_s": round(moment.query_start_s, 3),
                    "start_s": round(moment.start_s, 3),
                    "similarity": round(moment.similarity, 4),
                }
                for moment in item.moments
            ],
            **more,
        }
    return {
        "track_id": item.id,
        "path": shown(item.path),
        "artist": item.artist,
        "title": item.title,
        "album": item.album,
        "album_artist": item.tags.album_artist,
        "genre": item.tags.genre,
        "year": item.tags.year,
        "track_number": item.tags.track_number,
        "duration_s": item.duration_s,
        "status": item.status.value,
    }


def result_as_dict(result: SearchResult) -> dict[str, Any]:
    """A search result as ``similar --json`` prints it."""
    return {
        "schema_version": RESULT_VERSION,
        "query": _query_as_dict(result.query),
        "by": result.by,
        "model": " + ".join(dict.fromkeys(result.models.values())),
        "models": dict(result.models),
        "note": result.note,
        "neighbours": [as_dict(neighbour) for neighbour in result.neighbours],
    }


def _query_as_dict(query: Query) -> dict[str, Any]:
    if query.artist is not None:
        typical = None if query.track is None else as_dict(query.track)
        return {"track_id": None, "path": None, "artist": query.artist, "most_typical": typical}
    if len(query.tracks) > 1:
        return {"track_id": None, "path": None, "songs": [as_dict(one) for one in query.tracks]}
    file = {"track_id": None, "path": str(query.path), "heard": query.heard}
    track = as_dict(query.track) if query.track else file
    return {**track, "start_s": query.start_s, "end_s": query.end_s}


def _track(item: Track | Neighbour) -> Track:
    return item.track if isinstance(item, Neighbour) else item


def _m3u8(tracks: Sequence[Track], relative_to: Path | None) -> str:
    lines = ["#EXTM3U"]
    for track in tracks:
        seconds = -1 if track.duration_s is None else round(track.duration_s)
        name = plain(" - ".join(filter(None, (track.artist, track.title))))
        lines += [f"#EXTINF:{seconds},{name}", _m3u8_path(track.path, relative_to)]
    return "\n".join(lines) + "\n"


def _m3u8_path(path: Path, relative_to: Path | None) -> str:
    text, is_relative = shown(path), False
    if relative_to is not None and not is_address(path):
        with contextlib.suppress(ValueError):  # on another drive of Windows
            text, is_relative = os.path.relpath(path, relative_to), True
    if any(char < " " for char in text):  # a line cannot hold it, an address can
        return path.as_uri()
    return f".{os.sep}{text}" if is_relative and _MISTAKABLE.match(text) else text


def _csv(items: Sequence[Track | Neighbour]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, _CSV_COLUMNS.split(), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for item in items:
        row = as_dict(item)
        best: dict[str, Any] = next(iter(row.get("moments", ())), {})
        starts = {name: best.get(name) for name in ("query_start_s", "start_s")}
        writer.writerow({name: _cell(value) for name, value in {**row, **starts}.items()})
    return out.getvalue()


def _cell(value: object) -> object:
    """Text that spreadsheets would compute gets an apostrophe, which tells them that it is text."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
