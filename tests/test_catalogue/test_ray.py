"""A catalogue run on real Ray: several processes, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import fsspec
import numpy as np
import pytest
from support.catalogue import (
    MODEL,
    OPTIONS,
    contents,
    rows_of,
    undisturbed,
    write_manifest,
    write_songs,
)
from support.sound import buzz, write_wav

from catalogue.cluster import joined_cluster
from catalogue.run import RunOptions, RunSummary, run_catalogue
from engine import models, separation
from engine.listening.embedding import embed_file
from engine.networks.processor import single_threaded_torch
from engine.progress import Progress
from engine.sound.audio import audio_hash

pytestmark = pytest.mark.linux


NUM_WORKERS = 2
NUM_SONGS = 8


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One cluster of this machine for all tests here: it takes seconds to start."""
    with joined_cluster(None, NUM_WORKERS):
        yield


@dataclass(frozen=True)
class Disturbed:
    """A run of which one worker was killed when the first song was through."""

    folder: Path
    manifest: str
    shards: Path
    summary: RunSummary
    num_killed: int


@pytest.fixture(scope="module")
def disturbed(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    folder = tmp_path_factory.mktemp("catalogue")
    manifest = write_manifest(
        folder / "manifest.jsonl", [*write_songs(folder, NUM_SONGS), "late.wav"]
    )
    killed = list[int]()

    def kill_one(progress: Progress) -> None:
        if progress.stage == "embed" and progress.num_done and not killed:
            workers = pids_of_workers()
            assert len(workers) == NUM_WORKERS
            os.kill(workers[0], signal.SIGKILL)
            killed.append(workers[0])

    summary = run_catalogue(manifest, str(folder / "shards"), OPTIONS, kill_one)
    return Disturbed(folder, manifest, folder / "shards", summary, len(killed))


def pids_of_workers() -> list[int]:
    """Processes of ours that listen, as the system lists them."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_listener = (entry / "cmdline").read_bytes().startswith(b"ray::Listener")
        except OSError:
            continue
        if is_listener and _is_ours(int(entry.name)):
            found.append(int(entry.name))
    return found


def _is_ours(pid: int) -> bool:
    while pid > 1 and pid != os.getpid():
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
        except OSError:
            return False
    return pid == os.getpid()


def test_a_killed_worker_costs_nothing_but_time(disturbed: Disturbed, tmp_path: Path) -> None:
    assert disturbed.num_killed == 1
    assert disturbed.summary.workers_lost == 1
    assert (disturbed.summary.heard, disturbed.summary.failed) == (NUM_SONGS, 1)
    expected = undisturbed(disturbed.manifest, tmp_path / "alone")
    assert contents(disturbed.shards) == expected


def test_a_run_goes_on_with_what_is_not_there(disturbed: Disturbed) -> None:
    """A shard that is not there is made, one with a failure is mended, the rest is left alone."""
    before = contents(disturbed.shards)
    (disturbed.shards / "shard-000001.parquet").unlink()
    song = disturbed.folder / "Artist 0" / "Song 0.wav"
    (disturbed.folder / "late.wav").write_bytes(song.read_bytes())
    assert rows_of(disturbed.shards)[-1].error is not None

    options = replace(OPTIONS, is_retry=True, num_workers=1)
    summary = run_catalogue(disturbed.manifest, str(disturbed.shards), options)
    assert (summary.heard, summary.failed, summary.done_before) == (3, 0, NUM_SONGS + 1 - 3)
    after = contents(disturbed.shards)
    assert {name for name in after if after[name] != before[name]} == {"shard-000004.parquet"}
    late = rows_of(disturbed.shards)[-1]
    assert late.error is None
    assert late.audio_hash == audio_hash(song)


def test_voices_are_separated_and_remote_files_are_fetched(tmp_path: Path) -> None:
    """From an address: a file inside of an archive, which fsspec opens."""
    song = write_wav(tmp_path / "one.wav", buzz(3))
    archive = fsspec.filesystem("zip", fo=str(tmp_path / "songs.zip"), mode="w")
    names = ("Ann/Live/03 - One.wav", "Bob/Two.wav")
    for name in names:
        with archive.open(name, "wb") as file:
            file.write(song.read_bytes())
    archive.close()
    addresses = [f"zip://{name}::file://{tmp_path}/songs.zip" for name in names]
    manifest = write_manifest(tmp_path / "manifest.jsonl", addresses)
    options = RunOptions(models={"vocals": MODEL, "overall": MODEL}, num_workers=1, shard_rows=2)
    assert run_catalogue(manifest, str(tmp_path / "shards"), options).failed == 0
    row, other = rows_of(tmp_path / "shards")
    assert row.entry.address == addresses[0]
    assert (row.entry.tags.title, row.entry.tags.artist) == ("One", "Ann")
    assert (other.entry.tags.title, other.entry.tags.artist) == ("Two", "Bob")
    assert row.audio_hash == other.audio_hash == audio_hash(song)
    assert row.size_bytes == song.stat().st_size
    with single_threaded_torch():
        alone = embed_file(song, models.load(MODEL), "vocals", separator=separation.load())
    assert row.heard is not None
    heard = row.heard["vocals"]
    assert alone is not None
    assert heard is not None
    np.testing.assert_allclose(heard.vector, alone.vector, atol=1e-3)
    np.testing.assert_array_equal(heard.moments.codes, alone.moments.codes)
