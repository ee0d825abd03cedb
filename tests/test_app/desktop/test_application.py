from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import locale
from app.desktop.application import Application
application = Application([])
print(locale.localeconv()["decimal_point"], locale.setlocale(locale.LC_NUMERIC))
"""


def test_c_writes_numbers_with_a_point_whatever_the_system_speaks():
    """FFmpeg tells loudness as text: on a German desktop no song's loudness could be measured."""
    root = str(Path(__file__).parents[3])
    given = {"PYTHONPATH": root, "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "de_DE.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | given,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [".", "C"]
