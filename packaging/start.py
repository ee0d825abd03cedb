"""The frozen program: the window, or the command line, by the name that it was started under.

One script for both, so that both executables are the same file where systems allow it (Linux): all
of Python's modules are in there, 50 MB.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import freeze_support
from pathlib import Path

# Windows and macOS take `Singalike` and `singalike` for the same name.
COMMAND = "singalike" if sys.platform == "linux" else "singalike-cli"


def main() -> None:
    freeze_support()  # first: a frozen child process runs this file too
    # joblib, in evaluations, would start other programs to count cores, which need not be there.
    os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(os.cpu_count() or 1))
    if Path(sys.executable).stem == COMMAND:
        from engine.cli import main as command_line

        command_line()
    else:
        from app.main import main as window

        sys.exit(window())


if __name__ == "__main__":
    main()
