"""Collections of Qdrant as the source of a search; ids of tracks are ids of points."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import models as voice_models
from engine.errors import AmbiguousQueryError, QueryError
from engine.library import Track, filenames
from engine.library.scope import artist_key
from engine.library.text import normalise
from engine.records import MomentCodes, View, VoicePortrait
from engine.search.filter import Filter
from engine.search.index.space_index import Nearest
from engine.search.remote import store
from engine.search.remote.points import (
    MOMENT_FIELDS,
    SHOWN_FIELDS,
    condition,
    moments_of,
    point_id,
    track_of,
)
from engine.search.source import QueryView, Space

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_MAX_CANDIDATES = 5000
_MAX_OF_ARTIST = 1000
_MAX_NAMED = 20


class QdrantSource:
    """What ``singalike-catalogue to-qdrant`` wrote. Vectors lie there without the centre."""

    def __init__(self, client: QdrantClient) -> None:
        self._client = client

    def space(self, view: View, model: str | None) -> Space:
        default = voice_models.default_model_name(view)
        name = None if model is None else Path(model).name
        chosen = store.choose_collection(self._client, view, name, default)
        return Space(chosen.name, chosen.key, chosen.centre, is_centred=True)

    def candidates(self, views: Sequence[QueryView], num: int, accept: Filter) -> Nearest:
        """Qdrant itself leaves out what is outside the scope, the query, its artist on request."""
        from qdrant_client import models

        options = accept.options
        own = sorted(accept.own_ids)
        where = condition(options.scope, accept.query, options.other_artists, own)
        rescored = models.QuantizationSearchParams(rescore=True, oversampling=2.0)
        how = models.SearchParams(hnsw_ef=max(128, num), quantization=rescored)
        found = [
            self._client.query_points(
                str(view.space.name),
                query=view.vector.tolist(),
                limit=num,
                query_filter=where,
                search_params=None if store.is_embedded(self._client) else how,
                with_payload=False,
            ).points
            for view in views
        ]
        ids = np.unique([int(point.id) for points in found for point in points])
        is_all = all(len(points) < num for points in found) or num >= _MAX_CANDIDATES
        return Nearest(ids.astype(np.int64), is_all)

    def similarities(self, view: QueryView, track_ids: np.ndarray) -> np.ndarray:
        found = np.full(len(track_ids), np.nan, np.float32)
        ids, vectors = self.vectors(view.space, track_ids)
        if len(ids):
            found[np.searchsorted(track_ids, ids)] = vectors @ view.vector
        return found

    def vectors(self, space: Space, track_ids: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
        points = self._client.retrieve(
            str(space.name), [int(i) for i in track_ids], with_payload=False, with_vectors=True
        )
        vectors = np.array([point.vector for point in points], np.float32)
        return np.array([int(p.id) for p in points], np.int64), vectors.reshape(-1, space.key.dim)

    def moments(self, space: Space, track_ids: Collection[int]) -> dict[int, MomentCodes]:
        points = self._client.retrieve(str(space.name), list(track_ids), with_payload=MOMENT_FIELDS)
        return {int(point.id): moments_of(point.payload or {}) for point in points}

    def from_mixture(self, space: Space, track_ids: Collection[int]) -> set[int]:
        return set()  # a catalogue run separates all

    def marked_apart(self, track_ids: Collection[int]) -> set[int]:
        return set()  # marks lie in a person's own library

    def portraits(self, track_ids: Collection[int]) -> dict[int, VoicePortrait]:
        return {}

    def tracks(self, track_ids: Collection[int]) -> list[Track]:
        found = dict[int, Track]()
        for one in self._collections:  # voices last: who is only in the others does not sing
            for point in self._client.retrieve(
                one.name, list(track_ids), with_payload=SHOWN_FIELDS
            ):
                track = track_of(int(point.id), point.payload or {}, one.key.view)
                found[track.id] = replace(track, has_vocals=one.key.view == "vocals")
        return [found[number] for number in track_ids if number in found]

    def tracks_of_artist(self, name: str) -> list[int]:
        from qdrant_client import models

        match = models.MatchValue(value=artist_key(name))
        return self._matching([models.FieldCondition(key="artist_keys", match=match)])

    def tracks_of_file(self, path: Path, audio_hash: str) -> tuple[Track | None, set[int]]:
        from qdrant_client import models

        match = models.MatchValue(value=audio_hash)
        copies = self._matching([models.FieldCondition(key="audio_hash", match=match)])
        return None, {point_id(str(filenames.given(path))), *copies}

    def resolve(self, song: str) -> Track:
        """The recording that a path, an address, an id, or words from artist and title mean.

        Raises QueryError, AmbiguousQueryError.
        """
        place = filenames.shown(filenames.given(Path(song)))
        numbers = [point_id(place), *([int(song)] if song.isdecimal() else [])]
        tracks = self.tracks(numbers)[:1] or self.tracks(self._named(song))
        if not tracks:
            raise QueryError(
                f"No recording matches “{song}”. Give a path, an address, an id, or words from "
                "artist and title."
            )
        if len(tracks) > 1:
            raise AmbiguousQueryError(
                f"Several recordings match “{song}”. Give more words, an address or an id.",
                [track.id for track in tracks],
            )
        return tracks[0]

    @cached_property
    def _collections(self) -> list[store.Collection]:
        return sorted(store.collections(self._client), key=lambda one: one.key.view)

    def _named(self, words: str) -> list[int]:
        """Whole names first; else all with every word in artist, title or album."""
        from qdrant_client import models

        wanted = normalise(words)
        if not wanted:
            return []
        whole = models.FieldCondition(key="name_keys", match=models.MatchValue(value=wanted))
        each = [
            models.FieldCondition(key="words", match=models.MatchText(text=word))
            for word in wanted.split()
        ]
        return (self._matching([whole]) or self._matching(each))[:_MAX_NAMED]

    def _matching(self, conditions: Sequence[Any]) -> list[int]:
        from qdrant_client import models

        where = models.Filter(must=list(conditions))
        found = set[int]()
        for one in self._collections:
            points, _ = self._client.scroll(
                one.name, scroll_filter=where, limit=_MAX_OF_ARTIST, with_payload=False
            )
            found |= {int(point.id) for point in points}
        return sorted(found)
