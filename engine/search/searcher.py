"""A song in, the songs most like it out: query, candidates, re-score, filter, present."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np

from engine import models
from engine.errors import QueryError
from engine.library import Library, Tags, Track, TrackStatus
from engine.library.scan.tags import read_tags
from engine.models.calibration import Calibration, blended
from engine.preferences import Voices
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from engine.records import SpaceKey, TrackEmbedding, View, most_heard
from engine.search.file_query import FileEmbedder
from engine.search.filter import Filter, Song
from engine.search.library_source import LibrarySource
from engine.search.moments import Moment, best_moments
from engine.search.records import (
    VIEWS_OF,
    FilePart,
    Neighbour,
    NoEmbeddingError,
    Query,
    SearchOptions,
    SearchResult,
    why_no_embedding,
)
from engine.search.source import QueryView, Source

_CANDIDATES_PER_NEIGHBOUR, _WIDENING = 4, 4
_BATCH = 200  # tracks read at once where many of them are looked at


@dataclass(frozen=True, eq=False)
class _Question:
    """What is asked: the views that the query has an embedding in, and how to search by them."""

    views: tuple[QueryView, ...]
    options: SearchOptions
    notes: tuple[str, ...]


class Searcher:
    """Searches a library, or another source. Any thread may use it."""

    def __init__(self, songs: Library | Source) -> None:
        self.source: Source = LibrarySource(songs) if isinstance(songs, Library) else songs
        self._files = FileEmbedder()
        self._calibration_of = cache(models.calibration_of)

    # Queries

    def by_track(self, track_id: int, options: SearchOptions | None = None) -> SearchResult:
        """Neighbours of a track that has been indexed. Raises QueryError, LibraryError."""
        return self.by_tracks([track_id], options)

    def by_tracks(
        self, track_ids: Sequence[int], options: SearchOptions | None = None
    ) -> SearchResult:
        """Neighbours of what some tracks have in common: of the mean of their vectors.

        They are never among the neighbours. Raises QueryError, LibraryError.
        """
        own = list(dict.fromkeys(track_ids))
        tracks = {track.id: track for track in self.source.tracks(own)}
        if not own:
            raise QueryError("No song is asked for. Choose one.")
        for one in own:
            if one not in tracks:
                raise QueryError(f"There is no track {one} in the library. Choose another one.")
        asked = tuple(tracks[one] for one in own)
        question, typical = self._question_of(own, options, partial(why_no_embedding, asked))
        track = tracks[typical]
        songs = {one: Song.of_track(tracks[one], None) for one in (typical, *own)}
        portrait = self.source.portraits([typical]).get(typical)
        query = Query(track, track.path, tracks=asked, portrait=portrait)
        return self._search(query, tuple(songs.values()), own, question)

    def by_artist(self, name: str, options: SearchOptions | None = None) -> SearchResult:
        """Neighbours of the mean of an artist's songs, which are never among them.

        Raises QueryError, LibraryError.
        """
        own = self.source.tracks_of_artist(name)
        if not own:
            raise QueryError(f"There is no song by “{name}”. Look at how it is spelt.")

        def why(view: View) -> str:
            if view == "vocals":
                return f"The voice of {name} cannot be compared: not heard yet."
            return f"The songs of {name} cannot be compared: not heard yet."

        question, typical = self._question_of(own, options, why)
        (track,) = self.source.tracks([typical])
        song = Song(Tags(artist=name), track.path, None, None, None)
        return self._search(Query(track, track.path, artist=name), (song,), own, question)

    def _question_of(
        self, own: Sequence[int], options: SearchOptions | None, why: Callable[[View], str]
    ) -> tuple[_Question, int]:
        """(what some tracks have in common, the one of them that is nearest to it).

        ``why`` none of them can be compared in a view.
        """
        options = options or SearchOptions()
        typical = list[int]()  # in the first view that has any

        def in_view(view: View) -> QueryView:
            space = self.source.space(view, options.model)
            ids, vectors = self.source.vectors(space, own)
            if not len(ids):
                raise NoEmbeddingError(why(view))
            mean = vectors[0] if len(ids) == 1 else _mean(vectors)
            if not typical:
                typical.append(int(ids[np.argmax(vectors @ mean)]))
            return QueryView(space, mean, self.source.moments(space, typical).get(typical[0]))

        return _question(options, in_view), typical[0]

    def by_file(
        self,
        path: Path,
        options: SearchOptions | None = None,
        *,
        start_s: float = 0.0,
        end_s: float | None = None,
        is_vocals: bool = False,
        voices: Voices = "fine",
        progress: ProgressCallback = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> SearchResult:
        """Neighbours of any audio file, or of the part of it from ``start_s`` to ``end_s``.

        ``is_vocals``: it holds a voice alone; nothing is separated. ``voices``: ``fast`` hears it
        through the whole song, in models that can. What was heard in a file is
        kept for the next search. A track that is this file, or a copy of it, is never among the
        neighbours. Raises QueryError, DecodeError, CheckpointError, SeparatorError, LibraryError,
        CancelledError.
        """
        from engine.sound import audio

        options = options or SearchOptions()
        audio_hash, duration_s = audio.audio_hash(path), audio.probe(path).duration_s
        track, own_ids = self.source.tracks_of_file(path, audio_hash)
        tags = track.tags if track else read_tags(path, path.parent)
        part = FilePart(path, start_s, end_s, is_vocals, voices)
        embeddings = list[TrackEmbedding]()

        def in_view(view: View) -> QueryView:
            space = self.source.space(view, options.model)
            found = self._files.embedding(
                part, audio_hash, space.key, options.model, progress, cancel
            )
            embeddings.append(found)
            return QueryView(space, found.vector, found.moments)

        question = _question(options, in_view)
        song = Song(tags, path, audio_hash, duration_s, None)
        portrait = next((one.portrait for one in embeddings if one.portrait), None)
        heard = most_heard(tag for one in embeddings for tag in one.tags or ())
        query = Query(track, path, start_s, end_s, portrait=portrait, heard=heard)
        return self._search(query, (song,), own_ids, question)

    def nearest(self, view: QueryView, k: int) -> np.ndarray:
        """Ids (at most k,) of the nearest tracks in one view, whatever they are, best first."""
        everything = Filter(Song(Tags(), Path(), None, None, None), frozenset(), SearchOptions())
        num = _CANDIDATES_PER_NEIGHBOUR * k
        candidates = self.source.candidates([view], num, everything)
        return self._scored([view], candidates.track_ids)[0][:k]

    def percent(self, key: SpaceKey, similarity: float) -> int:
        """What a cosine in a space means to people, as ``Neighbour.percent`` tells it."""
        return _percent(similarity, self._calibration_of(key.model, key.model_sha256, key.view))

    # From a query to its neighbours

    def _search(
        self,
        query: Query,
        songs: tuple[Song, ...],
        own_ids: Collection[int],
        question: _Question,
    ) -> SearchResult:
        """``songs``: what is asked with, the most typical one first."""
        views, options, notes = question.views, question.options, question.notes
        song = replace(songs[0], vector=views[0].stored)
        unwanted = set(own_ids)
        if options.by != "overall":
            unwanted |= self.source.marked_apart(own_ids)
        accept = Filter(song, frozenset(unwanted), options, songs[1:])
        num = _CANDIDATES_PER_NEIGHBOUR * options.k
        while True:
            candidates = self.source.candidates(views, num, accept)
            hits, similarities = self._scored(views, candidates.track_ids)
            found = accept(self._songs(hits, similarities, views[0], options))
            if candidates.is_all or len(found) == options.k:
                break
            num = _WIDENING * max(num, len(hits))
        told = [candidates.note, *(view.space.note for view in views)]
        notes = (*notes, *dict.fromkeys(filter(None, told)))
        calibration = self._calibration(views)
        songs_found = self._neighbours(views, [one for row in found for one in row], calibration)
        if num_rough := sum(neighbour.is_from_mixture for neighbour in songs_found):
            one = "One voice was heard through the whole song."
            more = f"{num_rough} voices were heard through the whole song."
            notes = (*notes, one if num_rough == 1 else more)
        return SearchResult(
            query,
            options.by,
            {view.space.key.view: view.space.key.model for view in views},
            calibration is not None,
            _as_artists(songs_found, map(len, found)) if options.as_artists else songs_found,
            " ".join(notes) or None,
        )

    def _scored(
        self, views: Sequence[QueryView], track_ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ids (n,), exact similarities (n,)) of the tracks that have an embedding in any view.

        Best first. In a blend, the vocals of a song in which nobody sings count 0.
        """
        total, is_known = np.zeros(len(track_ids), np.float32), np.zeros(len(track_ids), bool)
        for view in views:
            similarities = self.source.similarities(view, track_ids)
            is_here = ~np.isnan(similarities)
            is_known |= is_here
            total[is_here] += view.weight * similarities[is_here]
        track_ids, total = track_ids[is_known], total[is_known]
        order = np.argsort(-total, kind="stable")
        return track_ids[order], total[order]

    def _songs(
        self,
        track_ids: np.ndarray,
        similarities: np.ndarray,
        view: QueryView,
        options: SearchOptions,
    ) -> Iterator[tuple[Track, float, np.ndarray | None]]:
        """Those whose files are there, with their vectors in a view where a filter needs them.

        They are read a few at a time, when they are asked for.
        """
        num = max(options.k + 2, _BATCH if options.as_artists else 0)
        for start in range(0, len(track_ids), num):
            some = track_ids[start : start + num]
            tracks = {track.id: track for track in self.source.tracks(some.tolist())}
            vectors = dict[int, np.ndarray]()
            if options.hide_duplicates:
                ids, found = self.source.vectors(view.space, some)
                vectors = dict(zip(ids.tolist(), found, strict=True))
            scores = similarities[start : start + num].tolist()
            for track_id, similarity in zip(some.tolist(), scores, strict=True):
                track = tracks.get(track_id)
                if track is not None and track.status is not TrackStatus.MISSING:
                    yield track, similarity, vectors.get(track_id)

    def _neighbours(
        self,
        views: Sequence[QueryView],
        found: Sequence[tuple[Track, float]],
        calibration: Calibration | None,
    ) -> tuple[Neighbour, ...]:
        ids = [track.id for track, _ in found]
        moments = self._moments(views, ids)
        voices = [view.space for view in views if view.space.key.view == "vocals"]
        rough = self.source.from_mixture(voices[0], ids) if voices else set[int]()
        portraits = self.source.portraits(ids)
        parts = self._parts(views, ids) if len(views) > 1 else {}
        return tuple(
            Neighbour(
                rank,
                track,
                similarity,
                _percent(similarity, calibration),
                moments.get(track.id, ()),
                track.id in rough,
                portraits.get(track.id),
                parts.get(track.id, ()),
            )
            for rank, (track, similarity) in enumerate(found, start=1)
        )

    def _parts(
        self, views: Sequence[QueryView], track_ids: Sequence[int]
    ) -> dict[int, tuple[tuple[View, int], ...]]:
        """Percentages of these tracks in each view for itself."""
        found = dict[int, tuple[tuple[View, int], ...]]()
        for view in views:
            key, ids = view.space.key, np.array(track_ids, np.int64)
            similarities = self.source.similarities(view, ids)
            for track_id, similarity in zip(track_ids, similarities.tolist(), strict=True):
                if not np.isnan(similarity):
                    part = (key.view, self.percent(key, similarity))
                    found[track_id] = (*found.get(track_id, ()), part)
        return found

    def _moments(
        self, views: Iterable[QueryView], track_ids: Collection[int]
    ) -> dict[int, tuple[Moment, ...]]:
        """Of each of these tracks those in the first view that has any."""
        found = dict[int, tuple[Moment, ...]]()
        for view in views:
            if view.moments is not None:
                rest = [track_id for track_id in track_ids if track_id not in found]
                for track_id, other in self.source.moments(view.space, rest).items():
                    found[track_id] = best_moments(view.moments, other)
        return found

    def _calibration(self, views: Sequence[QueryView]) -> Calibration | None:
        """What the similarities of this search mean; None where a model does not know."""
        keys = [view.space.key for view in views]
        known = [self._calibration_of(key.model, key.model_sha256, key.view) for key in keys]
        parts = [part for part in known if part is not None]
        if len(parts) < len(known):
            return None
        return blended(parts, [view.weight for view in views])


