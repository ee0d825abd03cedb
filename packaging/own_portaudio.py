"""Run before the program: sounddevice shall load the PortAudio that lies in the bundle.

It asks the system where PortAudio is, which knows nothing of a bundle.
"""

from __future__ import annotations

import ctypes.util
import sys
from pathlib import Path

_find = ctypes.util.find_library


def _find_library(name: str) -> str | None:
    if name == "portaudio":
        for path in sorted(Path(sys._MEIPASS).glob("libportaudio.so*")):  # type: ignore[attr-defined]
            return str(path)
    return _find(name)


ctypes.util.find_library = _find_library
