"""All commands by name. Nothing heavy is imported before a command runs: --help must be quick."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from pkgutil import resolve_name
from typing import Annotated

import typer

from engine import __version__
from engine.cli import (
    export,
    heard,
    indexing,
    journey,
    self_test,
    similar,
    status,
    upkeep,
)
from engine.cli.common import new_commands

# Groups of commands with a module of their own, imported only when one is called.
GROUPS = {
    "playlist": ("engine.cli.kept:playlist", "List, make, change, import and export playlists."),
    "favourite": ("engine.cli.kept:favourite", "List favourites; give songs a heart."),
    "saved": ("engine.cli.kept:saved", "List saved searches, and run them."),
    "mark": ("engine.cli.kept:mark", "Say which songs have the same voice, and which do not."),
    "evaluate": ("engine.cli.evaluate:app", "How well does a model know voices?"),
    "separators": ("engine.cli.separators:app", "List separators, and install more of them."),
    "checkpoint": ("engine.cli.checkpoint:app", "Convert published checkpoints."),
}
# Packages above the engine register theirs as entry points, since the engine imports none of them.
REGISTERED = {
    "train": "Train voice models of your own.",
    "record": "Sing or hum into the microphone.",
}

app = new_commands()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"singalike {__version__}")
        raise typer.Exit


@app.callback()
def singalike(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="And stop.")
    ] = False,
) -> None:
    """Find singers who sound alike in your own music library."""


for _command in (
    indexing.index,
    similar.similar,
    journey.journey,
    journey.radio,
    heard.tags,
    heard.portrait,
    indexing.embed,
    status.status,
    status.failed,
    indexing.retry,
    indexing.forget,
    export.export,
    status.models,
    upkeep.verify,
    upkeep.repair,
    indexing.demo,
    self_test.self_test,
):
    app.command()(_command)


def _defer(name: str, load: Callable[[], typer.Typer], text: str) -> None:
    """A command that imports the real one when it is called, and hands all arguments on."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @app.command(name, help=text, context_settings=settings)
    def call(context: typer.Context) -> None:
        load()(args=context.args, prog_name=f"singalike {name}")


for _name, (_place, _text) in GROUPS.items():
    _defer(_name, partial(resolve_name, _place), _text)
for _point in entry_points(group="singalike.commands"):
    _defer(_point.name, _point.load, REGISTERED.get(_point.name, ""))
