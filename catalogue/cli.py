"""``singalike-catalogue``: many recordings, many machines."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import run_app
from engine.cli.common import (
    JsonOption,
    LibraryOption,
    ModelOption,
    clock,
    new_commands,
    note,
    open_library,
    printable,
    stoppable,
    write_json,
)
from engine.cli.progress import shown_progress
from engine.errors import CatalogueError

if TYPE_CHECKING:
    from engine.search.remote.table import SongTable

app = new_commands()


class ViewChoice(StrEnum):
    """As ``engine.records.View``: typer takes no list of literals."""

    VOCALS = "vocals"
    OVERALL = "overall"


Table = Annotated[str, typer.Argument(metavar="TABLE", help="A catalogue: folder or address.")]


def main() -> None:
    """Entry point of ``singalike-catalogue``."""
    run_app(lambda: app)


@app.callback()
def catalogue() -> None:
    """Listen to an archive on many processes or machines, and make it searchable."""
    for name in ("fsspec", "lancedb", "pyarrow", "ray"):
        if find_spec(name) is None:
            raise CatalogueError(
                f"This needs the package {name}: pip install 'singalike[catalogue]'."
            )


def _opened(place: str) -> SongTable:
    from catalogue.storage import absolute
    from engine.search.remote.table import SongTable

    return SongTable.open(absolute(place))


@app.command()
def run(
    manifest: Annotated[
        str, typer.Argument(help="CSV, TSV or Parquet with a column `path`; any address.")
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="TABLE", help="The catalogue: a folder or an address.")
    ],
    workers: Annotated[
        int, typer.Option(min=0, help="Processes. Default: one per core of machine or cluster.")
    ] = 0,
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster. Default: this machine alone.")
    ] = None,
    view: Annotated[
        list[ViewChoice] | None, typer.Option(help="May be given several times. Default: both.")
    ] = None,
    model: ModelOption = None,
    separator: Annotated[str, typer.Option(help="Cuts out the vocals.")] = "spleeter",
    is_retry: Annotated[bool, typer.Option("--retry", help="Listen again to what failed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Listen to everything that a manifest lists, and append what is heard to a catalogue.

    Can be stopped at any time; the same command goes on where it stopped. Then call `index`.
    """
    from engine.models import VIEWS

    views = tuple(one for one in VIEWS if not view or one in view)
    chosen = dict.fromkeys(views, model) if model else {}
    with stoppable() as cancel, shown_progress() as progress:
        from catalogue.run import RunOptions, run_catalogue

        options = RunOptions(chosen, separator, views, workers, address, is_retry)
        summary = run_catalogue(manifest, to, options, progress, cancel)
    if as_json:
        write_json(asdict(summary))
    speed = summary.audio_seconds / summary.seconds if summary.seconds else 0
    note(
        f"{summary.rows} rows: {summary.heard} heard now ({clock(summary.audio_seconds)} of audio, "
        f"{speed:.0f} × real time), {summary.done_before} done before, {summary.copies} copies, "
        f"{summary.no_vocals} without vocals, {summary.failed} failed."
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

        problems = problems_of(_opened(table), progress, cancel)
    for problem in problems:
        typer.echo(printable(problem))
    if problems:
        raise typer.Exit(1)
    typer.echo("The catalogue is sound.")


@app.command()
def failed(table: Table, as_json: JsonOption = False) -> None:
    """List the recordings that could not be heard, and why."""
    batches = _opened(table).skipped_batches()
    rows = [row for batch in batches for row in batch.to_pylist() if row["is_failed"]]
    if as_json:
        write_json(rows)
        return
    for row in rows:
        typer.echo(f"{printable(row['path'])}\n    {printable(row['reason'])}")
    if not rows:
        typer.echo("No file failed.")


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
    with (
        open_library(library) as opened,
        stoppable() as cancel,
        shown_progress() as progress,
    ):
        from catalogue.libraries import from_library as put
        from catalogue.storage import absolute

        summary = put(opened, absolute(table), progress, cancel)
    if as_json:
        write_json(asdict(summary))
    note(
        f"{summary.songs} songs are new in the catalogue, {summary.copies} are copies of songs in "
        f"it, {summary.waiting} were not heard in every way yet."
    )
