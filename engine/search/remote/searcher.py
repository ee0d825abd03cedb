"""The same search as in a library, with the same filters, over collections of Qdrant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import models as voice_models
from engine.errors import AmbiguousQueryError, QueryError
from engine.library import MomentCodes, Tags, Track, View, filenames
from engine.library.scan.tags import read_tags
from engine.library.scope import artist_key
from engine.library.text import normalise
from engine.models.calibration import blended
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.search.filter import Filter, Song
from engine.search.index.centre import placed
from engine.search.missing_views import NotHeardError, hear_views, nobody_sings
from engine.search.moments import Moment, best_moments
from engine.search.records import VIEWS_OF, Neighbour, Query, SearchOptions, SearchResult
from engine.search.remote.points import (
    MOMENT_FIELDS,
    SHOWN_FIELDS,
    condition,
    moments_of,
    point_id,
    track_of,
)
from engine.search.remote.store import Collection, choose_collection, is_embedded

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_MAX_CANDIDATES = 5000
_MAX_OF_ARTIST = 1000
_MAX_NAMED = 20


@dataclass(frozen=True, eq=False)
class _Heard:
    """The query in one view; ``vector`` is without the collection's centre, of unit length."""

    collection: Collection
    vector: np.ndarray
    moments: MomentCodes


@dataclass(frozen=True, eq=False)
class _Hits:
    """Candidates, best first. No song that is not among them is nearer than ``bound``."""

    ranked: list[tuple[Track, float]]
    vectors: dict[int, np.ndarray]
    bound: float
    is_all: bool


