"""``singalike checkpoint``: networks of other formats as checkpoints of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import new_commands, note

app = new_commands()


@app.callback()
def checkpoint() -> None:
    """Convert checkpoints that others have published."""


@app.command("import-tf")
def import_tf(
    prefix: Annotated[
        Path,
        typer.Argument(help="What the .index and .data files begin with, or one of them."),
    ],
    name: Annotated[
        str, typer.Option(help="The model's name from now on. Default: that of the files.")
    ] = "",
    system: Annotated[
        str, typer.Option(help="Which system of the paper it is, such as cvsm-art.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Checkpoint folder. Default: beside your other models.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a checkpoint that is there.")
    ] = False,
) -> None:
    """Convert a TensorFlow checkpoint of the CVSM authors. TensorFlow is not needed."""
    from engine.errors import CheckpointError
    from engine.models.checkpoint import MANIFEST_NAME
    from engine.models.tensorflow_bundle import read_bundle
    from engine.models.tensorflow_import import import_tensorflow
    from engine.paths import data_path

    name = name or read_bundle(prefix).prefix.name
    folder = out or data_path() / "models" / name
    if (folder / MANIFEST_NAME).exists() and not overwrite:
        raise CheckpointError(f"{folder} holds a checkpoint already: name another, or --overwrite.")
    manifest = import_tensorflow(prefix, folder, name=name, system=system)
    note(f"Its weights: {manifest.licence}")
    typer.echo(f"{folder}")
    typer.echo(f"Use it with --model {folder if out else name}.", err=True)
