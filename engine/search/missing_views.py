"""Where a query has nothing in a view: why, in sentences, and what a blend makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from engine.errors import QueryError
from engine.library import Track, TrackStatus, View
from engine.search.records import VIEWS_OF, SearchOptions

T = TypeVar("T")


class NotHeardError(QueryError):
    """The query has nothing in a view; in a blend, the other view can serve."""


def hear_views(
    options: SearchOptions, hear: Callable[[View], T]
) -> tuple[dict[View, T], SearchOptions, list[str]]:
    """What the query has in each view: (by view, the options that are left, notes).

    A blend for which nobody sings becomes a search by the whole sound, and a note says so. Raises
    NotHeardError where no view is left.
    """
    heard, notes = dict[View, T](), list[str]()
    for view in VIEWS_OF[options.by]:
        try:
            heard[view] = hear(view)
        except NotHeardError as error:
            if options.by != "blend" or view == "overall":
                raise
            notes.append(f"{error} These are the nearest songs overall.")
            options = replace(options, by="overall")
    return heard, options, notes


def nobody_sings(name: str) -> str:
    return f"Nobody sings in {name}, as far as can be heard."


def why_not_heard(track: Track, view: View) -> str:
    name = track.title or track.path.name
    if track.status is TrackStatus.FAILED:
        return f"{name} could not be indexed: {track.error}"
    if view == "vocals" and track.has_vocals is False:
        return f"{nobody_sings(name)} Search by overall sound."
    return f"{name} has not been heard for the view {view} yet. Index its folder, then try again."
