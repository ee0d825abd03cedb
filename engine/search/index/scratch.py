"""A file for what hnswlib reads or writes: it knows nothing but files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.library.processes import is_running


@contextmanager
def scratch_path() -> Iterator[Path]:
    """The path of a file that may be written, and is gone after the block. OSError: no room."""
    for left in Path(tempfile.gettempdir()).glob("singalike-*-*"):  # by processes that were killed
        pid = left.name.split("-")[1]
        if pid.isdecimal() and not is_running(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"singalike-{os.getpid()}-") as folder:
        yield Path(folder) / "index"
