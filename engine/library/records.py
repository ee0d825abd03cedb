"""What the library knows, as frozen records. They cross between rooms; no SQL shows through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from engine.library import filenames

View = Literal["vocals", "overall"]
MAX_MOMENTS_BYTES = 8192
# Raised whenever the sound that reaches the networks changes: 1 is all up to singalike-2.
LISTENING_VERSION = 2


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
class SpaceKey:
    """One embedding space: vectors are comparable within it and nowhere else.

    ``separator`` is the name of the separator for the view ``vocals``, None for ``overall``.
    ``listening`` is the version of the path from a file to the network.
    """

    model: str
    model_sha256: str
    view: View
    separator: str | None
    dim: int
    listening: int = LISTENING_VERSION

    def __post_init__(self) -> None:
        if (self.view == "vocals") != (self.separator is not None):
            raise ValueError(f"the view {self.view!r} with the separator {self.separator!r}")
        if self.dim < 1:
            raise ValueError(f"an embedding of {self.dim} dimensions")


@dataclass(frozen=True, eq=False)
class MomentCodes:
    """Compact vectors of a track's segments, for finding where two songs are most alike.

    Attributes:
        codes: (num_moments, num_dims) int8; rows are compared by cosine.
        starts_s: (num_moments,) float32, ascending; where each segment begins.
        length_s: length of a segment.
    """

    codes: np.ndarray
    starts_s: np.ndarray
    length_s: float

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.dtype != np.int8:
            raise ValueError(f"moment codes of shape {self.codes.shape}, {self.codes.dtype}")
        if self.starts_s.shape != (len(self.codes),):
            raise ValueError(f"{self.starts_s.shape} starts for {len(self.codes)} moments")

    @property
    def num_bytes(self) -> int:
        """Room that it takes in the store: codes as int8, starts as float32."""
        return int(self.codes.size + 4 * self.starts_s.size)

    @cached_property
    def unit_rows(self) -> np.ndarray:
        """(num_moments, num_dims) float32: the codes as vectors of length 1, worked out once."""
        rows = self.codes.astype(np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))

    def thinned(self, max_bytes: int = MAX_MOMENTS_BYTES) -> MomentCodes:
        """Evenly spread moments, as many as fit; itself where all do (any song below ~20 min)."""
        if self.num_bytes <= max_bytes:
            return self
        num_kept = max_bytes // (self.codes.shape[1] + 4)
        rows = np.linspace(0, len(self.codes) - 1, num_kept).round().astype(np.int64)
        return MomentCodes(self.codes[rows], self.starts_s[rows], self.length_s)


@dataclass(frozen=True, eq=False)
class TrackEmbedding:
    """What a model hears in one view of a track.

    Attributes:
        vector: (dim,) float32, L2-normalised.
        moments: the same for single segments, much compressed.
        from_mixture: a voice that was heard through the whole song, until it is separated.
    """

    vector: np.ndarray
    moments: MomentCodes
    from_mixture: bool = False


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors of many tracks in one space.

    Attributes:
        ids: (n,) int64, of the embeddings; a replaced embedding gets a new, higher id.
        track_ids: (n,) int64.
        vectors: (n, dim) float32, rows L2-normalised.
    """

    ids: np.ndarray
    track_ids: np.ndarray
    vectors: np.ndarray


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
