"""Songs, manifests and workers for tests of catalogue runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.libraries import at, vector_embedding
from support.sound import buzz, write_wav

from catalogue.libraries import from_library
from catalogue.manifest import Entry
from catalogue.workers import Ears, Listener
from engine.library import Library, Tags
from engine.library.imports import Song
from engine.progress import CancelToken, ignore_progress
from engine.records import HeardTag, SpaceKey, TrackEmbedding, View, VoicePortrait
from engine.search.remote.rows import Skipped, song_of
from engine.search.remote.table import SongTable

MODEL = "ge2e"  # the smallest one that comes with Singalike
EARS = Ears(("overall",), MODEL)
QUIET = (ignore_progress, CancelToken())


def write_songs(folder: Path, num: int) -> list[str]:
    """``Artist 0/Song 0.wav`` and so on, of 2 s; their paths in the folder."""
    songs = [f"Artist {number % 3}/Song {number}.wav" for number in range(num)]
    for number, song in enumerate(songs):
        (folder / song).parent.mkdir(parents=True, exist_ok=True)
        write_wav(folder / song, buzz(2, 16_000, 110.0 * 1.1**number))
    return songs


def write_manifest(target: Path, paths: Iterable[str]) -> str:
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["path"], *([path] for path in paths)])
    return str(target)


def songs_of(place: Path | str) -> list[Song]:
    """All songs of a catalogue, by path."""
    table = SongTable.open(str(place))
    rows = table.rows(table.songs.schema.names).to_pylist()
    found = [song_of(row, table.spaces) for row in rows]
    return sorted(found, key=lambda song: song.path)


def skipped_of(place: Path | str) -> dict[str, str]:
    """Reasons by path."""
    rows = SongTable.open(str(place)).skipped_rows().to_pylist()
    return {row["path"]: row["reason"] for row in rows}


def heard_at(degrees: float) -> tuple[HeardTag, ...]:
    """Folk, and from 25 degrees on something sad."""
    weak = HeardTag("jazz", "genre", 0.4, 0.01)
    sad = (HeardTag("sad", "mood", 0.625, 0.25),) if degrees >= 25 else ()
    return (HeardTag("folk", "genre", 0.75, 0.5), *sad, weak)


def song(
    path: str,
    degrees: float,
    tags: Tags = Tags(),  # noqa: B008, frozen
    *,
    sound: str = "",
    sings: bool = True,
    duration_s: float = 0.0,
) -> Song:
    """As a listener would have heard it; two views, at right angles to each other."""
    notes = (45 + degrees / 5, 55.0, 65.0)
    portrait = VoicePortrait(*notes, None, None, 0.1, 3.0, 2.0, 1500.0, 0.5)
    heard: dict[View, TrackEmbedding | None] = {
        "vocals": replace(vector_embedding(at(degrees)), portrait=portrait) if sings else None,
        "overall": replace(vector_embedding(at(90 - degrees)), tags=heard_at(degrees)),
    }
    return Song(
        path, tags, 1000, 1, sound or f"sound of {path}", duration_s or 200.0 + len(path), heard
    )


def write_table(place: Path, songs: Sequence[Song], spaces: Sequence[SpaceKey]) -> SongTable:
    """What they have in common is nothing: cosines are those of the vectors as they are."""
    table = SongTable.create(str(place), spaces)
    table.add(songs)
    for key in spaces:
        table.set_centre(key, 0 * at(0))
    return table


def local_listen(
    ears: Ears, spaces: Sequence[SpaceKey], entries: Iterator[Entry], cancel: CancelToken
) -> Iterator[Song | Skipped]:
    """In the place of ``listen``: a real listener in this process."""
    own = Listener(ears)
    for entry in entries:
        if cancel.is_cancelled:
            return
        yield own.hear(entry)


def no_cluster(*arguments: Any) -> None:
    """In the place of ``join_cluster``."""


def catalogue_of(library: Library, place: Path) -> SongTable:
    """What a library has heard in both views, as a catalogue."""
    from_library(library, str(place), *QUIET)
    return SongTable.open(str(place))
