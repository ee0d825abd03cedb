"""Whether a library is sound, and mending it: what is in the file, and what its indexes answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import LibraryCorruptError
from engine.library import Library, SpaceKey
from engine.library.centres import put_centre
from engine.library.indexes import drop_index, index_of
from engine.library.upkeep.checks import Problem, damaged_centres, file_problems, row_problems
from engine.library.upkeep.mends import mend_rows
from engine.library.upkeep.salvage import salvage, unused_path
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.search.index import centre, graph
from engine.search.index.lookup import SpaceLookup

MIN_RECALL = 0.9  # of exact answers; what an intact graph gives is 0.98 and more
_NUM_QUERIES = 50
_NUM_NEIGHBOURS = 10
_TOLERANCE = 1e-4  # of a cosine: neighbours that are as good as the exact ones count as found


@dataclass(frozen=True)
class IndexHealth:
    """How well the search index of a space answers.

    Attributes:
        recall: share of the exact neighbours among those found, over a sample of songs; None where
            there is no index to ask, which only makes searches slower.
    """

    key: SpaceKey
    num_embeddings: int
    recall: float | None


@dataclass(frozen=True)
class HealthReport:
    """What a check of a library found. Nothing is changed by it."""

    num_tracks: int
    num_embeddings: int
    indexes: tuple[IndexHealth, ...]
    problems: tuple[Problem, ...]

    @property
    def is_fine(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class RepairReport:
    """What a repair did.

    Attributes:
        found: what was wrong before.
        done: sentences, in the order in which things were done.
        kept_path: the library as it was before; None where nothing was wrong.
        left: what is wrong still.
    """

    found: tuple[Problem, ...]
    done: tuple[str, ...]
    kept_path: Path | None
    left: tuple[Problem, ...]


def verify(
    path: Path,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> HealthReport:
    """Check a library: its file, what its rows say, its vectors, the answers of its indexes.

    Reads all of it. Damage is a problem in the report, not an error. Raises LibraryError where
    there is no library, or none that may be read now; CancelledError.
    """
    cancel = cancel or CancelToken()
    try:
        with Library.open(path, create=False) as library:
            return _verify(library, progress, cancel)
    except LibraryCorruptError as error:
        return HealthReport(0, 0, (), (Problem("file", 1, str(error)),))


def repair(
    path: Path,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> RepairReport:
    """Mend what can be mended. The library as it was is kept beside it.

    Whatever can be heard again is forgotten where it is damaged: index after a repair. Raises
    LibraryLockedError while another program indexes, or, for a damaged file, has it open;
    LibraryCorruptError where nothing can be read; LibraryError; CancelledError.
    """
    cancel = cancel or CancelToken()
    found = verify(path, progress, cancel).problems
    if not found:
        return RepairReport((), (), None, ())
    done: list[str] = []
    kept_path = None
    if any(problem.kind == "file" for problem in found):
        saved = salvage(path)
        kept_path = saved.damaged_path
        done.append(
            f"Saved {saved.kept['track']} songs, and what was heard in them "
            f"({saved.kept['embedding']} vectors), into a new file."
        )
    with Library.open(path, create=False) as library, library.lease():
        if kept_path is None:
            kept_path = unused_path(path, "before-repair")
            library.database.back_up(kept_path)
        done += mend_rows(library.database)
        done += _mend_centres(library)
        done += _mend_indexes(library, progress, cancel)
    left = verify(path, progress, cancel).problems
    return RepairReport(found, tuple(done), kept_path, left)


def _verify(library: Library, progress: ProgressCallback, cancel: CancelToken) -> HealthReport:
    progress(Progress("verify", message="file"))
    problems = list(file_problems(library.database))
    cancel.check()
    indexes = list[IndexHealth]()
    if not problems:  # what is read from a damaged file says nothing
        progress(Progress("verify", message="vectors"))
        problems += row_problems(library.database)
        if not problems:
            for space_id, _ in library.spaces():
                cancel.check()
                progress(Progress("verify", message="indexes"))
                health, problem = _index_health(library, space_id)
                indexes.append(health)
                problems += [problem] if problem else []
    counts = library.counts()
    return HealthReport(
        counts.tracks, sum(counts.embeddings.values()), tuple(indexes), tuple(problems)
    )


def _index_health(library: Library, space_id: int) -> tuple[IndexHealth, Problem | None]:
    key = library.space(space_id)
    num = library.counts().embeddings.get(space_id, 0)
    if index_of(library.database, space_id) is None:
        return IndexHealth(key, num, None), None
    title = f"The search index of {key.model} for the view {key.view}"
    try:
        graph.load(library, space_id)
    except graph.UnusableIndexError as error:
        sentence = f"{title} cannot be used: {error} Searches are slower; repair builds it anew."
        return IndexHealth(key, num, None), Problem("index", 1, sentence)
    recall = _recall(library, space_id)
    problem = None
    if recall < MIN_RECALL:
        sentence = f"{title} finds only {recall:.0%} of the neighbours. Repair builds it anew."
        problem = Problem("index", 1, sentence)
    return IndexHealth(key, num, recall), problem


def _recall(library: Library, space_id: int) -> float:
    """Share of a sample's exact neighbours that a search finds, or others that are as near."""
    sample = _sample(library, space_id)
    if not len(sample):
        return 1.0
    best = np.empty((len(sample), 0), np.float32)
    for chunk in library.embedding_chunks(space_id):
        best = np.concatenate([best, sample @ chunk.vectors.T], axis=1)
        best = -np.sort(-best, axis=1)[:, :_NUM_NEIGHBOURS]
    lookup, as_stored = SpaceLookup(library, space_id), np.zeros(sample.shape[1], np.float32)
    num_found = 0
    for query, farthest in zip(sample, best[:, -1], strict=True):
        hits = lookup.nearest(query, best.shape[1], as_stored)
        similarities = hits.similarities[: best.shape[1]]
        num_found += int((similarities >= farthest - _TOLERANCE).sum())
    return num_found / best.size


def _sample(library: Library, space_id: int) -> np.ndarray:
    """(n, dim): vectors of songs spread evenly over a space, at most _NUM_QUERIES."""
    ids = np.concatenate(
        [np.empty(0, np.int64), *(c.track_ids for c in library.embedding_chunks(space_id))]
    )
    chosen = ids[np.linspace(0, len(ids) - 1, min(_NUM_QUERIES, len(ids))).astype(int)]
    return library.embeddings(space_id, chosen)[1]


def _mend_centres(library: Library) -> Iterator[str]:
    """Measures anew what makes no sense; does its work as it is iterated over."""
    for space_id in damaged_centres(library.database):
        put_centre(library.database, space_id, centre.measure(library, space_id))
        key = library.space(space_id)
        yield (
            f"Measured anew what the songs have in common for {key.model} and the view {key.view}."
        )


def _mend_indexes(
    library: Library, progress: ProgressCallback, cancel: CancelToken
) -> Iterator[str]:
    """Builds anew what cannot be trusted; does its work as it is iterated over."""
    for space_id, key in library.spaces():
        is_kept = index_of(library.database, space_id) is not None
        if is_kept and _index_health(library, space_id)[1] is None:
            continue
        drop_index(library.database, space_id)
        graph.refresh(library, space_id, progress, cancel)
        yield f"Built the search index of {key.model} for the view {key.view} anew."
