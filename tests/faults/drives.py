"""Drives in memory that can be full, or be pulled out; where the system lets us have them."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path


@cache
def can_mount() -> bool:
    """As root can in most containers that run tests."""
    folder = Path(tempfile.mkdtemp())
    try:
        mount(folder, size_bytes=100_000)
        unmount(folder)
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        folder.rmdir()
    return True


def mount(folder: Path, size_bytes: int) -> None:
    """An empty drive at a folder that is there."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def unmount(folder: Path) -> None:
    """Also while files on it are open: they stay readable for those who have them."""
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
