"""Endless radio: songs near to one, drawn by lot, each artist once in a while."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from engine.errors import QueryError
from engine.search.filter import artists_of
from engine.search.records import By, Neighbour, SearchOptions
from engine.search.searcher import Searcher

NUM_AROUND = 200  # songs that are drawn from
NUM_APART = 8  # songs between two by one artist, where there are artists enough
SPREAD = 25.0  # ranks after which a song is drawn 1/e as often


def radio(
    searcher: Searcher,
    seed_id: int,
    played: Sequence[int] = (),
    by: By = "vocals",
    num: int = 10,
    *,
    model: str | None = None,
    lot: random.Random | None = None,
) -> list[Neighbour]:
    """The next ``num`` songs of a radio from one song, in the order in which they play.

    None that was played comes again before all others around the song have. Ask again with what was
    played since, and it goes on for ever; ask anew, and it goes another way.

    Args:
        played: ids of the songs before, the latest last.
        lot: decides what is drawn.

    Raises QueryError (nothing heard of the song, or no other song), LibraryError.
    """
    lot = lot or random.Random()
    options = SearchOptions(by=by, k=NUM_AROUND + len(played), hide_duplicates=True, model=model)
    around = [n for n in searcher.by_track(seed_id, options).neighbours if not n.track.is_elsewhere]
    order = [seed_id, *played]
    recent = deque(map(artists_of, searcher.source.tracks(order[-NUM_APART:])), NUM_APART)
    if not around:
        raise QueryError("No radio is possible: too few other songs have been heard.")
    chosen: list[Neighbour] = []
    for rank in range(1, num + 1):
        found = _draw(_fresh(around, order), recent, lot)
        chosen.append(replace(found, rank=rank))
        order.append(found.track.id)
        recent.append(artists_of(found.track))
    return chosen


def _fresh(around: list[Neighbour], order: list[int]) -> list[Neighbour]:
    """Those that were not played; once all were, those that were played longest ago."""
    heard = set(order)
    fresh = [n for n in around if n.track.id not in heard]
    while not fresh:
        order = order[len(order) // 2 + 1 :]
        heard = set(order)
        fresh = [n for n in around if n.track.id not in heard]
    return fresh


def _draw(fresh: list[Neighbour], recent: deque[set[str]], lot: random.Random) -> Neighbour:
    """One of them, by an artist who was not heard for long; the nearer, the likelier."""
    while not (free := [n for n in fresh if not artists_of(n.track) & set[str]().union(*recent)]):
        recent.popleft()
    weights = [math.exp(-place / SPREAD) for place in range(len(free))]
    return lot.choices(free, weights)[0]
