"""The commands journey, a playlist from one voice to another, and radio, one around a voice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.common import (
    CatalogueOption,
    JsonOption,
    LibraryOption,
    ModelOption,
    View,
    note,
    open_library,
    open_source,
    some,
    stoppable,
    write_list,
)
from engine.cli.similar import ByOption, meant, name_of

if TYPE_CHECKING:
    from engine.library import Track
    from engine.search import Neighbour

OutOption = Annotated[
    Path | None, typer.Option("-o", "--out", help="Write a playlist: .m3u8, .csv or .json.")
]


def journey(
    start: Annotated[str, typer.Argument(help="A file of the library, a track id, or words.")],
    goal: Annotated[str, typer.Argument(help="Likewise.")],
    library: LibraryOption = None,
    by: Annotated[View, typer.Option(help="Steps between voices, or the whole sound.")] = "vocals",
    songs: Annotated[int, typer.Option(min=2, help="At most so many, both ends included.")] = 12,
    other_artists: Annotated[
        bool, typer.Option("--other-artists", help="No artist twice in a row.")
    ] = False,
    out: OutOption = None,
    model: ModelOption = None,
    catalogue: CatalogueOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the way from one song to another in steps as small as possible."""
    from engine.search import Searcher
    from engine.search.export import as_dict
    from engine.search.journey import journey as find_journey

    with open_source(library, catalogue) as source, stoppable() as cancel:
        found = find_journey(
            Searcher(source),
            meant(source, start).id,
            meant(source, goal).id,
            by,
            max_songs=songs,
            other_artists=other_artists,
            model=model,
            cancel=cancel,
        )
        _write(found.tracks, out)
    if out is not None and not as_json:
        return
    steps = ((None, None), *zip(found.similarities, found.percents, strict=True))
    rows, lines = list[dict[str, Any]](), list[str]()
    for number, (track, (step, percent)) in enumerate(
        zip(found.tracks, steps, strict=True), start=1
    ):
        similarity = None if step is None else round(step, 6)
        rows.append({**as_dict(track), "similarity": similarity, "percent": percent})
        told = "" if percent is None else f"{percent} %"
        lines.append(f"{number:>3}  {told:>5}  {name_of(track)}")
    write_list(rows, lines, as_json)


def radio(
    song: Annotated[str, typer.Argument(help="A file of the library, a track id, or words.")],
    library: LibraryOption = None,
    by: ByOption = "vocals",
    songs: Annotated[int, typer.Option(min=1, max=1000, help="So many songs.")] = 25,
    out: OutOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play on from a voice: near ones, each artist once in a while, never the same way twice."""
    from engine.search import Searcher
    from engine.search.export import as_dict
    from engine.search.radio import radio as find_radio

    with open_library(library) as opened:
        seed = meant(opened, song)
        found = find_radio(Searcher(opened), seed.id, by=by, num=songs, model=model)
        _write(found, out)
    if out is None or as_json:
        write_list(
            [as_dict(neighbour) for neighbour in found],
            (f"{one.rank:>3}  {one.percent:>4} %  {name_of(one.track)}" for one in found),
            as_json,
        )


def _write(found: Sequence[Track | Neighbour], out: Path | None) -> None:
    from engine.search.export import export

    if out is not None:
        export(found, out, has_relative_paths=True)
        note(f"{some(len(found))} written to {out}.")
