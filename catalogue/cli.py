"""``singalike-catalogue``: many recordings, many machines."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import run_app
from engine.cli.common import (
    JsonOption,
    LibraryOption,
    ModelOption,
    View,
    clock,
    new_commands,
    note,
    open_library,
    printable,
    stoppable,
    write_json,
    write_list,
)
from engine.cli.progress import shown_progress
from engine.errors import CatalogueError

if TYPE_CHECKING:
    from engine.search.remote.table import SongTable

app = new_commands()


Table = Annotated[str, typer.Argument(metavar="TABLE", help="A catalogue: folder or address.")]


def main() -> None:
    """Entry point of ``singalike-catalogue``."""
    run_app(lambda: app)


@app.callback()
def catalogue() -> None:
    """Listen to an archive on many processes or machines, and make it searchable."""
    if find_spec("ray") is None:
        raise CatalogueError("This needs more packages: pip install 'singalike[catalogue]'.")


def _opened(place: str) -> SongTable:
    from engine.search.remote.table import SongTable

    return SongTable.open(place)


@app.command()
def run(
    manifest: Annotated[
        str, typer.Argument(help="CSV, TSV or Parquet with a column `path`; any address.")
    ],
    to: Annotated[str, typer.Option("--to", metavar="TABLE", help="A folder or an address.")],
    workers: Annotated[
        int, typer.Option(min=0, help="Processes of this machine. Default: one per core.")
    ] = 0,
    view: Annotated[View | None, typer.Option(help="Hear this one alone. Default: both.")] = None,
    model: ModelOption = None,
    separator: Annotated[str, typer.Option(help="Cuts out the vocals.")] = "spleeter",
    is_retry: Annotated[bool, typer.Option("--retry", help="Listen again to what failed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Listen to everything that a manifest lists, and append what is heard to a catalogue.

    On all machines of a Ray cluster, where this one is part of it. Can be stopped at any time; the
    same command goes on where it stopped. Then call `index`.
    """
    with stoppable() as cancel, shown_progress() as progress:
        from catalogue.run import run_catalogue
        from catalogue.workers import Ears
        from engine.models import VIEWS

        ears = Ears(VIEWS if view is None else (view,), model, separator)
        summary = run_catalogue(manifest, to, ears, progress, cancel, workers, is_retry)
    if as_json:
        write_json(asdict(summary))
    note(
        f"{summary.rows} rows: {summary.heard} heard now, {clock(summary.audio_seconds)} long, "
        f"{summary.done_before} done before, {summary.copies} copies, {summary.failed} failed."
    )
    if summary.failed:
        note(f"`singalike-catalogue failed {to}` tells why; --retry listens to them again.")
        raise typer.Exit(3)


@app.command()
def index(table: Table) -> None:
    """Build or extend the indexes of a catalogue: what is asked of it is found quickly then."""
    with stoppable() as cancel, shown_progress() as progress:
        from catalogue.upkeep import index as build

        build(_opened(table), progress, cancel)


@app.command()
def status(table: Table, as_json: JsonOption = False) -> None:
    """Say what is in a catalogue."""
    from catalogue.upkeep import status as status_of

    told = status_of(_opened(table))
    if as_json:
        write_json(told)
        return
    typer.echo(f"{told['songs']} songs ({told['num_bytes'] / 1e6:.0f} MB), by {told['models']}")
    typer.echo(f"in {told['voices']} of them somebody sings")
    typer.echo(f"{told['copies']} copies and {told['failed']} failures are not among them")
    typer.echo(f"{told['to_index']} are compared one by one, since no vector index holds them")


@app.command()
def verify(table: Table) -> None:
    """Read all of a catalogue, and say what is not as it should be."""
    with stoppable() as cancel, shown_progress() as progress:
        from catalogue.upkeep import verify as problems_of

        is_sound = True
        for problem in problems_of(_opened(table), progress, cancel):
            is_sound = False
            typer.echo(printable(problem))
    if not is_sound:
        raise typer.Exit(1)
    typer.echo("The catalogue is sound.")


@app.command()
def failed(table: Table, as_json: JsonOption = False) -> None:
    """List the recordings that could not be heard, and why."""
    rows = [row for row in _opened(table).skipped_rows().to_pylist() if row["is_failed"]]
    lines = (f"{printable(row['path'])}\n    {printable(row['reason'])}" for row in rows)
    write_list(rows, lines, as_json, "No file failed.")


@app.command()
def to_library(table: Table, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Take all songs of a catalogue into a library.

    Recordings that are not on this machine keep their address; a rescan leaves them alone.
    """
    with (
        open_library(library, create=True) as opened,
        stoppable() as cancel,
        shown_progress() as progress,
    ):
        from catalogue.libraries import to_library as take

        counts = take(_opened(table), opened, progress, cancel)
    if as_json:
        write_json(dict(counts))
    note(
        f"{counts['new']} songs are new, {counts['updated']} were updated, {counts['known']} were "
        f"known, {counts['outdated']} are older than the files that the library knows."
    )


@app.command()
def from_library(table: Table, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Put all songs that a library has heard into a catalogue."""
    with open_library(library) as opened, stoppable() as cancel, shown_progress() as progress:
        from catalogue.libraries import from_library as put

        counts = put(opened, table, progress, cancel)
    if as_json:
        write_json(dict(counts))
    note(
        f"{counts['new']} songs are new in the catalogue, {counts['known']} were in it by their "
        f"sound, {counts['waiting']} were not heard in every way yet."
    )
