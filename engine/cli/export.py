"""The command that writes playlists and tables: export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import (
    By,
    CatalogueOption,
    LibraryOption,
    ModelOption,
    note,
    open_source,
    some,
)
from engine.cli.similar import (
    ArtistOption,
    BlendOption,
    ByOption,
    FolderOption,
    GenreOption,
    LengthOption,
    NoDuplicatesOption,
    NotesOption,
    NumOption,
    OneEachOption,
    OtherAlbumsOption,
    OtherArtistsOption,
    SoundsLikeOption,
    YearsOption,
    parse_scope,
    search,
    search_artist,
)
from engine.errors import QueryError

if TYPE_CHECKING:
    from engine.library import Library, Track
    from engine.library.scope import Scope
    from engine.search import Neighbour


def export(
    target: Annotated[Path, typer.Argument(help="A file ending in .m3u8, .json or .csv.")],
    song: Annotated[
        str | None, typer.Argument(help="Export its neighbours. Default: the whole library.")
    ] = None,
    library: LibraryOption = None,
    by: ByOption = By.VOCALS,
    blend: BlendOption = 0.5,
    k: NumOption = 25,
    other_artists: OtherArtistsOption = False,
    other_albums: OtherAlbumsOption = False,
    no_duplicates: NoDuplicatesOption = False,
    one_each: OneEachOption = False,
    artist: ArtistOption = None,
    genre: GenreOption = None,
    years: YearsOption = None,
    folder: FolderOption = None,
    length: LengthOption = None,
    notes: NotesOption = None,
    sounds_like: SoundsLikeOption = None,
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Full paths in a playlist, not relative ones.")
    ] = False,
    model: ModelOption = None,
    catalogue: CatalogueOption = None,
) -> None:
    """Write a playlist (M3U8), JSON or CSV: the neighbours of a song, or the whole library.

    Genres, years, folders, length and what is heard narrow down both.
    """
    from engine.search import SearchOptions
    from engine.search.export import export as write
    from engine.search.library_source import LibrarySource

    scope = parse_scope(genre, years, folder, length, notes, sounds_like)
    options = SearchOptions(
        by.value, blend, k, other_artists, other_albums, no_duplicates, model, one_each, scope
    )
    found: Sequence[Track | Neighbour]
    with open_source(library, catalogue) as source:
        if artist is not None:
            found = search_artist(source, artist, song, None, options).neighbours
        elif song is not None:
            found = search(source, song, options).neighbours
        elif isinstance(source, LibrarySource):
            found = _indexed(source.library, scope)
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
