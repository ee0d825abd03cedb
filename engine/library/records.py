"""What the library knows, as frozen records: tracks, tags, folders. No SQL shows through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.library import filenames


class TrackStatus(StrEnum):
    """Where a track stands. A missing track keeps its embeddings and its earlier standing."""

    NEW = "new"
    INDEXED = "indexed"
    FAILED = "failed"
    MISSING = "missing"


@dataclass(frozen=True)
class Tags:
    """What a file (or its path) says about itself: plain text, "" or None where it says nothing."""

    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    genre: str = ""
    year: int | None = None
    track_number: int | None = None


@dataclass(frozen=True)
class Folder:
    """A folder that the user gave.

    Attributes:
        is_available: it could be read at the last scan (False: an unplugged drive, for example).
        num_tracks: all of its tracks, missing ones included.
    """

    id: int
    path: Path
    is_available: bool
    num_tracks: int


@dataclass(frozen=True)
class Track:
    """One audio file of the library.

    Attributes:
        path: may hold surrogate escapes where the file name is not text (see ``os.fsdecode``).
        audio_hash: identity of the sound, whatever the tags; None until it has been read.
        error: why the track failed, a sentence; None unless ``status`` is FAILED.
        has_vocals: None: not listened to yet; False: listened to, and nobody sings.
        is_from_mixture: the voice was heard through the whole song.
        heard: the strongest of the tags that are heard in it, at most three.
        added_s: when it came into the library, in seconds since 1970; None: not known.
    """

    id: int
    folder_id: int
    path: Path
    tags: Tags
    size_bytes: int
    mtime_ns: int
    audio_hash: str | None
    duration_s: float | None
    status: TrackStatus
    error: str | None
    has_vocals: bool | None
    is_from_mixture: bool = False
    added_s: float | None = None
    heard: tuple[str, ...] = ()

    @property
    def is_elsewhere(self) -> bool:
        """It was heard on another machine, at an address; it cannot be played here."""
        return filenames.is_address(self.path)

    @property
    def title(self) -> str:
        return self.tags.title

    @property
    def artist(self) -> str:
        return self.tags.artist

    @property
    def album(self) -> str:
        return self.tags.album


@dataclass(frozen=True)
class LibraryCounts:
    """How many tracks there are, by status (these four add up) and by embedding space.

    ``no_vocals`` counts tracks in which no separator found a voice; ``embeddings`` maps a space id
    to its number of embeddings.
    """

    tracks: int
    new: int
    indexed: int
    failed: int
    missing: int
    no_vocals: int
    embeddings: dict[int, int]
