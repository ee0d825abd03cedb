"""``singalike import-embeddings``: what a catalogue run heard becomes part of a library."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from catalogue.errors import extra_packages
from engine.cli.common import (
    JsonOption,
    LibraryOption,
    new_commands,
    note,
    open_library,
    stoppable,
    write_json,
)
from engine.cli.progress import shown_progress

app = new_commands()

Shards = Annotated[list[str], typer.Argument(help="Folders of shards, shard files, or addresses.")]


@app.command()
def import_embeddings(
    shards: Shards, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """Bring shards of singalike-catalogue into a library, so that it can be searched.

    Recordings that are not on this machine keep their address; a rescan leaves them alone.
    """
    with extra_packages():
        from catalogue.importing import import_shards

    with (
        open_library(library, create=True) as opened,
        stoppable() as cancel,
        shown_progress() as progress,
    ):
        summary = import_shards(opened, shards, progress, cancel)
    counts = summary.counts
    if as_json:
        times = {"seconds": summary.seconds, "index_seconds": summary.index_seconds}
        write_json({**asdict(counts), "shards": summary.num_shards, **times})
    for sentence in summary.notes:
        note(sentence)
    note(
        f"{summary.num_shards} shards: {counts.new} songs are new, {counts.updated} were updated, "
        f"{counts.known} were known, {counts.outdated} are older than the files that the library "
        f"knows, {counts.failed} had failed ({summary.seconds:.1f} s, of which the search index "
        f"took {summary.index_seconds:.1f} s)."
    )
    if counts.failed:
        note("`singalike failed` tells why.")
