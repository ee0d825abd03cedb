"""Numbers, titles and texts from tags as people read them."""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from app.ui.language import grouped
from engine.library.records import Track

LONGEST_WORD = 40  # characters: half as wide as the narrowest window, in the largest letters
LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD + 2},}}")


def num_songs(num: int) -> str:
    """``1 song``, ``12,345 songs``."""
    text = QCoreApplication.translate("Format", "1 song" if num == 1 else "{num} songs")
    return text.format(num=grouped(num))


def clock(seconds: float | None) -> str:
    """3:29, or 1:02:03 from an hour on; an em dash where the length is not known."""
    if seconds is None:
        return "\N{EM DASH}"
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def date(seconds: float | None) -> str:
    """The day of a time in seconds since 1970, as the language writes it; "" where not known."""
    if seconds is None:
        return ""
    day = QDateTime.fromSecsSinceEpoch(int(seconds)).date()
    return QLocale().toString(day, QLocale.FormatType.ShortFormat)


def duration(seconds: float) -> str:
    """About how long something takes: ``20 s``, ``4 min``, ``1 h 10 min``, ``3 days``."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        text = QCoreApplication.translate("Format", "{num} days")
        return text.format(num=grouped(round(hours / 24)))
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def file_size(num_bytes: int) -> str:
    """``0 kB``, ``12 kB``, ``340 MB``, ``1.2 GB``; never nothing for something."""
    if num_bytes < 1_000_000:
        return f"{max(1, round(num_bytes / 1000))} kB" if num_bytes else "0 kB"
    if num_bytes < 1e9:
        return f"{num_bytes / 1e6:.0f} MB"
    return f"{QLocale().toString(num_bytes / 1e9, 'f', 1)} GB"


def title_of(track: Track) -> str:
    """The title, or the file's name where the tags have none. Always fit to be shown."""
    return one_line(track.title) or one_line(track.path.stem)


def narrow(sentence: str) -> str:
    """Places of files in it that no line has room for lose their middle."""
    half = LONGEST_WORD // 2
    return LONG_WORD.sub(lambda found: f"{found[0][:half]}…{found[0][-half:]}", sentence)


def one_line(text: str) -> str:
    """One line of text that every widget can draw: no control characters, no undecodable bytes."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split()).replace("\0", "")
