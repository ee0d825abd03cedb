"""Progress of long work on stderr: one living line on a terminal, else a line now and then."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.cli.common import clock, printable
from engine.progress import Progress, ProgressCallback

PLAIN_INTERVAL_S = 10.0
_SPINNER_WIDTH = 3  # with a space on each side
TITLES = {
    "scan": "Looking for music",
    "overall": "Listening to songs",
    "vocals": "Listening to voices",
    "index": "Sorting what was heard",
    "verify": "Checking the library",
    "manifest": "Reading the manifest",
    "import": "Taking in what was heard",
    "query": "Listening to the query",
    "embed": "Embedding",
    "demo": "Making demo songs",
    "read": "Looking up what was heard before",
    "listen": "Listening to clips",
    "artist-similarity": "Measuring artist similarity",
    "artist-id": "Learning to identify artists",
    "gender-id": "Learning to identify gender",
    "latent-space": "Mapping voices",
    "overall-similarity": "Measuring overall similarity",
    "agreement": "Comparing models",
    "listening-test": "Making the listening test",
    "download": "Downloading",
    "install": "Installing",
}


def line_of(progress: Progress) -> str:
    """``Listening to voices  3 of 24  12:31 of audio  0:40 left  Song``."""
    parts = [TITLES.get(progress.stage, progress.stage)]
    if progress.num_total is not None:
        parts.append(f"{progress.num_done} of {progress.num_total}")
    elif progress.num_done:
        parts.append(str(progress.num_done))
    if progress.audio_done_s:
        parts.append(f"{clock(progress.audio_done_s)} of audio")
    if progress.eta_s is not None:
        parts.append(f"{clock(progress.eta_s)} left")
    return "  ".join([*parts, printable(progress.message)]).rstrip()


@contextmanager
def shown_progress() -> Iterator[ProgressCallback]:
    """A callback that shows what it is told, in the way that suits stderr."""
    if sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        from rich.console import Console
        from rich.text import Text

        console = Console(file=sys.__stderr__)  # it moves the cursor, which sys.stderr does not let
        with console.status("") as status:

            def update(progress: Progress) -> None:
                line = Text(line_of(progress))
                line.truncate(max(1, console.width - _SPINNER_WIDTH), overflow="ellipsis")
                status.update(line)

            yield update
        return
    last_stage, last_time = "", 0.0

    def show(progress: Progress) -> None:
        nonlocal last_stage, last_time
        now = time.monotonic()
        is_due = now - last_time >= PLAIN_INTERVAL_S
        if progress.stage != last_stage or is_due:
            last_stage, last_time = progress.stage, now
            print(line_of(progress), file=sys.stderr, flush=True)

    yield show