class QdrantSearcher:
    """Searches what ``singalike-catalogue to-qdrant`` wrote; ids of tracks are ids of points."""

    def __init__(self, client: QdrantClient) -> None:
        self._client = client

    def resolve(self, song: str) -> Track:
        """The recording that a path, an address, an id, or words from artist and title mean.

        Raises QueryError, AmbiguousQueryError.
        """
        place = filenames.shown(filenames.given(Path(song)))
        numbers = [point_id(place), *([int(song)] if song.isdecimal() else [])]
        for name, view in self._collections(None):
            for number in numbers:
                found = self._client.retrieve(name, [number], with_payload=SHOWN_FIELDS)
                if found:
                    return track_of(number, found[0].payload or {}, view)
        tracks = self._named(song)
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

    def tracks(self, numbers: Sequence[int]) -> list[Track]:
        """Those of these recordings that are there, in this order."""
        found = dict[int, Track]()
        for name, view in self._collections(None):
            for point in self._client.retrieve(name, list(numbers), with_payload=SHOWN_FIELDS):
                found[int(point.id)] = track_of(int(point.id), point.payload or {}, view)
        return [found[number] for number in numbers if number in found]

    def by_track(self, track: Track, options: SearchOptions) -> SearchResult:
        """Neighbours of a recording that is in the collections."""

        def hear(view: View) -> _Heard:
            chosen = self._choose(view, options)
            found = self._client.retrieve(
                chosen.name, [track.id], with_payload=MOMENT_FIELDS, with_vectors=True
            )
            if not found:
                raise NotHeardError(f"{nobody_sings(track.title or track.path.name)}")
            vector = _vector(found[0])
            return _Heard(chosen, vector, moments_of(found[0].payload or {}))

        song = Song.of_track(track, None)
        return self._search(Query(track, track.path), song, [track.id], options, hear)

    def by_artist(self, name: str, options: SearchOptions) -> SearchResult:
        """Neighbours of the mean of an artist's recordings, which are never among them."""
        points = [
            (collection, view, self._of_artist(collection, name))
            for collection, view in self._collections(options)
        ]
        collection, view, own = next((one for one in points if one[2]), (None, None, None))
        if collection is None or view is None or own is None:
            raise QueryError(f"There is no recording by “{name}”. Look at how it is spelt.")
        vectors = np.stack([_vector(point) for point in own])
        typical = own[int(np.argmax(vectors @ _mean(vectors)))]
        track = track_of(int(typical.id), typical.payload or {}, view)

        def hear(view: View) -> _Heard:
            chosen = self._choose(view, options)
            found = self._of_artist(chosen.name, name)
            if not found:
                raise NotHeardError(f"Nobody sings in the songs of {name}.")
            vector = _mean(np.stack([_vector(point) for point in found]))
            return _Heard(chosen, vector, moments_of(found[0].payload or {}))

        song = Song(Tags(artist=name), track.path, None, None, None)
        ids = [int(point.id) for _, _, some in points for point in some]
        return self._search(Query(track, track.path, artist=name), song, ids, options, hear)

    def by_file(
        self,
        path: Path,
        options: SearchOptions,
        *,
        start_s: float = 0.0,
        end_s: float | None = None,
        is_vocals: bool = False,
        progress: ProgressCallback = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> SearchResult:
        """Neighbours of any audio file, or of a part of it; see ``Searcher.by_file``."""
        from engine import separation
        from engine.listening.embedding import embed_file
        from engine.sound import audio

        audio_hash, duration_s = audio.audio_hash(path), audio.probe(path).duration_s
        tags = read_tags(path, path.parent)

        def hear(view: View) -> _Heard:
            chosen = self._choose(view, options)
            key = chosen.key
            progress(Progress("query", message=view))
            model = voice_models.load(options.model or key.model)
            if model.sha256 != key.model_sha256:
                raise QueryError(
                    f"The collection was made by another version of {key.model} than is installed "
                    "here. Install that version, then search by file."
                )
            separator = separation.load(key.separator) if key.separator and not is_vocals else None
            found = embed_file(
                path, model, view, separator=separator, start_s=start_s, end_s=end_s, cancel=cancel
            )
            if found is None:
                raise NotHeardError(nobody_sings(path.name))
            starts_s = found.moments.starts_s + np.float32(start_s)
            vector = placed(found.vector, chosen.centre)
            return _Heard(chosen, vector, replace(found.moments, starts_s=starts_s))

        song = Song(tags, path, audio_hash, duration_s, None)
        own = [point_id(str(filenames.given(path))), *self._with_hash(audio_hash)]
        return self._search(Query(None, path, start_s, end_s), song, own, options, hear)

    def _search(
        self,
        query: Query,
        song: Song,
        own: list[int],
        options: SearchOptions,
        hear: Callable[[View], _Heard],
    ) -> SearchResult:
        heard, options, notes = hear_views(options, hear)
        song = replace(song, vector=next(iter(heard.values())).vector)
        weights = _weights(heard, options)
        known = [
            voice_models.calibration_of(
                part.collection.key.model, part.collection.key.model_sha256, view
            )
            for view, part in heard.items()
        ]
        parts = [part for part in known if part is not None]
        is_calibrated = len(parts) == len(known)
        calibration = blended(parts, list(weights.values())) if is_calibrated else None
        neighbours = []
        for rank, (track, cosine) in enumerate(self._widening(heard, options, song, own), start=1):
            chance = cosine if calibration is None else calibration.probability(cosine)
            percent = round(100 * min(1.0, max(0.0, chance)))
            moments = self._moments(heard, track.id)
            neighbours.append(Neighbour(rank, track, cosine, percent, moments))
        listeners = {view: part.collection.key.model for view, part in heard.items()}
        note = " ".join(notes) or None
        return SearchResult(query, options.by, listeners, is_calibrated, tuple(neighbours), note)

    def _widening(
        self, heard: dict[View, _Heard], options: SearchOptions, song: Song, own: list[int]
    ) -> list[tuple[Track, float]]:
        """Ask for more candidates until enough pass the filter, or there are no more."""
        accept = Filter(
            frozenset(own),
            options.other_artists,
            options.other_albums,
            options.hide_duplicates,
            options.one_per_artist,
        )
        where = condition(options.scope, song, options.other_artists, own)
        num = max(64, 4 * options.k)
        while True:
            hits = self._candidates(heard, options, where, num)
            found = accept(song, hits.ranked, hits.vectors, options.k)
            is_sure = len(found) == options.k and found[-1][1] >= hits.bound
            if hits.is_all or is_sure or num >= _MAX_CANDIDATES:
                return found
            num *= 4

    def _candidates(
        self, heard: dict[View, _Heard], options: SearchOptions, where: Any, num: int
    ) -> _Hits:
        points = {view: self._nearest(part, where, num) for view, part in heard.items()}
        weights = _weights(heard, options)
        is_all = all(len(some) < num for some in points.values())
        if len(points) == 1:
            ((view, some),) = points.items()
            tracks = [track_of(int(p.id), p.payload or {}, view) for p in some]
            ranked = [(track, float(p.score)) for track, p in zip(tracks, some, strict=True)]
            return _Hits(ranked, {int(p.id): _vector(p) for p in some}, -1.0, is_all)
        # a recording in neither list is at most as near as the last of both
        bound = sum(
            weights[view] * float(some[-1].score)
            for view, some in points.items()
            if len(some) >= num
        )
        numbers = list({int(point.id) for some in points.values() for point in some})
        totals, shown, vectors = dict[int, float](), dict[int, Track](), dict[int, np.ndarray]()
        for view, part in heard.items():
            for point in self._client.retrieve(
                part.collection.name, numbers, with_payload=SHOWN_FIELDS, with_vectors=True
            ):
                number, vector = int(point.id), _vector(point)
                totals[number] = totals.get(number, 0.0) + weights[view] * float(
                    vector @ part.vector
                )
                shown.setdefault(number, track_of(number, point.payload or {}, view))
                vectors.setdefault(number, vector)
        order = sorted(totals, key=lambda number: (-totals[number], number))
        return _Hits([(shown[n], totals[n]) for n in order], vectors, bound, is_all)

    def _nearest(self, part: _Heard, where: Any, num: int) -> list[Any]:
        from qdrant_client import models

        rescored = models.QuantizationSearchParams(rescore=True, oversampling=2.0)
        how = models.SearchParams(hnsw_ef=max(128, num), quantization=rescored)
        return self._client.query_points(
            part.collection.name,
            query=part.vector.tolist(),
            limit=num,
            query_filter=where,
            search_params=None if is_embedded(self._client) else how,
            with_payload=SHOWN_FIELDS,
            with_vectors=True,
        ).points

    def _moments(self, heard: dict[View, _Heard], number: int) -> tuple[Moment, ...]:
        for part in heard.values():
            found = self._client.retrieve(
                part.collection.name, [number], with_payload=MOMENT_FIELDS
            )
            if found:
                return best_moments(part.moments, moments_of(found[0].payload or {}))
        return ()

    def _choose(self, view: View, options: SearchOptions) -> Collection:
        default = voice_models.default_model_name(view)
        model = None if options.model is None else Path(options.model).name
        return choose_collection(self._client, view, model, default)

    def _collections(self, options: SearchOptions | None) -> list[tuple[str, View]]:
        """Those that a search looks at; without options, any that is there, voices last."""
        views: tuple[View, ...] = VIEWS_OF[options.by] if options else ("overall", "vocals")
        found = list[tuple[str, View]]()
        for view in views:
            try:
                found.append((self._choose(view, options or SearchOptions()).name, view))
            except QueryError:
                if view == views[-1] and not found:
                    raise
        return found

    def _matching(self, name: str, conditions: list[Any], num: int, **with_: Any) -> list[Any]:
        from qdrant_client import models

        where = models.Filter(must=conditions)
        return self._client.scroll(name, scroll_filter=where, limit=num, **with_)[0]

    def _named(self, words: str) -> list[Track]:
        """Whole names first; else all with every word in artist, title or album."""
        from qdrant_client import models

        wanted = normalise(words)
        if not wanted:
            return []
        whole = models.FieldCondition(key="name_keys", match=models.MatchValue(value=wanted))
        each: list[Any] = [
            models.FieldCondition(key="words", match=models.MatchText(text=word))
            for word in wanted.split()
        ]
        for conditions in ([whole], each):
            for name, view in self._collections(None):
                found = self._matching(name, conditions, _MAX_NAMED, with_payload=SHOWN_FIELDS)
                if found:
                    return [track_of(int(p.id), p.payload or {}, view) for p in found]
        return []

    def _of_artist(self, name: str, artist: str) -> list[Any]:
        from qdrant_client import models

        match = models.MatchValue(value=artist_key(artist))
        wanted = models.FieldCondition(key="artist_keys", match=match)
        fields = SHOWN_FIELDS + MOMENT_FIELDS
        return self._matching(
            name, [wanted], _MAX_OF_ARTIST, with_payload=fields, with_vectors=True
        )

    def _with_hash(self, audio_hash: str) -> list[int]:
        from qdrant_client import models

        match = models.MatchValue(value=audio_hash)
        wanted = models.FieldCondition(key="audio_hash", match=match)
        names = self._collections(None)
        found = [p for name, _ in names for p in self._matching(name, [wanted], _MAX_NAMED)]
        return sorted({int(point.id) for point in found})


def _vector(point: Any) -> np.ndarray:
    return np.asarray(point.vector, np.float32)


def _mean(vectors: np.ndarray) -> np.ndarray:
    """(n, dim) -> (dim,) of length 1."""
    mean = vectors.mean(0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def _weights(heard: dict[View, _Heard], options: SearchOptions) -> dict[View, float]:
    """How much each view counts, 1 in all."""
    if len(heard) == 1:
        return dict.fromkeys(heard, 1.0)
    return {"vocals": options.blend, "overall": 1 - options.blend}
