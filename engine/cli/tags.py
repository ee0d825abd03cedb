"""What is heard in a song, in words: tags."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, LibraryOption, open_library, stoppable, write_json
from engine.cli.similar import meant
from engine.errors import SilentError

if TYPE_CHECKING:
    from engine.records import HeardTag

AllOption = Annotated[bool, typer.Option("--all", help="Unlikely tags too.")]


def tags(
    song: Annotated[
        str, typer.Argument(help="A file, a track id, or words from artist and title.")
    ],
    library: LibraryOption = None,
    show_all: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is heard in a song: genre, mood, instruments, era. Files' own tags play no part.

    A song of the library was heard when it was indexed; a file is heard now.
    """
    from engine.library.heard_tags import tags_of

    if os.path.isfile(song):  # noqa: PTH113, words may be too long for a path
        heard = _heard_in(Path(song), show_all)
    else:
        with open_library(library) as opened:
            track = meant(opened, song)
            kept = tags_of(opened.database, [track.id]).get(track.id, ())
        heard = kept if kept and not show_all else _heard_in(track.path, show_all)
    if as_json:
        write_json([asdict(tag) for tag in heard])
    elif not heard:
        typer.echo("Nothing stands out.")
    else:
        for tag in sorted(heard, key=lambda tag: -tag.strength):
            typer.echo(f"{tag.strength:4.0%}  {tag.name}  ({tag.kind})")


def _heard_in(path: Path, show_all: bool) -> tuple[HeardTag, ...]:
    from engine import models
    from engine.listening.embedding import embed_song

    with stoppable() as cancel:
        try:
            heard = embed_song(path, {"overall": models.load("musicnn")}, cancel=cancel)
        except SilentError:
            return ()
    found = heard["overall"]
    tags = (found.tags if found else None) or ()
    return tuple(tag for tag in tags if show_all or tag.is_kept)
