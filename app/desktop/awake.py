"""Keeps the computer from going to sleep by itself while there is work that takes hours."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from subprocess import DEVNULL, PIPE

# Each holds as long as its program runs, and ``cat`` runs as long as we do, even if we crash.
# Sleep that the person asks for, by closing the lid say, is not kept off.
COMMANDS = {
    "linux": (
        *("systemd-inhibit", "--what=sleep", "--mode=block", "--who=Singalike"),
        *("--why=Listening to your music", "cat"),
    ),
    "darwin": ("caffeinate", "-i", "cat"),
}
ES_CONTINUOUS, ES_SYSTEM_REQUIRED = 0x80000000, 0x1  # of the Windows API
PATIENCE_S = 2.0


class Awake:
    """To be used from one thread, as Windows counts by thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def hold(self, is_held: bool) -> None:
        """No sleep from now on, or as the person has set it. Where that cannot be had, nothing."""
        if sys.platform == "win32":
            import ctypes

            state = ES_CONTINUOUS | (ES_SYSTEM_REQUIRED if is_held else 0)
            ctypes.windll.kernel32.SetThreadExecutionState(state)
        elif is_held and self._process is None:
            with contextlib.suppress(OSError):
                self._process = subprocess.Popen(
                    COMMANDS[sys.platform], stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL
                )
        elif not is_held and self._process is not None:
            _end(self._process)
            self._process = None


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
