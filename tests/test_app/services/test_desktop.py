"""What the desktop is told of the window's work, and asked meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support import app_fixtures
from support import bus as buses

from app.services import desktop as desktops
from app.services.desktop import Desktop
from app.window import MainWindow
from engine.library import Library
from engine.progress import CancelToken, Progress, ProgressCallback

pytestmark = pytest.mark.linux
no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window
bus = buses.bus


@pytest.fixture
def inhibited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """There while a stand-in for ``systemd-inhibit`` runs."""
    mark, script = tmp_path / "inhibited", tmp_path / "bin" / "systemd-inhibit"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\ntouch {mark}\ncat\nrm {mark}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    return mark


def test_no_sleep_and_progress_while_songs_are_listened_to(qtbot, bus, window, inhibited):
    goes_on = threading.Event()

    def index(library: Library, progress: ProgressCallback, cancel: CancelToken) -> None:
        progress(Progress("embed", 1, 4))
        goes_on.wait()

    desktop = Desktop(window, window.services, "org.example.Singalike", bus.ours)
    bus.listen("interface='com.canonical.Unity.LauncherEntry'")
    indexing = window.services.indexing
    indexing.index_work = index
    indexing.start()
    qtbot.waitUntil(inhibited.exists)
    qtbot.waitUntil(lambda: "variant double 0.25" in bus.heard)
    indexing.pause()
    assert not inhibited.exists()
    indexing.resume()
    qtbot.waitUntil(inhibited.exists)
    goes_on.set()
    qtbot.waitUntil(lambda: not indexing.is_running)
    assert not inhibited.exists()
    qtbot.waitUntil(lambda: bus.heard.endswith("boolean false ) ]"))
    desktop.close()


def test_long_work_is_told_to_one_who_is_elsewhere(
    qtbot, bus, window: MainWindow, monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    monkeypatch.setattr(desktops, "notify", lambda window, title, text: told.append(text))
    desktop = Desktop(window, window.services, "org.example.Singalike", bus.ours)
    runner = window.services.open_library.runner
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    runner.done.emit(desktops.Pool.MAP, 5.0)
    assert told == []
    runner.done.emit(desktops.Pool.MAP, 100.0)
    assert told == ["The map is made."]
    monkeypatch.setattr(window, "isActiveWindow", lambda: True)
    runner.done.emit(desktops.Pool.MAP, 100.0)
    assert told == ["The map is made."]
    desktop.close()
