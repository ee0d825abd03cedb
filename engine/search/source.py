"""What a search needs of a collection of songs, wherever it lies: above all, candidates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.library import Track
from engine.records import MomentCodes, SpaceKey, View, VoicePortrait
from engine.search.filter import Filter
from engine.search.index.centre import placed
from engine.search.index.space_index import Nearest


@dataclass(frozen=True, eq=False)
class Space:
    """An embedding space of a collection.

    Attributes:
        name: what the collection calls it.
        centre: (dim,) float32, what its songs have in common now.
        note: what a person should know of it, a sentence, or None.
    """

    name: int | str
    key: SpaceKey
    centre: np.ndarray
    note: str | None = None


@dataclass(frozen=True, eq=False)
class QueryView:
    """A query in one view.

    Attributes:
        stored: (dim,) float32, as the collection keeps it, or would keep it: as a model gives it.
        moments: None where there are none to compare.
        weight: how much this view counts; 1 over all views of a query.
        vector: (dim,) float32, without the centre and of unit length.
    """

    space: Space
    stored: np.ndarray
    moments: MomentCodes | None = None
    weight: float = 1.0
    vector: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", placed(self.stored, self.space.centre))


class Source(Protocol):
    """A collection of songs. Its methods raise QueryError and LibraryError."""

    def space(self, view: View, model: str | None) -> Space:
        """The space to search in; QueryError where there is none."""

    def candidates(self, views: Sequence[QueryView], num: int, accept: Filter) -> Nearest:
        """Tracks among which the best ``num`` are by all views together, none twice, ascending.

        It may leave out, but need not, what the filter leaves out; of its scope it must.
        """

    def similarities(self, view: QueryView, track_ids: np.ndarray) -> np.ndarray:
        """(n,) float32: cosines of these tracks around the centre, NaN where there is none."""

    def vectors(self, space: Space, track_ids: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
        """(ids (n,), vectors (n, dim) as they are kept) of those of these tracks in the space."""

    def moments(self, space: Space, track_ids: Collection[int]) -> dict[int, MomentCodes]:
        """By track, of those of them that have any."""

    def from_mixture(self, space: Space, track_ids: Collection[int]) -> set[int]:
        """Those of these tracks whose voice was heard through the whole song."""

    def marked_apart(self, track_ids: Collection[int]) -> set[int]:
        """Tracks that a person marked as another voice than any of these."""

    def portraits(self, track_ids: Collection[int]) -> dict[int, VoicePortrait]:
        """By track, of those of them whose voice was measured."""

    def tracks(self, track_ids: Collection[int]) -> list[Track]:
        """Those of them that are there, in this order."""

    def tracks_of_artist(self, name: str) -> list[int]:
        """Ids; empty where the name is not known."""

    def artists_like(self, words: str) -> list[str]:
        """Names of the artists with all of these words in them, in order, without guests."""

    def track_by_path(self, path: Path) -> Track | None:
        """The track that is this file, or lies at this address."""

    def find(self, words: str) -> list[int]:
        """Ids of the tracks that words from artist and title mean, best first."""

    def tracks_of_file(self, path: Path, audio_hash: str) -> tuple[Track | None, set[int]]:
        """(the track that is this file, ids of all tracks with its sound)."""
