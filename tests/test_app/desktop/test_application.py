from __future__ import annotations

import contextlib
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


# Tests that run in the background of a shell inherit signals that are ignored.
HEARING = """
import signal
for ending in (signal.SIGHUP, signal.SIGINT):
    signal.signal(ending, signal.SIG_DFL)
"""


@contextlib.contextmanager
def running(words):
    given = {"PYTHONPATH": ROOT, "QT_QPA_PLATFORM": "offscreen"}
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, env=os.environ | given, stdout=pipe, stderr=pipe)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.linux
@pytest.mark.parametrize("name", ENDINGS)
def test_it_ends_of_itself_when_the_system_asks(name):
    with running([sys.executable, "-c", HEARING + ENDING]) as process:
        process.send_signal(getattr(signal, name))
        assert process.communicate(timeout=60)[0] == b"ended 0\n"


@pytest.mark.linux
def test_a_terminal_that_closes_ends_no_program_that_was_told_to_stay():
    """As ``nohup`` does."""
    with running(["nohup", sys.executable, "-c", ENDING]) as process:
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        process.terminate()
        assert process.communicate(timeout=60)[0] == b"ended 0\n"
