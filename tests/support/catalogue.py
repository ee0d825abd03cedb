"""Songs, manifests and workers for tests of catalogue runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.libraries import at, vector_embedding
from support.sound import buzz, write_wav

from catalogue.listener import Ears, Listener
from catalogue.manifest import Entry
from catalogue.run import RunOptions
from engine.library import Library, Tags, TrackStatus
from engine.library.imports import Song
from engine.models import VIEWS
from engine.progress import CancelToken
from engine.records import HeardTag, SpaceKey, TrackEmbedding, View, VoicePortrait
from engine.search.remote.rows import Skipped
from engine.search.remote.table import SongTable, songs_in

MODEL = "ge2e"  # the smallest one that comes with Singalike
OPTIONS = RunOptions(models={"overall": MODEL}, views=("overall",), num_workers=2)


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
    found = [song for some in songs_in(SongTable.open(str(place))) for song in some]
    return sorted(found, key=lambda song: song.path)


def skipped_of(place: Path | str) -> dict[str, str]:
    """Reasons by path."""
    rows = SongTable.open(str(place)).skipped.search().to_arrow().to_pylist()
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


def local_spaces(ears: Ears, cancel: CancelToken) -> tuple[SpaceKey, ...]:
    """In the place of ``spaces_of``: in this process."""
    return Listener(ears).spaces


def local_listen(
    ears: Ears, spaces: Sequence[SpaceKey], entries: Iterator[Entry], num_workers: int
) -> Iterator[Song | Skipped | None]:
    """In the place of ``listen``: a real listener in this process."""
    yield from map(Listener(ears).hear, entries)


@contextmanager
def no_cluster(*arguments: Any) -> Iterator[int]:
    """In the place of ``joined_cluster``."""
    yield 2


def catalogue_of(library: Library, place: Path) -> SongTable:
    """What a library has heard in both views, as a catalogue."""
    spaces = {key.view: (space_id, key) for space_id, key in library.spaces()}
    table = SongTable.create(str(place), [spaces[view][1] for view in VIEWS])
    songs = []
    for track in library.tracks(library.track_ids("", "added", status=TrackStatus.INDEXED)):
        heard: dict[View, TrackEmbedding | None] = {}
        for view, (space_id, _) in spaces.items():
            _, vectors = library.embeddings(space_id, [track.id])
            moments = library.moments_of([track.id], space_id)
            is_there = len(vectors) > 0
            heard[view] = TrackEmbedding(vectors[0], moments[track.id]) if is_there else None
        assert track.audio_hash is not None
        assert track.duration_s is not None
        facts = (track.size_bytes, track.mtime_ns, track.audio_hash, track.duration_s)
        songs.append(Song(str(track.path), track.tags, *facts, heard))
    table.add(songs)
    return table
