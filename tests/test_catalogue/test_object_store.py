"""A catalogue in a store of objects: a real S3 server of this machine, which comes and goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from support.catalogue import MODEL, QUIET, songs_of, write_manifest, write_songs
from support.patience import PATIENCE_S

from catalogue import upkeep
from engine.errors import CatalogueError
from engine.search import Searcher, SearchOptions
from engine.search.remote.source import TableSource
from engine.search.remote.table import SongTable

pytestmark = pytest.mark.linux
NUM_SONGS = 12
# In a process of its own, so that it can be killed: one listener, which writes every song at once.
RUN = """
import sys
from support.catalogue import EARS, QUIET, local_listen, no_cluster
import catalogue.run as run
run.join_cluster, run.listen = no_cluster, local_listen
run.MAX_HELD = 1
told = lambda progress: print(progress.num_done, flush=True)
run.run_catalogue(sys.argv[1], sys.argv[2], EARS, told, QUIET[1])
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedMotoServer]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="archive")
    yield server
    server.stop()


def start(manifest: str, place: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, manifest, place]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_run_that_is_killed_goes_on_and_is_searched(
    server: ThreadedMotoServer, tmp_path: Path
) -> None:
    place = "s3://archive/tables"
    manifest = write_manifest(tmp_path / "manifest.csv", write_songs(tmp_path, NUM_SONGS))
    killed = start(manifest, place)
    assert killed.stdout is not None
    for line in killed.stdout:
        if int(line) >= 3:
            break
    killed.send_signal(signal.SIGKILL)
    killed.wait(PATIENCE_S)
    killed.stdout.close()
    before = len(songs_of(place))
    assert 0 < before < NUM_SONGS

    again = start(manifest, place)
    again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0
    table = SongTable.open(place)
    assert table.count() == NUM_SONGS
    upkeep.index(table, *QUIET)
    assert list(upkeep.verify(table, *QUIET)) == []
    source = TableSource(table)
    found = Searcher(source).by_track(source.find("song 3")[0], SearchOptions("overall", k=3))
    assert len(found.neighbours) == 3
    assert found.models == {"overall": MODEL}


def test_what_a_store_refuses_is_told(server: ThreadedMotoServer, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="There is no such bucket"):
        SongTable.open("s3://nowhere/tables")
    with pytest.raises(CatalogueError, match="There is no catalogue"):
        SongTable.open("s3://archive/nothing")
    server.stop()
    with pytest.raises(CatalogueError, match=r"does not answer|can be reached"):
        SongTable.open("s3://archive/tables")
    server.start()
