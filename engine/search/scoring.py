"""How near songs are to a query in one view, or in both of a blend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.library import MomentCodes, View
from engine.search.index.lookup import Hits, SpaceLookup, ranked


@dataclass(frozen=True, eq=False)
class Heard:
    """The query in one view.

    Attributes:
        centre: (dim,) what the library has in common now; the same for the whole search.
        vector: (dim,) float32, without it and of unit length.
        stored: (dim,) float32, with it: what the library keeps, or would keep.
    """

    space_id: int
    centre: np.ndarray
    vector: np.ndarray
    stored: np.ndarray
    moments: MomentCodes | None


def candidates(
    lookup: Callable[[int], SpaceLookup],
    heard: Mapping[View, Heard],
    weights: Mapping[View, float],
    num: int,
) -> tuple[Hits, float]:
    """At least ``num`` songs, best first, and a similarity that no other song exceeds.

    In a blend, a song that nobody sings in has no voice to be alike: its vocals count 0.
    """
    parts = {
        view: lookup(part.space_id).candidates(part.vector, num, part.centre)
        for view, part in heard.items()
    }
    if len(parts) == 1:
        (hits,) = parts.values()
        return hits, -1.0
    # a song in neither list is at most as near as the last of both
    bound = sum(
        0.0 if hits.is_all else weights[view] * max(0.0, float(hits.similarities[-1]))
        for view, hits in parts.items()
    )
    hits = among(
        lookup, heard, weights, np.unique(np.concatenate([h.track_ids for h in parts.values()]))
    )
    is_all = all(hits.is_all for hits in parts.values())
    note = next((hits.note for hits in parts.values() if hits.note), None)
    return replace(hits, is_all=is_all, note=note), bound


def among(
    lookup: Callable[[int], SpaceLookup],
    heard: Mapping[View, Heard],
    weights: Mapping[View, float],
    track_ids: np.ndarray,
) -> Hits:
    """Those of these tracks (ascending ids) that were heard in any of the views, best first."""
    total, is_heard = np.zeros(len(track_ids), np.float32), np.zeros(len(track_ids), bool)
    slack = 0.0
    for view, part in heard.items():
        found, off_by = lookup(part.space_id).similarities(track_ids, part.vector, part.centre)
        is_heard |= ~np.isnan(found)
        total += weights[view] * np.nan_to_num(found)
        slack += weights[view] * off_by
    return ranked(track_ids[is_heard], total[is_heard], slack)


def settled(
    lookup: Callable[[int], SpaceLookup],
    heard: Mapping[View, Heard],
    weights: Mapping[View, float],
    hits: Hits,
    num: int,
    vectors: dict[int, np.ndarray],
) -> Iterator[Hits]:
    """The same songs by exact similarities, best first, a few at a time; those gone are left out.

    Songs are read as far as it takes: until no other one can be nearer than what is passed on.

    Args:
        num: how many may be enough.
        vectors: gets each song's in the first view, as the library keeps them.
    """
    waiting, start = hits[:0], 0
    while start < len(hits.track_ids):
        some = _exactly(lookup, heard, weights, hits.track_ids[start : start + num], vectors)
        waiting = ranked(
            np.concatenate([waiting.track_ids, some.track_ids]),
            np.concatenate([waiting.similarities, some.similarities]),
        )
        start, num = start + num, 2 * num
        rest = hits.similarities[start:]
        limit = float(rest[0]) + hits.slack if len(rest) else -np.inf
        is_settled = waiting.similarities >= limit
        yield waiting[is_settled]
        waiting = waiting[~is_settled]


def _exactly(
    lookup: Callable[[int], SpaceLookup],
    heard: Mapping[View, Heard],
    weights: Mapping[View, float],
    track_ids: np.ndarray,
    vectors: dict[int, np.ndarray],
) -> Hits:
    total = dict[int, float]()
    for number, (view, part) in enumerate(heard.items()):
        ids, similarities, found = lookup(part.space_id).exactly(
            track_ids, part.vector, part.centre
        )
        if number == 0:
            vectors.update(zip(ids.tolist(), found, strict=True))
        for track_id, similarity in zip(ids.tolist(), similarities.tolist(), strict=True):
            total[track_id] = total.get(track_id, 0.0) + weights[view] * similarity
    return Hits(np.array(list(total), np.int64), np.array(list(total.values()), np.float32))
