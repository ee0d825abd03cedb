"""Where a query has no embedding in a view: why, in sentences."""

from __future__ import annotations

from engine.errors import QueryError
from engine.library import Track, TrackStatus
from engine.records import View


class NoEmbeddingError(QueryError):
    """The query has no embedding in a view; in a blend, the other view can serve."""


def nobody_sings(name: str) -> str:
    return f"Nobody sings in {name}, as far as can be heard."


def why_no_embedding(track: Track, view: View) -> str:
    name = track.title or track.path.name
    if track.status is TrackStatus.FAILED:
        return f"{name} could not be indexed: {track.error}"
    if view == "vocals" and track.has_vocals is False:
        return f"{nobody_sings(name)} Search by overall sound."
    return f"{name} has not been heard for the view {view} yet. Index its folder, then try again."
