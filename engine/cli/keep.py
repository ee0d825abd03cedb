"""Commands that change what is kept, or take it away: forget, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.find import (
    BlendOption,
    ByOption,
    NoDuplicatesOption,
    NumOption,
    OtherAlbumsOption,
    OtherArtistsOption,
    search,
)
from engine.cli.shared import By, LibraryOption, ModelOption, note, open_library


def forget(
    folder: Annotated[Path, typer.Argument(help="A folder of the library.", readable=False)],
    library: LibraryOption = None,
) -> None:
    """Take a folder out of the library. Its files are not touched."""
    with open_library(library) as opened:
        num_tracks = opened.forget_folder(folder)
    note(f"{num_tracks} songs of {folder} are forgotten. Their files are where they were.")


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
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Full paths in a playlist, not relative ones.")
    ] = False,
    model: ModelOption = None,
) -> None:
    """Write a playlist (M3U8), JSON or CSV: the neighbours of a song, or the whole library."""
    from engine.export import export as write
    from engine.library import TrackStatus
    from engine.search import SearchOptions

    with open_library(library) as opened:
        if song is None:
            tracks = opened.tracks(opened.track_ids(status=TrackStatus.INDEXED))
            write(tracks, target, has_relative_paths=not absolute)
            note(f"{len(tracks)} songs written to {target}.")
            return
        options = SearchOptions(
            by.value, blend, k, other_artists, other_albums, no_duplicates, model
        )
        result = search(opened, song, options)
        write(result.neighbours, target, has_relative_paths=not absolute)
        note(f"{len(result.neighbours)} songs written to {target}.")
