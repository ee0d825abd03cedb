"""The demo library as a folder of tagged files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from engine.demo.cover import cover_png
from engine.demo.instruments import RATE_HZ
from engine.demo.mix import stems
from engine.demo.songs import SONGS, Song
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
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
    make_songs(paths, _make, progress, cancel or CancelToken())
    return [path for (path,) in paths.values()]


def make_songs(
    paths: Mapping[Song, Sequence[Path]],
    make: Callable[[Song, Sequence[Path], CancelToken], None],
    progress: ProgressCallback,
    cancel: CancelToken,
) -> None:
    """Call ``make`` for every song of which a file is missing, several at a time."""
    missing = [song for song, files in paths.items() if not all(map(Path.exists, files))]
    num_total, num_kept = len(paths), len(paths) - len(missing)
    started = time.monotonic()
    # threads suffice: nearly all of the time goes into NumPy, FFTs and encoders
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "demo") as pool:
        jobs = {pool.submit(make, song, paths[song], cancel): song for song in missing}
        try:
            for num_made, job in enumerate(as_completed(jobs), start=1):
                job.result()
                eta_s = (time.monotonic() - started) / num_made * (len(missing) - num_made)
                song = jobs[job]
                progress(Progress("demo", num_kept + num_made, num_total, eta_s=eta_s,
                                  message=f"{song.artist} - {song.title}"))  # fmt: skip
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    if not missing:
        progress(Progress("demo", num_total, num_total, eta_s=0.0))


def _make(song: Song, paths: Sequence[Path], cancel: CancelToken) -> None:
    cancel.check()
    mixture = stems(song).mixture
    cancel.check()
    with finished(paths[0], song) as unfinished:
        write_audio(unfinished, mixture, RATE_HZ)
        write_tags(unfinished, _tags(song))


@contextmanager
def finished(path: Path, song: Song) -> Iterator[Path]:
    """A path to write to, which becomes ``path`` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # hidden, so that no scan takes it for a song
    unfinished = path.with_name(f".unfinished-{song.seed}{path.suffix}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


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
