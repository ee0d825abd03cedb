from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import devices
from support.app_window import make_library

from app import main
from app.desktop.reveal import file_url

x_server = devices.x_server

# The window closes itself as soon as it shows its library; then tells what has been imported.
SCRIPT = """
import sys
from pathlib import Path
report, sys.stdout, sys.stderr = Path(sys.argv[1]), None, None
from PySide6.QtCore import QTimer
import app.window
class Window(app.window.MainWindow):
    def show(self):
        super().show()
        self.slow_at_show = {"torch", "torchaudio", "scipy"} & set(sys.modules)
        changed = self.services.open_library.overview_changed
        changed.connect(lambda _: QTimer.singleShot(0, self.finish))
    def finish(self):
        report.write_text(f"{self.isVisible()} {self.slow_at_show} {self.pages.currentIndex()}")
        self.close()
app.window.MainWindow = Window
import app.main
sys.exit(app.main.main(sys.argv[2:]))
"""


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    home = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("DATA", "CONFIG", "CACHE")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "report"), *arguments],
        env=os.environ | home | {"PYTHONPATH": root, "QT_QPA_PLATFORM": "offscreen"},
        timeout=60,
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_window_comes_before_torch_and_scipy_and_without_any_streams(tmp_path):
    library = make_library(tmp_path / "library.db", tmp_path / "music")
    done = run(tmp_path, "--library", str(library))
    assert done.returncode == 0
    assert (tmp_path / "report").read_text() == "True set() 2"
    assert (tmp_path / "CONFIG" / "Singalike" / "settings.ini").exists()


# The window asks about a song, queues all, shows the map and a dialog, and says when it has.
BUSY = """
import sys
from PySide6.QtCore import QCoreApplication
import app.window
from app.ui.top_bar import Page
class Window(app.window.MainWindow):
    def show(self):
        super().show()
        library = self.services.open_library
        library.listed.connect(lambda ids: library.fetch_tracks([2], self.use))
    def use(self, tracks):
        self.services.open_library.listed.disconnect()
        ids = self.library.model.ids
        self.services.search.answered.connect(lambda _: self.commands.enqueue(ids))
        self.commands.enqueued.connect(self.say)
        self.services.search.find_track(tracks[0])
    def say(self):
        self.show_page(Page.MAP)
        self.commands.show_help()
        assert self.windowHandle().isExposed()
        print("ready", flush=True)
app.window.MainWindow = Window
import app.main
sys.exit(app.main.main(sys.argv[1:]))
"""


@pytest.mark.linux
def test_what_is_ended_from_outside_goes_on_at_the_next_start(tmp_path):
    library = make_library(tmp_path / "library.db", tmp_path / "music")
    home = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("DATA", "CONFIG", "CACHE")}
    given = {"PYTHONPATH": str(Path(__file__).parents[2]), "QT_QPA_PLATFORM": "offscreen"}
    started = [sys.executable, "-c", BUSY, "--library", str(library)]
    with subprocess.Popen(started, env=os.environ | home | given, stdout=subprocess.PIPE) as window:
        assert window.stdout is not None
        assert window.stdout.readline() == b"ready\n"
        window.send_signal(signal.SIGTERM)
        assert window.wait(timeout=60) == 0
    check_session(tmp_path)


@pytest.mark.linux
def test_a_display_that_is_gone_ends_it_and_nothing_is_forgotten(tmp_path, x_server):
    library = make_library(tmp_path / "library.db", tmp_path / "music")
    home = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("DATA", "CONFIG", "CACHE")}
    given = {"PYTHONPATH": str(Path(__file__).parents[2])}
    started = [sys.executable, "-c", BUSY, "--library", str(library)]
    with subprocess.Popen(
        started, env=x_server.environment | home | given, stdout=subprocess.PIPE
    ) as window:
        assert window.stdout is not None
        assert window.stdout.readline() == b"ready\n"
        x_server.server.kill()
        assert window.wait(timeout=60) == 1
    check_session(tmp_path)


def check_session(home: Path) -> None:
    session = json.loads((home / "CONFIG" / "Singalike" / "session.json").read_text())
    assert session["page"]["page"] == "map"
    assert session["page"]["track"] == 2
    assert len(session["queue"]["queue"]["songs"]) == 5


@pytest.mark.linux
def test_where_there_is_no_display_it_is_said(tmp_path):
    nowhere = {name: value for name, value in os.environ.items() if name not in main.DISPLAYS}
    done = subprocess.run(
        [sys.executable, "-m", "app.main", "--library", str(tmp_path / "library.db")],
        env=nowhere | {"PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=60,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("There is no display here")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.linux
def test_a_url_of_any_file_name():
    assert file_url(Path("/music/a b#%.mp3")) == "file:///music/a%20b%23%25.mp3"
    assert file_url(Path(os.fsdecode(b"/music/\xff.mp3"))) == "file:///music/%FF.mp3"


def test_a_terminal_sees_what_goes_wrong_and_the_file_everything(tmp_path):
    script = (
        "import logging, sys; from pathlib import Path; from app.desktop.log import start_log\n"
        "start_log(Path(sys.argv[1])); logging.info('a run'); logging.warning('a fault')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "log")],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "a fault" in done.stderr
    assert "a run" not in done.stderr
    assert "a run" in (tmp_path / "log").read_text("utf-8")
