"""The command that takes a folder out of the library: forget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import LibraryOption, note, open_library, printable, some


def forget(
    folder: Annotated[Path, typer.Argument(help="A folder of the library.", readable=False)],
    library: LibraryOption = None,
) -> None:
    """Take a folder out of the library. Its files are not touched."""
    with open_library(library) as opened:
        num_tracks = opened.forget_folder(folder)
    place = printable(str(folder))
    note(f"Forgotten: {some(num_tracks)} of {place}. The files are where they were.")
