"""A song in, the songs most like it out: by voice, by whole sound, or by both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import QueryError
from engine.library import Library, MomentCodes, SpaceKey, Tags, Track, TrackStatus, View
from engine.library.indexes import count_embeddings
from engine.library.scan.tags import read_tags
from engine.library.scope import LatestScope, artist_ids
from engine.models import calibration_of
from engine.models.calibration import Calibration, blended
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from engine.search.files import FileEars
from engine.search.filter import Filter, Song
from engine.search.index.centre import placed
from engine.search.index.lookup import Hits, SpaceLookup
from engine.search.missing_views import NotHeardError, hear_views, why_not_heard
from engine.search.moments import Moment, best_moments
from engine.search.query import choose_space
from engine.search.records import (
    VIEWS_OF,
    FilePart,
    Neighbour,
    Query,
    SearchOptions,
    SearchResult,
)
from engine.search.scoring import Heard, among, candidates, settled

if TYPE_CHECKING:
    from engine.models import VoiceModel
    from engine.separation import Separator

_MIN_CANDIDATES, _CANDIDATES_PER_NEIGHBOUR, _WIDENING = 64, 4, 4
_MAX_BLEND_CANDIDATES = 4096  # per view; a song that neither view ranks higher is no neighbour
_SPARE = 8  # songs whose vectors are read beside those to be shown, to know which these are
# Of two views whose songs have nothing to do with each other, half of the tenth best sum is found
# at 1.4 times the root of their number, and one of both views has at least half.
_BLEND_CANDIDATES_PER_ROOT = 2.2
_MAX_COMPARED = 20_000  # of so small a part of the library, every song is compared


class Searcher:
    """Searches a library. Any thread may use it; models are loaded when first needed and kept.

    Args:
        load_model, load_separator: from a name; by default the registries of ``engine.models`` and
            ``engine.separation``. Only queries that are files need them.
        load_calibration: of a model's name, sha256 and view; reads no weights.
    """

    def __init__(
        self,
        library: Library,
        load_model: Callable[[str], VoiceModel] | None = None,
        load_separator: Callable[[str], Separator] | None = None,
        load_calibration: Callable[[str, str, View], Calibration | None] = calibration_of,
    ) -> None:
        self._library = library
        self._load_calibration = cache(load_calibration)
        self._ears = FileEars(library, load_model, load_separator)
        self._lock = threading.Lock()
        self._lookups: dict[int, SpaceLookup] = {}
        self._scope = LatestScope(library.database)

    @property
    def library(self) -> Library:
        return self._library

    def by_track(self, track_id: int, options: SearchOptions | None = None) -> SearchResult:
        """Neighbours of a track that has been indexed. Raises QueryError, LibraryError."""
        options = options or SearchOptions()
        found = self._library.tracks([track_id])
        if not found:
            raise QueryError(f"There is no track {track_id} in the library. Choose another one.")
        track = found[0]
        query, song = Query(track, track.path), Song.of_track(track, None)
        return self._search(
            query, song, {track.id}, options, lambda view: self._stored(track, view, options)
        )

    def by_artist(self, name: str, options: SearchOptions | None = None) -> SearchResult:
        """Neighbours of the mean of an artist's songs, which are never among them.

        Raises QueryError, LibraryError.
        """
        options = options or SearchOptions()
        own = artist_ids(self._library.database, name)
        if not own:
            raise QueryError(f"The library has no song by “{name}”. Look at how it is spelt.")
        typical = self._library.track(self._typical(name, own, options))
        query = Query(typical, typical.path, artist=name)
        song = Song(Tags(artist=name), typical.path, None, None, None)

        def hear(view: View) -> Heard:
            space_id, vectors = self._voices_of(name, own, view, options)[1:]
            moments = self._library.moments(typical.id, space_id)
            return self._heard(space_id, _mean(vectors), moments)

        return self._search(query, song, set(own), options, hear)

    def by_file(
        self,
        path: Path,
        options: SearchOptions | None = None,
        *,
        start_s: float = 0.0,
        end_s: float | None = None,
        is_vocals: bool = False,
        progress: ProgressCallback = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> SearchResult:
        """Neighbours of any audio file, or of the part of it from ``start_s`` to ``end_s``.

        ``is_vocals``: it holds a voice alone; nothing is separated. What was heard in a file is
        kept for the next search. A track that is this file, or a copy of it, is never among the
        neighbours. Raises QueryError, DecodeError, CheckpointError, SeparatorError, LibraryError,
        CancelledError.
        """
        from engine.sound import audio

        options = options or SearchOptions()
        track = self._library.track_by_path(path)
        query = Query(track, path, start_s, end_s)
        audio_hash, duration_s = audio.audio_hash(path), audio.probe(path).duration_s
        song = Song(_tags_of(query), path, audio_hash, duration_s, None)
        own_ids = {*self._library.tracks_with_hash(audio_hash), *([track.id] if track else [])}

        part = FilePart(path, start_s, end_s, is_vocals)

        def hear(view: View) -> Heard:
            space_id, found = self._ears.hear(
                part, audio_hash, view, options.model, progress, cancel
            )
            return self._heard(space_id, found.vector, found.moments)

        return self._search(query, song, own_ids, options, hear)

    def _search(
        self,
        query: Query,
        song: Song,
        own_ids: set[int],
        options: SearchOptions,
        hear: Callable[[View], Heard],
    ) -> SearchResult:
        heard, options, notes = hear_views(options, hear)
        song = replace(song, vector=next(iter(heard.values())).stored)
        hits, found = self._widening(heard, options, song, own_ids)
        if hits.note:
            notes.append(hits.note)
        spaces = dict(self._library.spaces())
        keys = {view: spaces[part.space_id] for view, part in heard.items()}
        calibration = self._calibration(keys, _weights(heard, options))
        moments = self._moments(heard, [track.id for track, _ in found])
        neighbours = tuple(
            Neighbour(
                rank,
                track,
                similarity,
                _percent(similarity, calibration),
                moments.get(track.id, ()),
            )
            for rank, (track, similarity) in enumerate(found, start=1)
        )
        return SearchResult(
            query,
            options.by,
            {view: key.model for view, key in keys.items()},
            calibration is not None,
            neighbours,
            " ".join(notes) or None,
        )

    def _calibration(
        self, keys: dict[View, SpaceKey], weights: dict[View, float]
    ) -> Calibration | None:
        """What the similarities of this search mean; None where a model does not know."""
        parts = [
            self._load_calibration(key.model, key.model_sha256, view) for view, key in keys.items()
        ]
        known = [part for part in parts if part is not None]
        return blended(known, list(weights.values())) if len(known) == len(parts) else None

    def _widening(
        self, heard: dict[View, Heard], options: SearchOptions, song: Song, own_ids: set[int]
    ) -> tuple[Hits, list[tuple[Track, float]]]:
        """Ask for more candidates until enough pass the filter, or there are no more."""
        accept = Filter(
            frozenset(own_ids),
            options.other_artists,
            options.other_albums,
            options.hide_duplicates,
            options.one_per_artist,
        )
        allowed, weights = self._allowed(options), _weights(heard, options)
        num_candidates = max(_MIN_CANDIDATES, _CANDIDATES_PER_NEIGHBOUR * options.k)
        if allowed is not None:  # where few of the first will do
            num_candidates *= _WIDENING
        elif options.other_artists or options.one_per_artist:
            num_candidates *= 2
        if len(heard) > 1:
            num_candidates = max(num_candidates, self._blend_candidates(heard))
        while True:
            if allowed is not None and len(allowed) <= _MAX_COMPARED:
                hits, bound = among(self.lookup, heard, weights, allowed), -1.0
            else:
                hits, bound = candidates(self.lookup, heard, weights, num_candidates)
                hits = hits if allowed is None else hits.only(allowed)
            vectors = dict[int, np.ndarray]()
            num = options.k + min(options.k, len(own_ids))
            batches = settled(self.lookup, heard, weights, hits, num + _SPARE, vectors)
            found = accept(song, self._present(batches, num), vectors, options.k)
            if hits.is_all:
                return hits, found
            if len(found) == options.k and (
                found[-1][1] >= bound or num_candidates >= _MAX_BLEND_CANDIDATES
            ):
                return hits, found
            num_candidates *= _WIDENING

    def _allowed(self, options: SearchOptions) -> np.ndarray | None:
        """Ids of the tracks in the scope, ascending; None where that is the whole library."""
        if not options.scope.num_conditions:
            return None
        return self._scope.ids(options.scope)

    def _blend_candidates(self, heard: dict[View, Heard]) -> int:
        num = max(count_embeddings(self._library.database, p.space_id) for p in heard.values())
        return round(_BLEND_CANDIDATES_PER_ROOT * num**0.5)

    def _present(self, batches: Iterable[Hits], num: int) -> Iterator[tuple[Track, float]]:
        """The songs whose files are there; ``num`` at a time are read, when they are asked for."""
        for hits in batches:
            for start in range(0, len(hits.track_ids), num):
                some = hits[start : start + num]
                tracks = {track.id: track for track in self._library.tracks(some.track_ids)}
                similarities = some.similarities.tolist()
                for track_id, similarity in zip(some.track_ids.tolist(), similarities, strict=True):
                    track = tracks.get(track_id)
                    if track is not None and track.status is not TrackStatus.MISSING:
                        yield track, similarity

    def _moments(
        self, heard: dict[View, Heard], track_ids: Collection[int]
    ) -> dict[int, tuple[Moment, ...]]:
        """Of each of these tracks those in the first view that has any."""
        found = dict[int, tuple[Moment, ...]]()
        for part in heard.values():
            if part.moments is not None:
                rest = [track_id for track_id in track_ids if track_id not in found]
                for track_id, other in self._library.moments_of(rest, part.space_id).items():
                    found[track_id] = best_moments(part.moments, other)
        return found

    def _stored(self, track: Track, view: View, options: SearchOptions) -> Heard:
        space_id, _ = choose_space(self._library, view, options.model)
        _, vectors = self._library.embeddings(space_id, [track.id])
        if not len(vectors):
            raise NotHeardError(why_not_heard(track, view))
        return self._heard(space_id, vectors[0], self._library.moments(track.id, space_id))

    def _heard(self, space_id: int, vector: np.ndarray, moments: MomentCodes | None) -> Heard:
        centre = self.lookup(space_id).centre()
        return Heard(space_id, centre, placed(vector, centre), vector, moments)

    def _typical(self, name: str, own: Collection[int], options: SearchOptions) -> int:
        """The id of the song that comes nearest to the mean of all."""
        for view in VIEWS_OF[options.by]:
            try:
                ids, _, vectors = self._voices_of(name, own, view, options)
            except QueryError:
                if view == VIEWS_OF[options.by][-1]:
                    raise
            else:
                return int(ids[np.argmax(vectors @ _mean(vectors))])
        raise AssertionError("a search looks at one view at least")

    def _voices_of(
        self, name: str, own: Collection[int], view: View, options: SearchOptions
    ) -> tuple[np.ndarray, int, np.ndarray]:
        """(track ids, space id, vectors) of an artist's songs that were heard in a view."""
        space_id, _ = choose_space(self._library, view, options.model)
        ids, vectors = self._library.embeddings(space_id, own)
        if not len(ids):
            voice = "voice" if view == "vocals" else "songs"
            raise NotHeardError(f"The {voice} of {name} cannot be compared: not heard yet.")
        return ids, space_id, vectors

    def percent(self, key: SpaceKey, similarity: float) -> int:
        """What a cosine in a space means to people, as ``Neighbour.percent`` tells it."""
        calibration = self._load_calibration(key.model, key.model_sha256, key.view)
        return _percent(similarity, calibration)

    def lookup(self, space_id: int) -> SpaceLookup:
        """Nearest tracks in one space; its index is loaded once and kept."""
        with self._lock:
            if space_id not in self._lookups:
                self._lookups[space_id] = SpaceLookup(self._library, space_id)
            return self._lookups[space_id]


def _percent(similarity: float, calibration: Calibration | None) -> int:
    if calibration is not None:
        similarity = calibration.probability(similarity)
    return round(100 * min(1.0, max(0.0, similarity)))


def _weights(heard: dict[View, Heard], options: SearchOptions) -> dict[View, float]:
    """How much each view counts, 1 in all."""
    if len(heard) == 1:
        return dict.fromkeys(heard, 1.0)
    return {"vocals": options.blend, "overall": 1 - options.blend}


def _mean(vectors: np.ndarray) -> np.ndarray:
    """(n, dim) -> (dim,) of length 1."""
    mean = vectors.mean(0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def _tags_of(query: Query) -> Tags:
    """Artist and title of a query, from the library or from the file itself."""
    return query.track.tags if query.track else read_tags(query.path, query.path.parent)
