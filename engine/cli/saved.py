"""``singalike saved``: searches with a name."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.common import (
    JsonOption,
    LibraryOption,
    new_commands,
    note,
    open_library,
    printable,
    stoppable,
    write_json,
)
from engine.cli.progress import shown_progress
from engine.cli.similar import show

app = new_commands(needs_arguments=False)
NameArgument = Annotated[str, typer.Argument(help="As it was called with `similar --save`.")]


@app.callback(invoke_without_command=True)
def list_searches(
    context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """List the saved searches, or do one again (`run`)."""
    from engine.library.kept.searches import searches

    if context.invoked_subcommand is not None:
        return
    with open_library(library) as opened:
        found = searches(opened.database)
    if as_json:
        write_json([{"name": one.name, **one.question} for one in found])
        return
    for one in found:
        typer.echo(printable(one.name))
    if not found:
        note("No saved searches yet. `singalike similar --save NAME` keeps one.")


@app.command()
def run(name: NameArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Search as it was saved, among the songs that there are now."""
    from engine.search import Searcher
    from engine.search.export import result_as_dict
    from engine.search.saved import ask, saved_question

    with (
        open_library(library) as opened,
        stoppable() as cancel,
        shown_progress() as progress,
    ):
        result = ask(Searcher(opened), saved_question(opened, name), progress, cancel)
    if as_json:
        write_json(result_as_dict(result))
    else:
        show(result)


@app.command()
def delete(name: NameArgument, library: LibraryOption = None) -> None:
    """Delete a saved search."""
    from engine.library.kept.searches import delete_search

    with open_library(library) as opened:
        delete_search(opened.database, name)
    note(f"The search “{printable(name)}” is deleted.")
