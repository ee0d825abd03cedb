"""What training prints: one progress line on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.progress import Progress, ProgressCallback
from training.data.tables import Summary

PLAIN_EVERY_S = 10.0


@contextmanager
def progress_line() -> Iterator[ProgressCallback]:
    """A callback that writes to stderr."""
    is_terminal = sys.stderr.isatty()
    last_s, last_stage = -PLAIN_EVERY_S, ""

    def show(progress: Progress) -> None:
        nonlocal last_s, last_stage
        now_s, is_new = time.monotonic(), progress.stage != last_stage
        is_end = progress.num_done == progress.num_total
        if not (is_new or is_end) and now_s - last_s < (0.1 if is_terminal else PLAIN_EVERY_S):
            return
        before = "\n" if is_terminal and is_new and last_stage else ""  # each stage leaves a line
        last_s, last_stage = now_s, progress.stage
        text = line(progress)
        sys.stderr.write(f"{before}\r\x1b[K{text[:160]}" if is_terminal else f"{text}\n")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if is_terminal:
            sys.stderr.write("\n")


def line(progress: Progress) -> str:
    """``train 120/1,000, 3 min left: loss 1.234``."""
    total = f"/{progress.num_total:,}" if progress.num_total else ""
    count = f" {progress.num_done:,}{total}" if total or progress.num_done else ""
    eta = f", {duration(progress.eta_s)} left" if progress.eta_s is not None else ""
    message = f": {progress.message}" if progress.message else ""
    return f"{progress.stage}{count}{eta}{message}"


def duration(seconds: float) -> str:
    """``42 s``, ``3 min``, ``2 h 05 min``, ``19 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 48 * 60:
        return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
    return f"{seconds / 86_400:.0f} days"


def summary_text(summary: Summary) -> str:
    """What was kept and why not, for people."""
    lines = [
        f"{summary.num_songs} songs, {summary.num_segments} segments of 5 s; "
        f"{summary.num_without_vocals} of them without vocals.",
    ]
    lines += [
        f"  {part}: "
        + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        for part, counts in summary.per_part.items()
    ]
    lines += [f"Note: {note}" for note in summary.notes]
    lines += [f"Left out: {key}: {reason}" for key, reason in summary.failures[:20]]
    if len(summary.failures) > 20:
        lines.append(f"... and {len(summary.failures) - 20} more; all are in dataset.json.")
    return "\n".join(lines)
