"""What Ray costs: workers of a catalogue run against one process, in one run.

    python benchmarks/catalogue_run.py FOLDER [--songs 8] [--workers 2]

The same songs are listened to by one process without Ray and by a crew, in this order, each with
its models loaded before the clock starts; what starting costs is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from catalogue.listener import Ears, Listener
from catalogue.manifest import read_manifest
from catalogue.run import RunOptions, run_catalogue
from engine import models
from engine.library.imports import Song
from engine.library.scan.walk import AUDIO_EXTENSIONS
from engine.models import VIEWS
from engine.progress import Progress
from engine.search.remote.table import SongTable


def write_manifest(folder: Path, target: Path, num: int) -> Path:
    songs = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_EXTENSIONS)
    chosen = songs[:: max(1, len(songs) // num)][:num]
    target.write_text("\n".join(json.dumps({"path": str(song)}) for song in chosen), "utf-8")
    return target


def in_one_process(manifest_path: Path, place: Path) -> tuple[float, float]:
    """(seconds, seconds of audio)."""
    manifest = read_manifest(str(manifest_path))
    ears = Ears({view: models.default_model_name(view) for view in VIEWS}, "spleeter")
    listener = Listener(ears, manifest.root)
    spaces = listener.load()
    started = time.monotonic()
    songs = [listener.hear(entry) for entry in manifest.entries()]
    heard = [song for song in songs if isinstance(song, Song)]
    SongTable.create(str(place), spaces).add(heard)
    return time.monotonic() - started, sum(song.duration_s for song in heard)


def by_a_crew(manifest_path: Path, place: Path, num_workers: int) -> tuple[float, float]:
    """(seconds of listening, seconds until the first worker was ready)."""
    started, ready_s = time.monotonic(), 0.0

    def watch(progress: Progress) -> None:
        nonlocal ready_s
        if not ready_s and place.exists():
            ready_s = time.monotonic() - started

    run_catalogue(str(manifest_path), str(place), RunOptions(num_workers=num_workers), watch)
    return time.monotonic() - started - ready_s, ready_s


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", type=int, default=8)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        manifest = write_manifest(chosen.folder, folder / "manifest.jsonl", chosen.songs)
        alone_s, audio_s = in_one_process(manifest, folder / "alone")
        crew_s, start_s = by_a_crew(manifest, folder / "crew", chosen.workers)
        num_bytes = sum(p.stat().st_size for p in (folder / "alone").rglob("*") if p.is_file())
        print(f"{chosen.songs} songs, {audio_s / 60:.0f} minutes of audio, both views")
        print(f"one process        {audio_s / alone_s:6.1f} x real time")
        print(f"{chosen.workers} workers on Ray   {audio_s / crew_s:6.1f} x real time")
        print(f"ratio              {alone_s / crew_s:6.2f} of {chosen.workers} possible")
        print(f"start of Ray       {start_s:6.1f} s")
        print(f"table              {num_bytes / chosen.songs / 1000:6.1f} kB a song", flush=True)


if __name__ == "__main__":
    main()
