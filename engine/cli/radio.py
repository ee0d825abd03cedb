"""The command radio: songs with voices near to one, another row each time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import (
    By,
    JsonOption,
    LibraryOption,
    ModelOption,
    note,
    open_library,
    some,
    write_json,
)
from engine.cli.similar import ByOption, meant, name_of


def radio(
    song: Annotated[str, typer.Argument(help="A file of the library, a track id, or words.")],
    library: LibraryOption = None,
    by: ByOption = By.VOCALS,
    songs: Annotated[int, typer.Option(min=1, help="So many songs.")] = 25,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write a playlist: .m3u8, .csv or .json.")
    ] = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play on from a voice: near ones, each artist once in a while, never the same way twice."""
    from engine.search import Searcher
    from engine.search.export import as_dict, export
    from engine.search.radio import radio as find_radio

    with open_library(library) as opened:
        seed = meant(opened, song)
        found = find_radio(Searcher(opened), seed.id, by=by.value, num=songs, model=model)
        if out is not None:
            export(found, out, has_relative_paths=True)
            note(f"{some(len(found))} written to {out}.")
    if as_json:
        write_json([as_dict(neighbour) for neighbour in found])
    elif out is None:
        for neighbour in found:
            typer.echo(f"{neighbour.rank:>3}  {neighbour.percent:>4} %  {name_of(neighbour.track)}")
