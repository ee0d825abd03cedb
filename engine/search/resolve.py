"""What a person means: which track or artist; and which embedding space serves a search."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine import models
from engine.errors import AmbiguousQueryError, QueryError
from engine.library import Library
from engine.library.indexes import count_embeddings, has_embeddings
from engine.library.scope import artist_key
from engine.records import LISTENING_VERSION, SpaceKey, View

if TYPE_CHECKING:
    from engine.search.source import Source

_MAX_NAMED = 12
NEARLY_ALL = 0.9
_NUM_ID_DIGITS, _MAX_ID = 19, 2**63 - 1  # SQLite's largest integer; ids of catalogues come near it


def choose_space(library: Library, view: View, model: str | None) -> tuple[int, SpaceKey]:
    """The space to search in: of the model asked for, else the default's, else the fullest.

    Another space than the default's serves until nearly all of its songs are heard by the default.
    Raises QueryError where nothing has been indexed that would serve.
    """
    spaces = [
        (i, key)
        for i, key in library.spaces()
        if key.view == view and has_embeddings(library.database, i)
    ]
    names = {key.model for _, key in spaces}
    wanted = model if model is None or model in names else Path(model).name
    fitting = [(i, key) for i, key in spaces if wanted is None or key.model == wanted]
    if not fitting:
        by_model = f" by the model {wanted}" if wanted else ""
        raise QueryError(
            f"No song has been heard for the view {view}{by_model} yet. Index your folders first"
            + (f" (models that have heard songs: {', '.join(sorted(names))})." if names else ".")
        )
    if len(fitting) == 1:  # as nearly always: counting 100,000 would take longer than the search
        return fitting[0]
    sizes = {i: count_embeddings(library.database, i) for i, _ in fitting}
    fullest = max(fitting, key=lambda space: (sizes[space[0]], space[0]))
    default = (wanted or models.default_model_name(view), LISTENING_VERSION)
    newest = [(i, key) for i, key in fitting if (key.model, key.listening) == default]
    best = max(newest, key=lambda space: (sizes[space[0]], space[0]), default=fullest)
    return best if sizes[best[0]] >= NEARLY_ALL * sizes[fullest[0]] else fullest


def resolve(songs: Library | Source, song: str) -> int:
    """The id of the track that a person means by a path, an id, or words from artist and title.

    Raises AmbiguousQueryError with the candidates where several fit equally well, QueryError where
    none does.
    """
    if song and "\0" not in song and (track := songs.track_by_path(Path(song))) is not None:
        return track.id
    if os.path.isfile(song):  # noqa: PTH113, words may be too long for a path
        raise QueryError(f"The file {song} is not in the library. Index its folder first.")
    if song.isdecimal() and len(song) <= _NUM_ID_DIGITS:
        number = int(song)
        if number <= _MAX_ID and songs.tracks([number]):
            return number
    found = songs.find(song)
    if not found:
        raise QueryError(
            f"No song matches “{song}”. Give a path, a track id, or words from artist and title."
        )
    if len(found) > 1:
        raise AmbiguousQueryError(
            f"{len(found)} songs match “{song}”. Give more words, a path or a track id.", found
        )
    return found[0]


def resolve_artist(source: Source, words: str) -> str:
    """The artist's name that a person means by it, or by words from it.

    Raises QueryError, with the names where several fit.
    """
    if source.tracks_of_artist(words):
        return words
    names = source.artists_like(words)
    if not names:
        raise QueryError(f"No artist matches “{words}”. Look at how the name is spelt.")
    if len({artist_key(name) for name in names}) > 1:
        listed = ", ".join(names[:_MAX_NAMED]) + (", …" if len(names) > _MAX_NAMED else "")
        raise QueryError(f"{len(names)} artists match “{words}”: {listed}. Give the whole name.")
    return names[0]
