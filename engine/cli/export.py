"""The command that writes playlists and tables: export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import CatalogueOption, LibraryOption, note, open_source, some
from engine.cli.similar import ArtistOption, answer, question_meant, takes_search_options
from engine.errors import QueryError

if TYPE_CHECKING:
    from engine.library import Library, Track
    from engine.library.scope import Scope
    from engine.search import Neighbour, SearchOptions


@takes_search_options(k=25)
def export(
    options: SearchOptions,
    target: Annotated[Path, typer.Argument(help="A file ending in .m3u8, .json or .csv.")],
    song: Annotated[
        str | None, typer.Argument(help="Export its neighbours. Default: the whole library.")
    ] = None,
    library: LibraryOption = None,
    artist: ArtistOption = None,
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Full paths in a playlist, not relative ones.")
    ] = False,
    catalogue: CatalogueOption = None,
) -> None:
    """Write a playlist (M3U8), JSON or CSV: the neighbours of a song, or the whole library.

    Genres, years, folders, length and what is heard narrow down both.
    """
    from engine.search.export import export as write
    from engine.search.library_source import LibrarySource

    found: Sequence[Track | Neighbour]
    with open_source(library, catalogue) as source:
        if artist is not None or song is not None:
            songs = [] if song is None else [song]
            question = question_meant(source, songs, artist, None, options)
            found = answer(source, question).neighbours
        elif isinstance(source, LibrarySource):
            found = _indexed(source.library, options.scope)
        else:
            raise QueryError("Name a song or an artist: a catalogue is too long for a playlist.")
        write(found, target, has_relative_paths=not absolute)
    note(f"{some(len(found))} written to {target}.")


def _indexed(library: Library, scope: Scope) -> list[Track]:
    """All songs of a part of the library that have been listened to, in its usual order."""
    from engine.library import TrackStatus
    from engine.library.scope import ids_within

    ids = library.track_ids(status=TrackStatus.INDEXED)
    if scope.num_conditions:
        within = set(ids_within(library.database, scope).tolist())
        ids = [track_id for track_id in ids if track_id in within]
    return library.tracks(ids)
