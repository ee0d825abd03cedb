"""What a search is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import QueryError
from engine.library import Track, TrackStatus
from engine.library.scope import EVERYTHING, Scope
from engine.preferences import Voices
from engine.records import View, VoicePortrait
from engine.search.moments import Moment

By = Literal["vocals", "overall", "blend"]
VIEWS_OF: dict[By, tuple[View, ...]] = {
    "vocals": ("vocals",),
    "overall": ("overall",),
    "blend": ("vocals", "overall"),
}


@dataclass(frozen=True)
class SearchOptions:
    """How to search.

    Attributes:
        by: one view, or both (``blend``).
        blend: weight of the vocals in a blend, 0 to 1.
        k: how many neighbours to return at most.
        other_artists, other_albums: leave out songs of the query's artist, or of its album.
        hide_duplicates: of one song in several files (the query's among them) show the best.
        model: name or checkpoint folder; None: the default of each view, where the library has it.
        one_per_artist: of each artist's songs, show only the nearest.
        scope: the part of the library to search in.
        as_artists: other artists in place of songs, each with their nearest songs (see
            ``Neighbour.more``); ``k`` counts artists.
    """

    by: By = "vocals"
    blend: float = 0.5
    k: int = 10
    other_artists: bool = False
    other_albums: bool = False
    hide_duplicates: bool = False
    model: str | None = None
    one_per_artist: bool = False
    scope: Scope = EVERYTHING
    as_artists: bool = False

    def __post_init__(self) -> None:
        if self.by not in VIEWS_OF:
            raise QueryError(f"Search by vocals, overall or blend, not by {self.by!r}.")
        if not 0 <= self.blend <= 1:
            raise QueryError(f"The blend is {self.blend:g}. Give a weight from 0 to 1.")
        if self.k < 1:
            raise QueryError(f"{self.k} neighbours were asked for. Ask for at least 1.")


@dataclass(frozen=True)
class Query:
    """What was searched for: tracks of the library, a part of one, any file, or an artist.

    For an artist, or several ``tracks``, ``track`` is the song that is most like all the others.
    ``heard``: the strongest tags of what is heard in a file.
    """

    track: Track | None
    path: Path
    start_s: float = 0.0
    end_s: float | None = None
    artist: str | None = None
    tracks: tuple[Track, ...] = ()
    portrait: VoicePortrait | None = None
    heard: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilePart:
    """What to listen to in a file: from ``start_s`` to ``end_s`` (None: to its end).

    ``is_vocals``: it holds a voice alone; nothing is separated. ``voices``: ``fast`` hears its
    voice through the whole song.
    """

    path: Path
    start_s: float = 0.0
    end_s: float | None = None
    is_vocals: bool = False
    voices: Voices = "fine"


@dataclass(frozen=True)
class Neighbour:
    """One result.

    Attributes:
        rank: begins at 1.
        similarity: a cosine, less what the whole library shares (a weighted mean for blends).
        percent: for people, 0 to 100: the chance that it is the same voice, if that was as likely
            as not beforehand; of a model that is not calibrated, the similarity itself.
        is_from_mixture: its voice was heard through the whole song, not separated.
        portrait: of its voice, where it was measured.
        parts: of a blend, the percentage in each view alone, where the song was heard for it.
        more: where artists were asked for, the next songs of this one, nearest first, with the
            same rank; else None.
    """

    rank: int
    track: Track
    similarity: float
    percent: int
    moments: tuple[Moment, ...]
    is_from_mixture: bool = False
    portrait: VoicePortrait | None = None
    parts: tuple[tuple[View, int], ...] = ()
    more: tuple[Neighbour, ...] | None = None


@dataclass(frozen=True)
class SearchResult:
    """What was found.

    Attributes:
        by: as asked, or ``overall`` where a blend was asked of a query without vocals.
        models: the model that was used, by view.
        is_calibrated: whether percentages are chances (see ``Neighbour``).
        note: a sentence on what was not as asked, or None.
    """

    query: Query
    by: By
    models: dict[View, str]
    is_calibrated: bool
    neighbours: tuple[Neighbour, ...]
    note: str | None


class NoEmbeddingError(QueryError):
    """The query has no embedding in a view; in a blend, the other view can serve."""


def nobody_sings(name: str) -> str:
    return f"Nobody sings in {name}, as far as can be heard."


def why_no_embedding(tracks: Sequence[Track], view: View) -> str:
    """Why none of these tracks can be asked with."""
    if (num := len(tracks)) > 1:
        if view == "vocals" and all(track.has_vocals is False for track in tracks):
            return f"Nobody sings in any of the {num} songs. Search by overall sound."
        return f"None of the {num} songs can be compared, and not all have been heard. Index them."
    (track,) = tracks
    name = track.title or track.path.name
    if track.status is TrackStatus.FAILED:
        return f"{name} could not be indexed: {track.error}"
    if view == "vocals" and track.has_vocals is False:
        return f"{nobody_sings(name)} Search by overall sound."
    return f"{name} has not been heard for the view {view} yet. Index its folder, then try again."