def _question(options: SearchOptions, in_view: Callable[[View], QueryView]) -> _Question:
    """A blend for which nobody sings becomes a search by the whole sound, and a note says so.

    Raises NoEmbeddingError where no view is left.
    """
    views, notes = list[QueryView](), list[str]()
    for view in VIEWS_OF[options.by]:
        try:
            views.append(in_view(view))
        except NoEmbeddingError as error:
            if options.by != "blend" or view == "overall":
                raise
            notes.append(f"{error} These are the nearest songs overall.")
            options = replace(options, by="overall")
    if len(views) > 1:
        weights = (options.blend, 1 - options.blend)
        views = [replace(view, weight=w) for view, w in zip(views, weights, strict=True)]
    return _Question(tuple(views), options, tuple(notes))


def _as_artists(songs: Iterable[Neighbour], lengths: Iterable[int]) -> tuple[Neighbour, ...]:
    """The nearest song of each artist, with the next ones; so many of the songs are of each."""
    rest, rows = iter(songs), []
    for rank, length in enumerate(lengths, start=1):
        first, *more = (replace(song, rank=rank) for song in islice(rest, length))
        rows.append(replace(first, more=tuple(more)))
    return tuple(rows)


def _percent(similarity: float, calibration: Calibration | None) -> int:
    if calibration is not None:
        similarity = calibration.probability(similarity)
    return round(100 * min(1.0, max(0.0, similarity)))


def _mean(vectors: np.ndarray) -> np.ndarray:
    """(n, dim) -> (dim,) of length 1."""
    mean = vectors.mean(0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)
