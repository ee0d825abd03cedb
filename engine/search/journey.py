"""A journey from one voice to another: a row of songs in small steps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.errors import QueryError
from engine.library import Track, TrackStatus
from engine.library.text import normalise
from engine.progress import CancelToken
from engine.records import View
from engine.search.filter import artists_of
from engine.search.index.centre import placed
from engine.search.searcher import Searcher
from engine.search.source import QueryView, Space

MAX_SONGS = 12
MAX_COMPARED = 3000  # of so small a library every song is a candidate
_NUM_WAYPOINTS, _NUM_AROUND = 32, 96  # of a larger one, what lies near the straight way


@dataclass(frozen=True)
class Journey:
    """Attributes:
    tracks: from the first to the last, both included; none twice.
    similarities: (len(tracks) - 1,) cosines of each song with the one before.
    percents: the same for people (see ``Neighbour.percent``).
    """

    tracks: tuple[Track, ...]
    similarities: tuple[float, ...]
    percents: tuple[int, ...]


def journey(
    searcher: Searcher,
    start_id: int,
    goal_id: int,
    view: View = "vocals",
    *,
    max_songs: int = MAX_SONGS,
    other_artists: bool = False,
    model: str | None = None,
    cancel: CancelToken | None = None,
) -> Journey:
    """The row of at most ``max_songs`` songs between two tracks whose largest step is smallest.

    Of all such rows the shortest, and of those the one with the nearest songs. The path lies in the
    graph of nearest neighbours: the bottleneck path of the complete graph never leaves it.

    Args:
        other_artists: no artist twice in a row.

    Raises QueryError (the same song twice, not heard yet, or no way), LibraryError, CancelledError.
    """
    if start_id == goal_id:
        raise QueryError("A journey needs two different songs. Choose another goal.")
    if max_songs < 2:
        raise QueryError(f"A journey of {max_songs} songs has no way. Ask for at least 2.")
    cancel = cancel or CancelToken()
    source = searcher.source
    space = source.space(view, model)
    ends = source.tracks([start_id, goal_id])
    found, vectors = source.vectors(space, [start_id, goal_id])
    for track in ends:
        if track.id not in found:
            name = track.title or track.path.name
            raise QueryError(f"{name} has not been heard for the view {view} yet. Index it first.")
    if len(ends) < 2:
        raise QueryError("One of the two songs is not in the library any more.")
    candidates = _candidates(searcher, space, vectors, cancel)
    tracks = _distinct(ends, source.tracks(candidates.tolist()))
    ids, vectors = source.vectors(space, [track.id for track in tracks])
    heard = set(ids.tolist())
    tracks = [track for track in tracks if track.id in heard]
    cancel.check()
    vectors = placed(vectors, space.centre)
    steps = vectors @ vectors.T
    if other_artists:
        steps[_same_artist(tracks)] = -np.inf
    path = smallest_steps(steps, 0, 1, max_songs)
    if path is None:
        raise QueryError("No journey is possible: too few other songs have been heard.")
    similarities = tuple(float(vectors[a] @ vectors[b]) for a, b in pairwise(path))
    percents = tuple(searcher.percent(space.key, similarity) for similarity in similarities)
    return Journey(tuple(tracks[place] for place in path), similarities, percents)


def smallest_steps(steps: np.ndarray, start: int, goal: int, max_places: int) -> list[int] | None:
    """The path with the smallest largest step, then the fewest places, then the nearest ones.

    Args:
        steps: (n, n) similarities of places, symmetric; -inf where there is no way.
        max_places: of the path, both ends included.
    """
    steps = steps.copy()
    np.fill_diagonal(steps, -np.inf)
    levels = np.unique(steps[np.isfinite(steps)])
    low, high, best = 0, len(levels) - 1, None
    while low <= high:  # the highest level at which there is still a way
        middle = (low + high) // 2
        path = _fewest_places(steps, levels[middle], start, goal, max_places)
        if path is None:
            high = middle - 1
        else:
            best, low = path, middle + 1
    return best


def _fewest_places(
    steps: np.ndarray, level: float, start: int, goal: int, max_places: int
) -> list[int] | None:
    """Breadth first over steps of at least ``level``; each place is reached by its best step."""
    total = np.full(len(steps), -np.inf)
    before = np.full(len(steps), -1)
    is_new = np.ones(len(steps), bool)
    total[start], is_new[start] = 0.0, False
    frontier = np.array([start])
    for _ in range(max_places - 1):
        ways = np.where(steps[frontier] >= level, steps[frontier] + total[frontier, None], -np.inf)
        sums = ways.max(0)
        reached = np.flatnonzero(is_new & np.isfinite(sums))
        if not len(reached):
            return None
        before[reached] = frontier[ways[:, reached].argmax(0)]
        total[reached], is_new[reached] = sums[reached], False
        if not is_new[goal]:
            return _traced(before, goal)
        frontier = reached
    return None


def _traced(before: np.ndarray, goal: int) -> list[int]:
    path = [goal]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return path[::-1]


def _candidates(
    searcher: Searcher, space: Space, ends: np.ndarray, cancel: CancelToken
) -> np.ndarray:
    """Ids of the songs that may lie on the way between two ends, (2, dim) as they are stored."""
    every = searcher.nearest(QueryView(space, ends[0]), MAX_COMPARED + 1)
    if len(every) <= MAX_COMPARED:
        return every
    around = []
    for share in np.linspace(0.0, 1.0, _NUM_WAYPOINTS):
        cancel.check()
        place = (1 - share) * ends[0] + share * ends[1]
        place = np.asarray(place / max(float(np.linalg.norm(place)), 1e-9), np.float32)
        around.append(searcher.nearest(QueryView(space, place), _NUM_AROUND))
    return np.unique(np.concatenate(around))


def _distinct(ends: list[Track], others: list[Track]) -> list[Track]:
    """Both ends first; no sound, and no song by the same artist, twice; nothing that is gone."""
    kept: list[Track] = []
    seen = set[object]()
    for number, track in enumerate([*ends, *others]):
        is_end = number < len(ends)
        title = normalise(track.title)
        marks: set[object] = {("id", track.id)}
        if track.audio_hash is not None:
            marks.add(("sound", track.audio_hash))
        if title:
            marks |= {("song", artist, title) for artist in artists_of(track)}
        if is_end or (track.status is not TrackStatus.MISSING and not marks & seen):
            kept.append(track)
            seen |= marks
    return kept


def _same_artist(tracks: list[Track]) -> np.ndarray:
    """(n, n) bool."""
    numbers = dict[str, int]()
    names = [{numbers.setdefault(n, len(numbers)) for n in artists_of(t)} for t in tracks]
    marks = np.zeros((len(tracks), max(1, len(numbers))), np.float32)
    for row, own in enumerate(names):
        marks[row, list(own)] = 1.0
    return np.asarray(marks @ marks.T > 0)
