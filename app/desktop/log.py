"""What the program does, written to a file that does not grow for ever."""

from __future__ import annotations

import faulthandler
import logging
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 1_000_000
NUM_OLD = 2
TAIL_BYTES = 60_000
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _LogFile(RotatingFileHandler):
    """Where every thread was when the process died (a segmentation fault, say) comes here, too."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        faulthandler.enable(stream)  # anew after each rotation
        return stream


def start_log(path: Path) -> None:
    """Log to ``path``, and what goes wrong to stderr. Without a file, the program starts, too."""
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [terminal]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(_LogFile(path, maxBytes=MAX_BYTES, backupCount=NUM_OLD, encoding="utf-8"))
    except OSError as error:
        print(f"No log is kept: {path}: {error}", file=sys.stderr)
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers)


def tail(path: Path, num_bytes: int = TAIL_BYTES) -> str:
    """The last lines of a log; "" where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - num_bytes))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= num_bytes else text.partition("\n")[2]
