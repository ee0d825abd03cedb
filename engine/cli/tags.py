"""What is heard in a song, in words: tags."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import JsonOption, LibraryOption, open_library, stoppable, write_json
from engine.cli.similar import meant

AllOption = Annotated[bool, typer.Option("--all", help="Unlikely tags too.")]


def tags(
    song: Annotated[
        str, typer.Argument(help="A file, a track id, or words from artist and title.")
    ],
    library: LibraryOption = None,
    show_all: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is heard in a song: genre, mood, instruments, era. Files' own tags play no part."""
    from engine.listening.heard_tags import hear_tags
    from engine.models import band

    if os.path.isfile(song):  # noqa: PTH113, words may be too long for a path
        path = Path(song)
    else:
        with open_library(library) as opened:
            path = meant(opened, song).path
    with stoppable() as cancel:
        heard = [tag for tag in hear_tags(path, band.load(), cancel) if show_all or tag.is_shown]
    if as_json:
        write_json([asdict(tag) for tag in heard])
    elif not heard:
        typer.echo("Nothing stands out.")
    else:
        for tag in sorted(heard, key=lambda tag: -tag.strength):
            typer.echo(f"{tag.strength:4.0%}  {tag.name}  ({tag.kind})")
