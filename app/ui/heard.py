"""Words for what is heard in songs, as the window shows them: never those of a file's own tags."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication

from app.ui.shortcuts import noop

# fmt: off
WORDS = noop((  # of the engine's tags, for the tables of languages
    "rock", "pop", "alternative", "indie", "electronic", "dance", "alternative rock", "jazz",
    "metal", "classic rock", "soul", "indie rock", "electronica", "folk", "punk", "blues",
    "hard rock", "ambient", "experimental", "hip-hop", "country", "easy listening", "funk",
    "electro", "heavy metal", "progressive rock", "R&B", "indie pop", "house",
    "beautiful", "chillout", "mellow", "chill", "party", "sexy", "catchy", "sad", "happy",
    "instrumental", "acoustic", "guitar",
    "60s", "70s", "80s", "90s", "00s", "oldies",
))
# fmt: on


def heard_word(tag: str) -> str:
    """A tag in the language of the window."""
    return QCoreApplication.translate("Heard", tag)


def heard_words(tags: Iterable[str]) -> str:
    """``rock, indie``; "" where nothing stands out."""
    return ", ".join(map(heard_word, tags))


def heard_explained(tags: Iterable[str]) -> str:
    """``Sounds like rock, indie: heard, not written in the file``; "" where nothing stands out."""
    text = QCoreApplication.translate("Heard", "Sounds like {tags}: heard, not written in the file")
    words = heard_words(tags)
    return text.format(tags=words) if words else ""
