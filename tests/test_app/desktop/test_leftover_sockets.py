"""What killed windows left goes with the next window; what others listen at stays."""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path

import pytest

from app.desktop import single_instance

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes go with their process")


def listening(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_sockets_of_killed_windows_go_and_those_of_others_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory(prefix="t") as own:  # short enough for a socket's name
        folder = Path(own)
        monkeypatch.setattr(single_instance.QDir, "tempPath", lambda: own)
        dead, alive, new, file = (folder / f"singalike-{digit * 24}" for digit in "abcd")
        listening(dead).close()
        file.write_text("no socket")
        with listening(alive):
            monkeypatch.setattr(single_instance, "SURELY_OPEN_S", -1.0)
            single_instance.clear_deaf_sockets()
            assert {*folder.iterdir()} == {alive, file}
            monkeypatch.setattr(single_instance, "SURELY_OPEN_S", 60.0)
            listening(new).close()  # as one that is about to listen
            single_instance.clear_deaf_sockets()
            assert {*folder.iterdir()} == {alive, file, new}
