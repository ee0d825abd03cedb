"""The demo on disk: a library of tagged files, or stems and their table for an evaluation."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from engine.demo.cover import cover_png
from engine.demo.instruments import RATE_HZ
from engine.demo.mix import stems
from engine.demo.songs import SONGS, Song
from engine.paths import written_whole
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress, with_eta
from engine.sound.encode import SongTags, write_audio, write_tags

_SUFFIXES = (".mp3", ".flac", ".m4a", ".opus", ".mp3")
GENRES = {
    "rock": "Rock",
    "ballad": "Ballad",
    "synthpop": "Synth-pop",
    "folk": "Folk",
    "soul": "Soul",
    "bossa": "Bossa nova",
}
TABLE_NAME = "songs.csv"
KINDS = ("vocals", "accompaniment")
COLUMNS = ("path", "singer", "song", "kind", "album", "genre", "year", "voice_type", "register")


def song_path(song: Song) -> Path:
    """Where a song lies below the library's folder: ``Artist/Album/NN Title.ext``."""
    suffix = _SUFFIXES[song.seed % len(_SUFFIXES)]
    return Path(song.artist) / song.album / f"{song.track_number:02d} {song.title}{suffix}"


def make_demo_library(
    folder: Path,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
    songs: Sequence[Song] = SONGS,
) -> list[Path]:
    """Make the demo library below ``folder`` and return its files, in the order of ``songs``.

    Files that are there already are kept: a file gets its name only when it is complete.
    Raises OSError when the folder cannot be written, CancelledError soon after a cancel.
    """
    folder.mkdir(parents=True, exist_ok=True)  # a folder that cannot be is told before the work
    paths = {song: [folder / song_path(song)] for song in songs}
    _make_all(paths, _make_song, progress, cancel or CancelToken())
    return [path for (path,) in paths.values()]


def _make_all(
    paths: Mapping[Song, Sequence[Path]],
    make: Callable[[Song, Sequence[Path], CancelToken], None],
    progress: ProgressCallback,
    cancel: CancelToken,
) -> None:
    """Call ``make`` for every song of which a file is missing, several at a time."""
    missing = [song for song, files in paths.items() if not all(map(Path.exists, files))]
    num_total, num_kept = len(paths), len(paths) - len(missing)
    progress = with_eta(progress)
    progress(Progress("demo", num_kept, num_total))
    # threads suffice: nearly all of the time goes into NumPy, FFTs and encoders
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "demo") as pool:
        jobs = {pool.submit(make, song, paths[song], cancel): song for song in missing}
        try:
            for num_made, job in enumerate(as_completed(jobs), start=1):
                job.result()
                message = f"{jobs[job].artist} - {jobs[job].title}"
                progress(Progress("demo", num_kept + num_made, num_total, message=message))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _make_song(song: Song, paths: Sequence[Path], cancel: CancelToken) -> None:
    cancel.check()
    mixture = stems(song).mixture
    cancel.check()
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    with written_whole(paths[0], paths[0].suffix) as draft:
        write_audio(draft, mixture, RATE_HZ)
        write_tags(draft, _tags(song))


def _tags(song: Song) -> SongTags:
    return SongTags(
        title=song.title,
        artist=song.artist,
        album=song.album,
        genre=GENRES[song.style],
        year=song.year,
        track_number=song.track_number,
        cover_png=cover_png(sum(map(ord, song.artist + song.album))),
    )


# Stems


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
    _make_all(paths, _make_stems, progress, cancel or CancelToken())
    table = folder / TABLE_NAME
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(song, kind) for song in songs for kind in KINDS)
    return table


def _make_stems(song: Song, paths: Sequence[Path], cancel: CancelToken) -> None:
    cancel.check()
    made = stems(song)
    for path, sound in zip(paths, (made.vocals, made.accompaniment), strict=True):
        cancel.check()
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path, path.suffix) as draft:
            write_audio(draft, sound, RATE_HZ)


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
