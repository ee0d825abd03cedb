"""Searching: a song in, the songs most like it out; indexes, remote stores, journeys, export."""

from engine.library.scope import Facets, Scope
from engine.search.moments import Moment
from engine.search.records import By, Neighbour, Query, SearchOptions, SearchResult
from engine.search.resolve import choose_space, resolve, resolve_artist
from engine.search.searcher import Searcher

__all__ = [
    "By",
    "Facets",
    "Moment",
    "Neighbour",
    "Query",
    "Scope",
    "SearchOptions",
    "SearchResult",
    "Searcher",
    "choose_space",
    "resolve",
    "resolve_artist",
]
