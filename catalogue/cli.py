"""``singalike-catalogue``: many recordings, many machines."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from catalogue.errors import extra_packages
from engine.cli import run_app
from engine.cli.common import (
    JsonOption,
    ModelOption,
    View,
    clock,
    new_commands,
    note,
    printable,
    stoppable,
    write_json,
)
from engine.cli.progress import shown_progress

app = new_commands()

Shards = Annotated[list[str], typer.Argument(help="Folders of shards, shard files, or addresses.")]


def main() -> None:
    """Entry point of ``singalike-catalogue``."""
    run_app(lambda: app)


@app.callback()
def catalogue() -> None:
    """Listen to an archive on many processes or machines, and make it searchable."""


@app.command()
def run(
    manifest: Annotated[
        str, typer.Argument(help="CSV, JSON lines or Parquet with a column `path`; any address.")
    ],
    out: Annotated[str, typer.Option("-o", "--out", help="Folder or address for the shards.")],
    workers: Annotated[
        int, typer.Option(min=0, help="Processes. Default: one per core of machine or cluster.")
    ] = 0,
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster. Default: this machine alone.")
    ] = None,
    view: Annotated[
        list[View] | None, typer.Option(help="May be given several times. Default: both.")
    ] = None,
    model: ModelOption = None,
    separator: Annotated[str, typer.Option(help="Cuts out the vocals.")] = "spleeter",
    shard_rows: Annotated[
        int, typer.Option(min=0, help="Rows per shard. Default: at most 256.")
    ] = 0,
    is_retry: Annotated[bool, typer.Option("--retry", help="Listen again to failed rows.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Listen to everything that a manifest lists, and write what is heard as Parquet shards.

    Can be stopped at any time; the same command goes on where it stopped.
    """
    with extra_packages():
        from catalogue.run import RunOptions, run_catalogue
    from engine.models import VIEWS

    views = tuple(one for one in VIEWS if not view or View(one) in view)
    options = RunOptions(
        dict.fromkeys(views, model) if model else {},
        separator,
        views,
        workers,
        address,
        shard_rows,
        is_retry,
    )
    with stoppable() as cancel, shown_progress() as progress:
        summary = run_catalogue(manifest, out, options, progress, cancel)
    if as_json:
        write_json(asdict(summary))
    speed = summary.audio_seconds / summary.seconds if summary.seconds else 0
    note(
        f"{summary.rows} rows: {summary.heard} heard now ({clock(summary.audio_seconds)} of audio, "
        f"{speed:.0f} × real time), {summary.done_before} done before, {summary.no_vocals} without "
        f"vocals, {summary.failed} failed."
    )
    if summary.workers_lost:
        note(f"{summary.workers_lost} workers died and were replaced.")
    if summary.failed:
        note(f"`singalike-catalogue failed {out}` tells why; --retry listens to them again.")
        raise typer.Exit(3)


class Quantise(StrEnum):
    """How Qdrant keeps the vectors that it searches in memory; whole ones lie on its disk."""

    NONE = "none"
    INT8 = "int8"
    BINARY = "binary"


@app.command()
def to_qdrant(
    shards: Shards,
    qdrant: Annotated[
        str, typer.Option(metavar="ADDRESS", help="http(s)://host:port, or a local folder.")
    ],
    quantise: Annotated[
        Quantise, typer.Option(help="Of the vectors that Qdrant keeps in memory.")
    ] = Quantise.INT8,
    as_json: JsonOption = False,
) -> None:
    """Bring shards into Qdrant, for `singalike similar SONG --qdrant ADDRESS`.

    A server's key is read from $QDRANT_API_KEY.
    """
    with extra_packages():
        from catalogue.to_qdrant import upload_shards
    from engine.search.remote.store import opened_qdrant

    with (
        stoppable() as cancel,
        shown_progress() as progress,
        opened_qdrant(qdrant, create=True) as client,
    ):
        summary = upload_shards(client, shards, quantise.value, progress, cancel)
    if as_json:
        write_json(asdict(summary))
    for name, num in summary.points.items():
        note(f"{num} recordings are in the collection {name}.")


@app.command()
def failed(shards: Shards, as_json: JsonOption = False) -> None:
    """List the recordings that could not be heard, and why."""
    with extra_packages():
        from catalogue.shards import read_shard, shard_places

    rows = list[dict[str, object]]()
    for place in shard_places(shards):
        table = read_shard(place, ["row", "path", "id", "error"]).table
        rows += [row for row in table.to_pylist() if row["error"] is not None]
    if as_json:
        write_json(rows)
        return
    for row in rows:
        typer.echo(f"{printable(str(row['path']))}\n    {printable(str(row['error']))}")
    if not rows:
        typer.echo("No file failed.")
