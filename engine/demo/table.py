"""The demo songs as a data set: stems, and the table that ``singalike evaluate --data`` takes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from engine.demo.instruments import RATE_HZ
from engine.demo.library import GENRES, finished, make_songs
from engine.demo.mix import stems
from engine.demo.songs import SONGS, Song
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from engine.sound.encode import write_audio

TABLE_NAME = "songs.csv"
KINDS = ("vocals", "accompaniment")
COLUMNS = ("path", "singer", "song", "kind", "album", "genre", "year", "voice_type", "register")


def stem_path(song: Song, kind: str) -> Path:
    """Where a stem lies below the folder: ``Artist/Title.kind.flac``."""
    return Path(song.artist) / f"{song.title}.{kind}.flac"


def make_demo_stems(
    folder: Path,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
    songs: Sequence[Song] = SONGS,
) -> Path:
    """Write vocals and accompaniment of every demo song below ``folder``; return their table.

    Stems are FLAC, 44.1 kHz stereo, and add up to the song. What the table tells of a singer is
    how the voice was built, so these labels are true by construction. Files that are there
    already are kept. Raises OSError, CancelledError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {song: [folder / stem_path(song, kind) for kind in KINDS] for song in songs}
    make_songs(paths, _make, progress, cancel or CancelToken())
    table = folder / TABLE_NAME
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(song, kind) for song in songs for kind in KINDS)
    return table


def _make(song: Song, paths: Sequence[Path], cancel: CancelToken) -> None:
    cancel.check()
    made = stems(song)
    for path, sound in zip(paths, (made.vocals, made.accompaniment), strict=True):
        cancel.check()
        with finished(path, song) as unfinished:
            write_audio(unfinished, sound, RATE_HZ)


def _row(song: Song, kind: str) -> tuple[str, ...]:
    return (
        stem_path(song, kind).as_posix(),
        song.artist,
        song.title,
        kind,
        song.album,
        GENRES[song.style],
        str(song.year),
        song.voice.voice_type,
        song.voice.register,
    )
