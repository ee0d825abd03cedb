"""How near songs are to a query in one view, or in both of a blend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from engine.index.centre import placed
from engine.index.lookup import Hits, SpaceLookup
from engine.library import Library, MomentCodes, View


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
    library: Library,
    lookup: Callable[[int], SpaceLookup],
    heard: Mapping[View, Heard],
    weights: Mapping[View, float],
    num: int,
) -> tuple[Hits, float]:
    """At least ``num`` songs, best first, and a similarity that no other song exceeds.

    In a blend, a song that nobody sings in has no voice to be alike: its vocals count 0.
    """
    parts = {
        view: lookup(part.space_id).nearest(part.vector, num, part.centre)
        for view, part in heard.items()
    }
    if len(parts) == 1:
        (hits,) = parts.values()
        return hits, -1.0
    # a song in neither list is at most as near as the last of both
    bound = sum(
        0.0 if hits.is_all else weights[view] * float(hits.similarities[-1])
        for view, hits in parts.items()
    )
    union = np.unique(np.concatenate([hits.track_ids for hits in parts.values()]))
    is_all = all(hits.is_all for hits in parts.values())
    note = next((hits.note for hits in parts.values() if hits.note), None)
    return replace(scored(library, heard, weights, union, parts), is_all=is_all, note=note), bound


def scored(
    library: Library,
    heard: Mapping[View, Heard],
    weights: Mapping[View, float],
    track_ids: np.ndarray,
    known: Mapping[View, Hits] = MappingProxyType({}),
) -> Hits:
    """Those of these tracks (ascending ids) that were heard in any of the views, best first.

    ``known``: some of them with their similarities, by view; they are not read again.
    """
    total, is_heard = np.zeros(len(track_ids), np.float32), np.zeros(len(track_ids), bool)
    for view, part in heard.items():
        similarities = _similarities(library, part, track_ids, known.get(view))
        is_heard |= ~np.isnan(similarities)
        total += weights[view] * np.nan_to_num(similarities)
    found, total = track_ids[is_heard], total[is_heard]
    order = np.argsort(-total, kind="stable")
    return Hits(found[order], total[order], is_all=True, note=None)


def _similarities(
    library: Library, part: Heard, track_ids: np.ndarray, known: Hits | None
) -> np.ndarray:
    """Of these tracks (ascending ids) (n,) float32, NaN where one was not heard."""
    similarities = np.full(len(track_ids), np.nan, np.float32)
    if known is not None:
        similarities[np.searchsorted(track_ids, known.track_ids)] = known.similarities
    if known is None or not known.is_all:
        unknown = track_ids[np.isnan(similarities)]
        ids, vectors = library.embeddings(part.space_id, unknown)
        places = np.searchsorted(track_ids, ids)
        similarities[places] = placed(vectors, part.centre) @ part.vector
    return similarities
