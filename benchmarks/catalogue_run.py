"""What a catalogue run costs: Ray's workers against one process, then shards into a library.

    python benchmarks/catalogue_run.py [FOLDER] [--songs 8] [--workers 2] [--rows 100000]

The same songs are listened to by one process without Ray and by a crew, in this order, each with
its models loaded before the clock starts; what starting costs is told apart. Without FOLDER nothing
is heard. The import takes made-up embeddings (``made_up.py``) as large as the default model's; its
processor times stand beside those by the clock. Everything is written to a scratch folder.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import made_up
import numpy as np

from catalogue.cluster import joined_cluster
from catalogue.importing import import_shards
from catalogue.listener import Ears, Listener, ShardTask
from catalogue.manifest import Entry, read_manifest
from catalogue.run import RunOptions, run_catalogue
from catalogue.shards import ShardHeader, ShardRow, pack_shard, shard_name
from catalogue.storage import ShardFolder
from engine import models
from engine.library import Library, Tags
from engine.library.scan.walk import AUDIO_EXTENSIONS
from engine.models import VIEWS
from engine.progress import Progress
from engine.records import MomentCodes, TrackEmbedding, View

MOMENTS_PER_SONG, DIM = 40, 256  # of 200 s, by the default model


def write_manifest(folder: Path, target: Path, num: int) -> Path:
    songs = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_EXTENSIONS)
    chosen = songs[:: max(1, len(songs) // num)][:num]
    target.write_text("\n".join(json.dumps({"path": str(song)}) for song in chosen), "utf-8")
    return target


def in_one_process(manifest_path: Path, out: Path) -> tuple[float, float]:
    """(seconds, seconds of audio)."""
    manifest = read_manifest(str(manifest_path))
    ears = Ears({view: models.default_model_name(view) for view in VIEWS}, "spleeter")
    listener = Listener(ears, ShardFolder(str(out)), manifest)
    listener.load()
    started = time.monotonic()
    reports = list(listener.make_shard(ShardTask(0, tuple(manifest.entries()))))
    return time.monotonic() - started, sum(report.audio_s for report in reports)


def by_a_crew(manifest_path: Path, out: Path, num_workers: int) -> tuple[float, float]:
    """(seconds of listening, seconds until the first worker was ready)."""
    started, ready_s = time.monotonic(), 0.0

    def watch(progress: Progress) -> None:
        nonlocal ready_s
        if not ready_s and (out / "run.json").exists():
            ready_s = time.monotonic() - started

    with joined_cluster(None, num_workers):
        options = RunOptions(num_workers=num_workers, shard_rows=1)
        run_catalogue(str(manifest_path), str(out), options, watch)
        return time.monotonic() - started - ready_s, ready_s


def write_made_up(out: Path, num_rows: int, shard_rows: int = 256) -> None:
    spaces = tuple(made_up.space_key(view, DIM) for view in made_up.VIEWS)
    artist_of = made_up.artists(num_rows)
    vectors = [made_up.voices(artist_of, DIM, number) for number in range(len(spaces))]
    random = np.random.default_rng(0)
    starts_s = 5 * np.arange(MOMENTS_PER_SONG, dtype=np.float32)

    def heard(row: int) -> dict[View, TrackEmbedding | None]:
        codes = random.integers(-127, 128, (MOMENTS_PER_SONG, 64)).astype(np.int8)
        moments = MomentCodes(codes, starts_s, 5.0)
        both = zip(spaces, vectors, strict=True)
        return {space.view: TrackEmbedding(some[row], moments) for space, some in both}

    for number, first in enumerate(range(0, num_rows, shard_rows)):
        rows = [
            ShardRow(
                Entry(row, f"s3://archive/{row % 997}/{row}.mp3", None, song_tags(row, artist_of)),
                4_000_000,
                row,
                f"{row:032x}",
                200.0,
                None,
                heard(row),
            )
            for row in range(first, min(first + shard_rows, num_rows))
        ]
        made = ShardHeader(spaces, "0" * 64, first, len(rows))
        ShardFolder(str(out)).write(shard_name(number), pack_shard(made, rows))


def song_tags(row: int, artist_of: np.ndarray) -> Tags:
    return Tags(f"Song {row}", f"Artist {artist_of[row]}", f"Album {row // 12}", "", "Pop", 1990, 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--songs", type=int, default=8)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rows", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if chosen.folder is not None:
            listen(chosen.folder, Path(scratch), chosen.songs, chosen.workers)
        if chosen.rows:
            bring_in(Path(scratch), chosen.rows)


def listen(music: Path, folder: Path, num_songs: int, num_workers: int) -> None:
    manifest = write_manifest(music, folder / "manifest.jsonl", num_songs)
    alone_s, audio_s = in_one_process(manifest, folder / "alone")
    crew_s, start_s = by_a_crew(manifest, folder / "crew", num_workers)
    num_bytes = sum(path.stat().st_size for path in (folder / "crew").glob("*.parquet"))
    print(f"{num_songs} songs, {audio_s / 60:.0f} minutes of audio, both views")
    print(f"one process        {audio_s / alone_s:6.1f} x real time")
    print(f"{num_workers} workers on Ray   {audio_s / crew_s:6.1f} x real time")
    print(f"ratio              {alone_s / crew_s:6.2f} of {num_workers} possible")
    print(f"start of Ray       {start_s:6.1f} s")
    print(f"shards             {num_bytes / num_songs / 1000:6.1f} kB a song", flush=True)


def bring_in(folder: Path, num_rows: int) -> None:
    write_made_up(folder / "made-up", num_rows)
    num_bytes = sum(path.stat().st_size for path in (folder / "made-up").iterdir())
    spent = [time.process_time()]
    with Library.open(folder / "library.db") as library:
        summary = import_shards(library, [str(folder / "made-up")])
        spent.append(time.process_time())
        again = import_shards(library, [str(folder / "made-up")])
        spent.append(time.process_time())
    rows_s = summary.seconds - summary.index_seconds
    first_s, again_s = np.diff(spent)
    print(f"{num_rows} rows, {num_bytes / num_rows / 1000:.1f} kB each in shards of 256")
    print(f"import             {rows_s:6.1f} s, index {summary.index_seconds:.1f} s")
    print(f"                   {first_s:6.1f} s of processor time together")
    print(f"import, again      {again.seconds:6.1f} s, {again_s:.1f} s of processor time")
    size = (folder / "library.db").stat().st_size
    print(f"library            {size / num_rows / 1000:6.1f} kB a song, index included")


if __name__ == "__main__":
    main()
