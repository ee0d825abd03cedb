"""``singalike train``: prepare a data set, run a training, export a checkpoint."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import new_commands
from engine.cli.progress import shown_progress
from engine.progress import ignore_progress
from training.config import Precision, SpaceKind, StemsMode, load_system, system_names

# Nothing heavy is imported here: `singalike --help` must answer at once.

app = new_commands()

PercentagesOn = Annotated[
    list[Path] | None,
    typer.Option(help="Data set of real singing, all of whose voices give the percentages."),
]
SpaceOption = Annotated[
    SpaceKind,
    typer.Option(
        "--space",
        help="band: without directions in which a segment differs with what plays beside it. "
        "voice: with those shortened in which one voice differs.",
    ),
]
DataFolders = Annotated[
    list[Path],
    typer.Option("--data", help="Folder of a prepared data set; several times for several as one."),
]


@app.callback()
def train() -> None:
    """Train voice models on your own data."""


@app.command()
def prepare(
    source: Annotated[
        Path,
        typer.Argument(help="Music4All's folder, a folder artist/album/song, or a table of files."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the data set.")],
    where: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=TEXT: only such rows of a table (* stands for anything)."),
    ] = None,
    separator: Annotated[str, typer.Option(help="For songs without stems.")] = "spleeter",
    parts: Annotated[str, typer.Option(help="Shares of train, validation, test.")] = "8:1:1",
    seed: Annotated[int, typer.Option(help="Of the split and of the backings drawn.")] = 0,
    separate_again: Annotated[
        bool,
        typer.Option(help="Add each clean voice a second time, as separated from its mixture."),
    ] = False,
    workers: Annotated[
        int, typer.Option(min=0, help="Songs heard at the same time; 0: one per core.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Decode, separate and cut songs into segments of 5 s. Can be interrupted and run again.

    Exits with 3 when some songs could not be used; the data set is finished all the same.
    """
    from dataclasses import asdict

    from training.data.plan import PrepareOptions
    from training.data.prepare import prepare as prepare_data
    from training.data.sources import left_out, read_source

    options = PrepareOptions(separator, _parts(parts), seed, separate_again)
    songs = read_source(source, where or ())
    with shown_progress() as progress:
        summary = prepare_data(
            songs, out, options, num_workers=workers, progress=progress, notes=left_out(source)
        )
    typer.echo(json.dumps(asdict(summary)) if as_json else summary.text())
    if summary.failures:
        raise typer.Exit(3)


@app.command()
def run(
    system: Annotated[
        str, typer.Option("--system", "-s", help="Name (see `systems`) or a .toml file.")
    ],
    data: DataFolders,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Run folder; an unfinished run goes on.")
    ],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting: section.key=value.")
    ] = None,
    batches: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Leave off after so many batches in all; the schedule stays as long as "
            "optim.num_batches says.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    stems: Annotated[
        StemsMode, typer.Option(help="On the device (resident), or from disk (stream).")
    ] = "auto",
    precision: Annotated[Precision, typer.Option(help="Of the networks.")] = "auto",
    compile: Annotated[
        bool | None, typer.Option(help="torch.compile; by default on a GPU only.")
    ] = None,
    log_every: Annotated[int, typer.Option(help="Batches between lines of the log.")] = 20,
) -> None:
    """Train a system. Ctrl-C or SIGTERM saves; the same command goes on where it stopped."""
    from engine.heap import keep_freed_memory
    from training.data.data_set import open_datasets
    from training.loop import run as run_training
    from training.trainer import RunOptions

    keep_freed_memory()
    config = load_system(system, settings or [])
    options = RunOptions(
        device=device,
        stems=stems,
        precision=precision,
        compile=compile,
        stop_after=batches,
        log_every=log_every,
    )
    is_main = os.environ.get("RANK", "0") == "0"  # of torchrun's processes one speaks
    with shown_progress() if is_main else nullcontext(ignore_progress) as progress:
        trainer = run_training(config, open_datasets(data), out, options, progress)
    if trainer.world.is_main:
        typer.echo(f"{trainer.batch:,} of {trainer.num_batches:,} batches done; saved in {out}.")


@app.command()
def export(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")],
    data: DataFolders,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the checkpoint.")],
    title: Annotated[str, typer.Option(help="One line that tells people what it is.")] = "",
    description: Annotated[str, typer.Option(help="A sentence or two.")] = "",
    licence: Annotated[str, typer.Option(help="Of the weights.")] = "not stated",
    fit_on: Annotated[
        list[Path] | None,
        typer.Option(help="Data set of singing to fit the centre and percentages on."),
    ] = None,
    percentages_on: PercentagesOn = None,
    space: SpaceOption = "band",
) -> None:
    """Write a checkpoint with its model card; `singalike index --model FOLDER` can use it."""
    from training.data.data_set import open_datasets
    from training.export import export as export_checkpoint

    with shown_progress() as progress:
        manifest = export_checkpoint(
            run_folder,
            open_datasets(data),
            out,
            progress,
            fit_on=open_datasets(fit_on) if fit_on else None,
            percentages_on=open_datasets(percentages_on) if percentages_on else None,
            title=title,
            description=description,
            licence=licence,
            space=space,
        )
    typer.echo(f"{manifest.name}, sha256 {manifest.sha256[:12]}, written to {out}.")


@app.command()
def fit(
    model: Annotated[str, typer.Argument(help="A model's name, or the folder of a checkpoint.")],
    data: DataFolders,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the new checkpoint.")],
    percentages_on: PercentagesOn = None,
    space: SpaceOption = "band",
    title: Annotated[str, typer.Option(help="One line that tells people what it is.")] = "",
    description: Annotated[str, typer.Option(help="A sentence or two.")] = "",
) -> None:
    """Fit a model's centre, axes and percentages to a data set; its network stays as it is."""
    from training.data.data_set import open_datasets
    from training.export import fit_existing

    with shown_progress() as progress:
        others = open_datasets(percentages_on) if percentages_on else None
        manifest = fit_existing(
            model,
            open_datasets(data),
            out,
            progress,
            percentages_on=others,
            title=title,
            description=description,
            space=space,
        )
    typer.echo(f"{manifest.name}, sha256 {manifest.sha256[:12]}, written to {out}.")


@app.command()
def systems() -> None:
    """List the training systems."""
    for name in system_names():
        typer.echo(f"{name:16} {load_system(name).title}")


def _parts(text: str) -> tuple[float, float, float]:
    """``8:1:1`` -> (8.0, 1.0, 1.0)."""
    try:
        train, valid, test = (float(share) for share in text.split(":"))
    except ValueError as error:
        raise typer.BadParameter(
            "write three shares, such as 8:1:1", param_hint="--parts"
        ) from error
    if min(train, valid, test) < 0 or train <= 0:
        raise typer.BadParameter("shares must not be negative, and train needs one")
    return train, valid, test
