"""Temporary folders, each named for its process, and clearing away what killed processes left."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile

from engine.library.processes import is_running

_FOLDER = re.compile(r"singalike-(\d+)-.+")


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """For a ``with`` block. Raises OSError: no room."""
    return tempfile.TemporaryDirectory(
        prefix=f"singalike-{os.getpid()}-", ignore_cleanup_errors=True
    )


def clear_leftovers() -> None:
    """Folders of our processes that are not there any more. Raises nothing."""
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if (folder := _FOLDER.fullmatch(entry.name)) and not is_running(int(folder[1])):
                shutil.rmtree(entry.path, ignore_errors=True)
