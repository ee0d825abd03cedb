"""The command journey: a playlist from one voice to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import (
    CatalogueOption,
    JsonOption,
    LibraryOption,
    ModelOption,
    View,
    note,
    open_source,
    some,
    stoppable,
    write_json,
)
from engine.cli.similar import meant, name_of


def journey(
    start: Annotated[str, typer.Argument(help="A file of the library, a track id, or words.")],
    goal: Annotated[str, typer.Argument(help="Likewise.")],
    library: LibraryOption = None,
    by: Annotated[View, typer.Option(help="Steps between voices, or the whole sound.")] = (
        View.VOCALS
    ),
    songs: Annotated[int, typer.Option(min=2, help="At most so many, both ends included.")] = 12,
    other_artists: Annotated[
        bool, typer.Option("--other-artists", help="No artist twice in a row.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write a playlist: .m3u8, .csv or .json.")
    ] = None,
    model: ModelOption = None,
    catalogue: CatalogueOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the way from one song to another in steps as small as possible."""
    from engine.search import Searcher
    from engine.search.export import as_dict, export
    from engine.search.journey import journey as find_journey

    with open_source(library, catalogue) as source, stoppable() as cancel:
        found = find_journey(
            Searcher(source),
            meant(source, start).id,
            meant(source, goal).id,
            by.value,
            max_songs=songs,
            other_artists=other_artists,
            model=model,
            cancel=cancel,
        )
        if out is not None:
            export(found.tracks, out, has_relative_paths=True)
            note(f"{some(len(found.tracks))} written to {out}.")
    if as_json:
        steps = ((None, None), *zip(found.similarities, found.percents, strict=True))
        write_json(
            [
                {
                    **as_dict(track),
                    "similarity": None if step is None else round(step, 6),
                    "percent": percent,
                }
                for track, (step, percent) in zip(found.tracks, steps, strict=True)
            ]
        )
    elif out is None:
        for number, (track, step) in enumerate(
            zip(found.tracks, (None, *found.percents), strict=True), start=1
        ):
            told = "" if step is None else f"{step} %"
            typer.echo(f"{number:>3}  {told:>5}  {name_of(track)}")
