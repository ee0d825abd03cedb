"""A catalogue run on real Ray: several processes, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import fsspec
import numpy as np
import pytest
from support.catalogue import (
    EARS,
    MODEL,
    QUIET,
    skipped_of,
    songs_of,
    write_manifest,
    write_songs,
)
from support.sound import buzz, write_wav

from catalogue.run import run_catalogue
from catalogue.workers import MAX_LOSSES, Ears, join_cluster, ray
from engine import models, separation
from engine.listening.embedding import embed_file
from engine.networks.processor import single_threaded_torch
from engine.sound.audio import audio_hash

pytestmark = pytest.mark.linux

NUM_WORKERS, NUM_SONGS = 2, 6


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One cluster of this machine for all tests here: it takes seconds to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # else they wait for whatever else runs here
        join_cluster(NUM_WORKERS)
        yield
    ray.shutdown()


def pids_of(work: str) -> list[int]:
    """Processes of ours that do this work, as the system lists them."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_worker = (entry / "cmdline").read_bytes().startswith(f"ray::{work}".encode())
        except OSError:
            continue
        if is_worker and _is_ours(int(entry.name)):
            found.append(int(entry.name))
    return found


def _is_ours(pid: int) -> bool:
    while pid > 1 and pid != os.getpid():
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
        except OSError:
            return False
    return pid == os.getpid()


@contextmanager
def killing(work: str, num: int) -> Iterator[list[int]]:
    """Ends so many processes that do this work, one after the other; yields those that it ended."""
    killed, is_over = list[int](), Event()

    def kill() -> None:
        while len(killed) < num and not is_over.wait(0.02):
            for pid in pids_of(work)[: num - len(killed)]:
                if pid not in killed:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    thread = Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        is_over.set()
        thread.join()


def test_a_killed_worker_costs_nothing_but_time(tmp_path: Path) -> None:
    paths = [*write_songs(tmp_path, NUM_SONGS), "nowhere.wav"]
    manifest = write_manifest(tmp_path / "manifest.csv", paths)
    with killing("hear", 1) as killed:
        summary = run_catalogue(manifest, str(tmp_path / "table"), EARS, *QUIET)
    assert len(killed) == 1
    assert (summary.heard, summary.failed) == (NUM_SONGS, 1)
    found = songs_of(tmp_path / "table")
    assert [song.path for song in found] == sorted(str(tmp_path / path) for path in paths[:-1])


def test_a_file_that_ends_workers_is_skipped_with_a_reason(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "manifest.csv", write_songs(tmp_path, 1))
    with killing("hear", MAX_LOSSES) as killed:
        summary = run_catalogue(manifest, str(tmp_path / "table"), EARS, *QUIET)
    assert len(killed) == MAX_LOSSES
    assert (summary.heard, summary.failed) == (0, 1)
    (reason,) = skipped_of(tmp_path / "table").values()
    assert "ended 3 workers" in reason


def test_voices_are_separated_and_remote_files_are_fetched(tmp_path: Path) -> None:
    """From an address: a file inside of an archive, which fsspec opens."""
    song = write_wav(tmp_path / "one.wav", buzz(3))
    archive = fsspec.filesystem("zip", fo=str(tmp_path / "songs.zip"), mode="w")
    names = ("Ann/Live/03 - One.wav", "Bob/Two.wav")
    for name, sound in zip(names, (song, write_wav(tmp_path / "two.wav", buzz(4))), strict=True):
        with archive.open(name, "wb") as file:
            file.write(sound.read_bytes())
    archive.close()
    addresses = [f"zip://{name}::file://{tmp_path}/songs.zip" for name in names]
    manifest = write_manifest(tmp_path / "manifest.csv", addresses)
    assert run_catalogue(manifest, str(tmp_path / "table"), Ears(model=MODEL), *QUIET).failed == 0
    one, other = songs_of(tmp_path / "table")
    assert one.path == addresses[0]
    assert (one.tags.title, one.tags.artist) == ("One", "Ann")
    assert (other.tags.title, other.tags.artist) == ("Two", "Bob")
    assert one.audio_hash == audio_hash(song)
    assert one.size_bytes == song.stat().st_size
    with single_threaded_torch():
        alone = embed_file(song, models.load(MODEL), "vocals", separator=separation.load())
    heard = one.heard["vocals"]
    assert alone is not None
    assert heard is not None
    np.testing.assert_allclose(heard.vector, alone.vector, atol=1e-3)
    np.testing.assert_array_equal(heard.moments.codes, alone.moments.codes)
