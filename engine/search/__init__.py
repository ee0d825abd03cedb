"""A song in, the songs most like it out."""

from engine.index.moments import Moment
from engine.search.choice import choose_space, resolve
from engine.search.records import By, Neighbour, Query, SearchOptions, SearchResult
from engine.search.searcher import Searcher

__all__ = [
    "By",
    "Moment",
    "Neighbour",
    "Query",
    "SearchOptions",
    "SearchResult",
    "Searcher",
    "choose_space",
    "resolve",
]
