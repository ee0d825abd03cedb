"""Nothing is fetched unless asked for, and then over https, and no more than was published."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import separation
from engine.errors import DownloadError
from engine.separation.downloads import _OnlyHttps, download
from engine.separation.published import PUBLISHED
from engine.separation.remote_file import RemoteFile

ROOT = Path(__file__).parents[2]

# In a process where no socket can be made, nor a name looked up; its decoders are no better off.
OFFLINE = """
import sys
FORBID = '''
import sys
def forbid(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        sys.stderr.write("a socket: " + event)
        raise SystemExit(99)
sys.addaudithook(forbid)
'''
exec(FORBID)
from pathlib import Path
from engine.sound.decoding import pool
pool._BOOT = f"exec({FORBID!r}); {pool._BOOT}"
from engine.demo import SONGS, make_demo_library
make_demo_library(Path(sys.argv[1]), songs=SONGS[:1])
from engine.cli import main
for command in (["index", sys.argv[1], "--workers", "1"], ["similar"], ["status"], ["models"],
                ["separators"]):
    sys.argv = ["singalike", *command]
    if command[0] in ("index", "similar", "status"):
        sys.argv += ["--library", sys.argv[0] + ".db"]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code
assert pool.pids()
"""


def test_indexing_and_searching_open_no_socket(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}){OFFLINE}", "music"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Nearest voices to" in done.stdout
    assert "1 song found: 1 heard now" in done.stderr


def test_a_socket_would_be_noticed(tmp_path: Path) -> None:
    code = (
        OFFLINE.partition("from pathlib")[0] + "import socket; socket.create_connection(('a', 1))"
    )
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 99
    assert b"a socket" in done.stderr


def test_all_that_can_be_fetched_is_pinned_and_comes_over_https() -> None:
    for published in PUBLISHED:
        assert published.remote.url.startswith("https://")
        assert published.remote.size_bytes > 1_000_000
    assert {one.name for one in separation.available()} > {one.name for one in PUBLISHED}


@pytest.mark.parametrize(
    "url",
    ["http://example.org/a.pth", "ftp://example.org/a.pth", "file:///etc/passwd", "//a/b", "a.pth",
     "http://127.0.0.1.example.org/a.pth", "http://127.0.0.1@example.org/a.pth"],
)  # fmt: skip
def test_other_ways_than_https_are_not_taken(url: str) -> None:
    with pytest.raises(ValueError, match="only https"):
        RemoteFile(url, "0" * 64, 1)


@pytest.mark.parametrize("sha256", ["", "0" * 7, "g" * 64, "0" * 65])
def test_nothing_is_fetched_without_a_hash(sha256: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        RemoteFile("https://example.org/a.pth", sha256, 1)


@pytest.fixture
def sent_to() -> Iterator[list[str]]:
    """A server that sends everybody elsewhere; its address is put before where to."""
    places: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", places[-1])
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tests keep stderr clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        places.append(f"http://127.0.0.1:{server.server_port}/a.pth")
        yield places
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "place", ["http://example.org/a.pth", "http://127.0.0.1:9/a", "file:///etc/passwd", "ftp://a/b"]
)
def test_being_sent_away_from_https_is_refused(
    sent_to: list[str], tmp_path: Path, place: str
) -> None:
    remote = RemoteFile(sent_to[0], "0" * 64, 1)
    sent_to.append(place)
    with pytest.raises(DownloadError, match=r"not over https|cannot be had"):
        download(remote, tmp_path / "a.pth")
    assert list(tmp_path.iterdir()) == []


def test_being_sent_on_over_https_is_fine() -> None:
    import urllib.request

    request = urllib.request.Request("https://example.org/a.pth")
    sent_on = _OnlyHttps().redirect_request(
        request, None, 302, "", {}, "https://example.com/b"  # type: ignore[arg-type]
    )  # fmt: skip
    assert sent_on is not None
    assert sent_on.full_url == "https://example.com/b"
