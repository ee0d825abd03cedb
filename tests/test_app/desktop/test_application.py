from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.desktop.application import ENDINGS

ROOT = str(Path(__file__).parents[3])
SCRIPT = """
import locale
from app.desktop.application import Application
application = Application([])
print(locale.localeconv()["decimal_point"], locale.setlocale(locale.LC_NUMERIC))
"""


def test_c_writes_numbers_with_a_point_whatever_the_system_speaks():
    """FFmpeg tells loudness as text: on a German desktop no song's loudness could be measured."""
    given = {"PYTHONPATH": ROOT, "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "de_DE.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | given,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [".", "C"]


ENDING = """
from app.desktop.application import Application
application = Application([])
application.quit_on_signals()
print("ready", flush=True)
print("ended", application.exec())
"""


@pytest.mark.linux
@pytest.mark.parametrize("name", ENDINGS)
def test_it_ends_of_itself_when_the_system_asks(name):
    given = {"PYTHONPATH": ROOT, "QT_QPA_PLATFORM": "offscreen"}
    started = [sys.executable, "-c", ENDING]
    with subprocess.Popen(started, env=os.environ | given, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(getattr(signal, name))
        assert running.communicate(timeout=60)[0] == b"ended 0\n"


@pytest.mark.linux
def test_a_terminal_that_closes_ends_no_program_that_was_told_to_stay():
    """As ``nohup`` does."""
    given = {"PYTHONPATH": ROOT, "QT_QPA_PLATFORM": "offscreen"}
    started = ["nohup", sys.executable, "-c", ENDING]
    pipe = subprocess.PIPE
    with subprocess.Popen(started, env=os.environ | given, stdout=pipe, stderr=pipe) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(timeout=0.5)
        running.terminate()
        assert running.communicate(timeout=60)[0] == b"ended 0\n"
