"""Whether a process is there, and the temporary folders that are named for ours."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile

_FOLDER = re.compile(r"singalike-(\d+)-.+")


def is_running(pid: int) -> bool:
    """Also where it is another user's."""
    if sys.platform == "win32":  # os.kill would end the process there
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x00100000, False, pid)  # SYNCHRONIZE
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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
