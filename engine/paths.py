"""Where things lie: data that comes with the program, and the user's own data."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs


def resources_path() -> Path:
    """Models, checkpoints and icons: beside the packages, or inside the frozen program."""
    root = Path(getattr(sys, "_MEIPASS", Path(__file__).resolve().parent.parent))
    return root / "resources"


def data_path() -> Path:
    """The platform's folder for this user's application data (not created here)."""
    return Path(platformdirs.user_data_dir("Singalike", appauthor=False))


def default_library_path() -> Path:
    """The library used when none is named."""
    return data_path() / "library.db"


def settings_path() -> Path:
    """The window's settings, an INI file."""
    return Path(platformdirs.user_config_dir("Singalike", appauthor=False)) / "settings.ini"


def log_path() -> Path:
    """What the window logs: paths and sentences, nothing else of the user's."""
    return Path(platformdirs.user_log_dir("Singalike", appauthor=False)) / "singalike.log"


def cache_path() -> Path:
    """Things that can be made again at the cost of time only."""
    return Path(platformdirs.user_cache_dir("Singalike", appauthor=False))


@contextmanager
def written_whole(path: Path, suffix: str = ".tmp") -> Iterator[Path]:
    """A draft beside ``path`` that takes its place when the block ends well, and goes if not.

    ``suffix``: of the draft, for those who know by it what to write. Raises OSError.
    """
    draft = path.with_name(f".{threading.get_native_id()}{suffix}")  # hidden from scans
    try:
        yield draft
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
