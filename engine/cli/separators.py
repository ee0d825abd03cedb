"""``singalike separators``: which there are, and how more of them come here."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import JsonOption, new_commands, note, stoppable, write_json
from engine.cli.progress import shown_progress

app = new_commands(needs_arguments=False)


@app.callback(invoke_without_command=True)
def separators(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the separators, which cut the vocals out of songs, and what the others would take."""
    from engine import separation

    if context.invoked_subcommand is not None:
        return
    infos, in_use = separation.available(), separation.default_name()
    if as_json:
        write_json([asdict(info) | {"is_default": info.name == in_use} for info in infos])
        return
    for info in infos:
        size = f"{info.size_bytes / 1e6:.0f} MB to download"
        state = "installed" if info.is_installed else f"not installed, {size}"
        if info.name == in_use:
            state = "installed, in use"
        typer.echo(f"{info.name}  {info.title}  {state}")
        typer.echo(f"    licence of its weights: {info.licence}")


@app.command()
def install(
    name: Annotated[str, typer.Argument(help="umxhq, umxl or hdemucs.")],
    weights: Annotated[
        Path | None, typer.Option(help="The published file, if you have it: nothing is fetched.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the download.")] = False,
) -> None:
    """Install a separator: show size and licence, ask, fetch its weights, check and convert."""
    from engine import separation

    info = separation.info(name)
    if not info.size_bytes:
        note(f"{name} comes with Singalike: there is nothing to install.")
        return
    if weights is None:
        note(f"{info.title}: {info.size_bytes / 1e6:.0f} MB from {info.url}")
    note(f"Licence of its weights: {info.licence}.")
    if weights is None and not yes and not _agrees():
        raise typer.Exit(1)
    with stoppable() as cancel, shown_progress() as progress:
        separation.install(name, weights, progress, cancel)
    typer.echo(f"{name} is installed. Use it with --separator {name}.")


def _agrees() -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        note("Nobody is here to agree: say --yes.")
        return False
    return typer.confirm("Download it?", err=True)
