"""A library as the source of a search: candidates from graphs, similarities from memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from engine import models
from engine.library import Library, Track
from engine.library.heard import portraits
from engine.library.kept.marks import marked_apart
from engine.library.scope import artist_ids, artists_like, latest_ids_within
from engine.records import LISTENING_VERSION, MomentCodes, View, VoicePortrait
from engine.search.filter import Filter
from engine.search.index.matrix import NO_ROW
from engine.search.index.space_index import LoadedSpace, Nearest, SpaceIndex
from engine.search.resolve import choose_space
from engine.search.source import QueryView, Space

# So many candidates at least, and so many for each root of the number of songs, by the number of
# views. More voices lie closer together, and a graph ranks them by direction only, not around the
# centre. Of two views that have nothing to do with each other, half of the tenth best sum is found
# at 1.4 times the root, and one of both views has at least half. Filters need more.
_MIN_CANDIDATES = 192
_CANDIDATES_PER_ROOT = {1: 0.8, 2: 2.2}
_MORE_IF_FILTERED = 1.5
EARLIER_DEFAULTS = ("singalike-2", "singalike-3")
OLDER_HEARING = (
    "These songs were heard in an older way, which goes on serving. Index the library again, and "
    "they are heard better."
)


class LibrarySource:
    """Any thread may use it; what is in memory is loaded when first needed and kept."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._lock = threading.Lock()
        self._indexes: dict[int | str, SpaceIndex] = {}

    def space(self, view: View, model: str | None) -> Space:
        space_id, key = choose_space(self.library, view, model)
        default = models.default_model_name(view)
        is_followed = model is None and key.model in EARLIER_DEFAULTS and key.model != default
        note = OLDER_HEARING if is_followed or key.listening < LISTENING_VERSION else None
        return Space(space_id, key, self._index(space_id).centre(), note=note)

    def candidates(self, views: Sequence[QueryView], num: int, accept: Filter) -> Nearest:
        scope = accept.options.scope
        is_part = scope.num_conditions > 0
        allowed = latest_ids_within(self.library.database, scope) if is_part else None
        found = []
        for view in views:
            loaded = self._loaded(view.space)
            size = len(loaded.matrix if allowed is None else allowed)
            usual = max(_MIN_CANDIDATES, _CANDIDATES_PER_ROOT[len(views)] * size**0.5)
            enough = max(num, round(usual * (_MORE_IF_FILTERED if accept.is_narrow else 1)))
            found.append(loaded.nearest(view.vector, enough, allowed))
        return Nearest(
            _union([one.track_ids for one in found]),
            all(one.is_all for one in found),
            next((one.note for one in found if one.note), None),
        )

    def similarities(self, view: QueryView, track_ids: np.ndarray) -> np.ndarray:
        matrix = self._loaded(view.space).matrix
        return matrix.similarities(track_ids, view.vector, view.space.centre)

    def vectors(self, space: Space, track_ids: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
        matrix, ids = self._loaded(space).matrix, np.array(list(track_ids), np.int64)
        rows = matrix.rows(ids)
        return ids[rows != NO_ROW], matrix.vectors(rows[rows != NO_ROW])

    def moments(self, space: Space, track_ids: Collection[int]) -> dict[int, MomentCodes]:
        return self.library.moments_of(track_ids, int(space.name))

    def from_mixture(self, space: Space, track_ids: Collection[int]) -> set[int]:
        return self.library.from_mixture(int(space.name), track_ids)

    def marked_apart(self, track_ids: Collection[int]) -> set[int]:
        return marked_apart(self.library.database, track_ids)

    def portraits(self, track_ids: Collection[int]) -> dict[int, VoicePortrait]:
        return portraits(self.library.database, track_ids)

    def tracks(self, track_ids: Collection[int]) -> list[Track]:
        return self.library.tracks(track_ids)

    def tracks_of_artist(self, name: str) -> list[int]:
        return artist_ids(self.library.database, name)

    def artists_like(self, words: str) -> list[str]:
        return artists_like(self.library.database, words)

    def track_by_path(self, path: Path) -> Track | None:
        return self.library.track_by_path(path)

    def find(self, words: str) -> list[int]:
        return self.library.find(words)

    def tracks_of_file(self, path: Path, audio_hash: str) -> tuple[Track | None, set[int]]:
        track = self.library.track_by_path(path)
        own = {track.id} if track else set[int]()
        return track, own | set(self.library.tracks_with_hash(audio_hash))

    def _loaded(self, space: Space) -> LoadedSpace:
        return self._index(space.name).current()

    def _index(self, space_id: int | str) -> SpaceIndex:
        with self._lock:
            if space_id not in self._indexes:
                self._indexes[space_id] = SpaceIndex(self.library, int(space_id))
            return self._indexes[space_id]


def _union(ids: Sequence[np.ndarray]) -> np.ndarray:
    """All of them once, ascending: ``np.unique`` takes many times as long."""
    found = np.sort(np.concatenate(ids))
    return found[np.append(True, found[1:] != found[:-1])] if len(found) else found
