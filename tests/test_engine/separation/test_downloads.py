"""Downloads against a server on this machine: resumed, checked, and never half there."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.server import Server, serve

from engine.errors import CancelledError, DownloadError
from engine.progress import CancelToken, Progress
from engine.separation import downloads
from engine.separation.downloads import download
from engine.separation.remote_file import RemoteFile

CONTENT = bytes(range(256)) * 4000  # 1 MB


def remote_file(server: Server, content: bytes = CONTENT) -> RemoteFile:
    digest = hashlib.sha256(content).hexdigest()
    return RemoteFile(f"{server.url}/weights.pth", digest, len(content))


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(CONTENT) as server:
        yield server


def partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def test_a_file_arrives_whole_and_tells_how_far_it_is(server: Server, tmp_path: Path) -> None:
    path, told = tmp_path / "new" / "weights.pth", list[Progress]()
    download(remote_file(server), path, told.append)
    assert path.read_bytes() == CONTENT
    assert not partial(path).exists()
    assert (told[-1].num_done, told[-1].num_total) == (1, 1)
    assert told[-1].message == "MB of weights.pth"


def test_a_file_that_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    for _ in range(2):
        download(remote_file(server), path)
    assert len(server.ranges) == 1


def test_the_first_digits_of_a_sha256_are_enough(server: Server, tmp_path: Path) -> None:
    remote = remote_file(server)
    download(RemoteFile(remote.url, remote.sha256[:8], 0), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").exists()


def test_broken_connections_are_taken_up_where_they_broke(server: Server, tmp_path: Path) -> None:
    server.cuts_after = [300_000, 0, 400_000]
    for _ in range(3):
        with pytest.raises(DownloadError, match="What has arrived is kept"):
            download(remote_file(server), tmp_path / "weights.pth")
    download(remote_file(server), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=300000-", "bytes=700000-"]


def test_the_next_run_goes_on_from_the_last(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    partial(path).write_bytes(CONTENT[:123_456])
    download(remote_file(server), path)
    assert server.ranges == ["bytes=123456-"]
    assert path.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.knows_ranges = False
    partial(tmp_path / "weights.pth").write_bytes(CONTENT[:123_456])
    download(remote_file(server), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == CONTENT


def test_a_complete_partial_file_only_gets_its_name(server: Server, tmp_path: Path) -> None:
    partial(tmp_path / "weights.pth").write_bytes(CONTENT)
    download(remote_file(server), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == CONTENT


def test_halves_of_two_versions_are_found_and_fetched_anew(server: Server, tmp_path: Path) -> None:
    partial(tmp_path / "weights.pth").write_bytes(b"old" * 1000)
    with pytest.raises(DownloadError, match="not the file that was published"):
        download(remote_file(server), tmp_path / "weights.pth")
    download(remote_file(server), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == CONTENT
    assert server.ranges == ["bytes=3000-", None]


def test_another_file_is_refused_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.content = b"<html>please log in</html>"
    with pytest.raises(DownloadError, match="not the file that was published"):
        download(remote_file(server), tmp_path / "weights.pth")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_says_what_the_server_answers(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match="404 Not Found"):
        download(remote_file(server), tmp_path / "weights.pth")


def test_offline_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    remote = RemoteFile(f"http://127.0.0.1:{port}/weights.pth", "0" * 64, 1)
    with pytest.raises(DownloadError, match=r"cannot be reached.* Is this computer online\?"):
        download(remote, tmp_path / "weights.pth")


def test_a_silent_server_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT_S", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # connects, but never answers
        remote = RemoteFile(f"http://127.0.0.1:{listener.getsockname()[1]}/x", "0" * 64, 1)
        with pytest.raises(DownloadError, match="cannot be reached"):
            download(remote, tmp_path / "x")


def test_stopping_keeps_what_has_arrived(server: Server, tmp_path: Path) -> None:
    cancel = CancelToken()
    with pytest.raises(CancelledError):
        download(
            remote_file(server), tmp_path / "weights.pth", lambda told: cancel.cancel(), cancel
        )
    assert not (tmp_path / "weights.pth").exists()
    assert 0 < partial(tmp_path / "weights.pth").stat().st_size < len(CONTENT)
    download(remote_file(server), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="cannot be written"):
        download(remote_file(server), tmp_path / "file" / "weights.pth")
